"""Mosaics: many small images in one array, which Matplotlib draws faster than one axes each."""

import math

import numpy as np
from numpy.typing import NDArray

from nn.checks.arrays import square

COLUMNS = 10


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
