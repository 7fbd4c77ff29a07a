"""Mosaics: many small images in one array, which Matplotlib draws faster than one axes each."""

import io
import math
from typing import Any

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from nn import Network
from nn.checks.arrays import square

COLUMNS = 10
# Options of Matplotlib that draw positive weights in red and negative ones in blue.
RED_AND_BLUE: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}


def image_shape(d: int) -> tuple[int, ...]:
    """A shape for d pixels: a square, else three square planes (red, green, blue), else the
    rectangle that is closest to a square.
    """
    if shape := square(d):
        return shape
    if d % 3 == 0 and (plane := square(d // 3)):
        return (3, *plane)
    height = next(h for h in range(math.isqrt(d), 0, -1) if d % h == 0)
    return height, d // height


def as_images(rows: NDArray, shape: tuple[int, int] | None) -> NDArray:
    """Reshape (n, d) rows to (n, height, width) grey or (n, height, width, 3) colour images.

    If `shape` is None, `image_shape` determines it.
    """
    images = rows.reshape(len(rows), *(shape or image_shape(rows.shape[1])))
    return np.moveaxis(images, 1, -1) if images.ndim == 4 else images


def mosaic(
    images: NDArray, *, gap: float, fill: float
) -> tuple[NDArray, list[tuple[float, float]]]:
    """Arrange images in rows of `COLUMNS`.

    Args:
        images: (n, height, width) or (n, height, width, 3).
        gap: Space between the images, as a fraction of their height.
        fill: Value of that space.

    Returns:
        The mosaic, and for each image the position (x, y) above it for a centred caption.
    """
    height, width = images.shape[1:3]
    space = max(1, round(gap * height))
    rows = math.ceil(len(images) / COLUMNS)
    size = (rows * (height + space), COLUMNS * (width + space))
    tiled = np.full((*size, *images.shape[3:]), fill, np.float32)
    captions = []
    for number, image in enumerate(images):
        row, column = divmod(number, COLUMNS)
        y, x = row * (height + space) + space, column * (width + space) + space // 2
        tiled[y : y + height, x : x + width] = image
        captions.append((x + width / 2 - 0.5, y - 1.0))
    return tiled, captions


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
