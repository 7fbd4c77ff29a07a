"""From raw pixels to the inputs of a network: floats in [0, 1]."""

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def scale(
    pixels: ArrayLike, pixel_range: tuple[float, float], dtype: DTypeLike = np.float32
) -> NDArray:
    """Pixels of any shape as floats of `dtype`, such that `pixel_range` becomes [0, 1].

    Values outside the range become 0 or 1. (255, 0) is a range, too: of ink on white paper.
    """
    low, high = pixel_range
    inputs = np.array(pixels, dtype=dtype)
    inputs -= inputs.dtype.type(low)
    inputs /= inputs.dtype.type(high - low)
    return np.clip(inputs, 0, 1, out=inputs)


def square(pixels: int) -> tuple[int, int] | None:
    """Height and width of a square image of so many pixels, None if there is none."""
    side = math.isqrt(pixels)
    return (side, side) if side * side == pixels else None
