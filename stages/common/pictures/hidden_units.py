"""Pictures of the incoming weights of hidden units."""

import io
from typing import Any

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from nn import Network
from stages.common.pictures.mosaics import as_images, mosaic

# Options of Matplotlib that draw positive weights in red and negative ones in blue.
RED_AND_BLUE: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}


def weights_mosaic(weights: NDArray) -> NDArray:
    """A mosaic of the weights of units, each unit's divided by their largest absolute value.

    Args:
        weights: (n, height, width), or (n, height, width, 3) for colour images.

    Returns:
        Values from -1 to 1, or from 0 to 1 for colour images.
    """
    pixels = tuple(range(1, weights.ndim))
    largest = np.abs(weights).max(axis=pixels, keepdims=True)
    tiles = weights / np.where(largest > 0, largest, 1)
    if tiles.ndim == 4:
        return mosaic(tiles / 2 + 0.5, gap=0.1, fill=1.0)[0]
    return mosaic(tiles, gap=0.1, fill=0.0)[0]


def units_picture(network: Network, count: int) -> bytes:
    """A PNG file of the incoming weights of the first `count` units of the first layer."""
    images = as_images(network.weights[0][:count], network.image_shape)
    file = io.BytesIO()
    metadata: dict[str, Any] = {"Software": None}
    imsave(file, weights_mosaic(images), format="png", metadata=metadata, **RED_AND_BLUE)
    return file.getvalue()
