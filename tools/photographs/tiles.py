"""Tiles for the picture that `predict --show` writes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

# Minimum height of a tile in pixels, so that boxes on it are visible.
_MIN_HEIGHT = 112


def enlarged(image: NDArray) -> NDArray:
    """Repeat the pixels of an image, so that it has the size of a tile."""
    factor = _factor(image.shape)
    return np.kron(image, np.ones((factor, factor), image.dtype))


def framed(
    picture: NDArray, boxes: Sequence[tuple[float, float, float, float]], shape: tuple[int, ...]
) -> NDArray:
    """Fit a picture into a tile, and draw boxes on it.

    Args:
        picture: (height, width) brightness in [0, 1].
        boxes: Left, top, right and bottom of each, as fractions of the picture's width and height.
        shape: Height and width of the inputs of the network, whose enlarged tiles have this size.

    Returns:
        The tile in [0, 1], where 0 is white.
    """
    height, width = (_factor(shape) * n for n in shape[:2])
    small = Image.fromarray(np.rint(picture * 255).astype(np.uint8))
    small.thumbnail((width, height))
    for left, top, right, bottom in boxes:
        corners = [left * small.width, top * small.height]
        corners += [right * small.width - 1, bottom * small.height - 1]
        ImageDraw.Draw(small).rectangle(corners, outline=100, width=2)
    tile = np.zeros((height, width))
    top, left = (height - small.height) // 2, (width - small.width) // 2
    tile[top : top + small.height, left : left + small.width] = 1 - np.asarray(small) / 255
    return tile


def _factor(shape: tuple[int, ...]) -> int:
    return max(1, _MIN_HEIGHT // shape[0])
