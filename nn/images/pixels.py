"""Raw pixels: scaling to the inputs of a network, border of an image."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def scale(
    pixels: ArrayLike, pixel_range: tuple[float, float], dtype: DTypeLike = np.float32
) -> NDArray:
    """Scale pixels linearly, so that `pixel_range` becomes [0, 1].

    Args:
        pixels: Array of any shape.
        pixel_range: The values that become 0 and 1; (255, 0) inverts images with a white
            background.
        dtype: float32 or float64.

    Returns:
        A new array of `dtype`; values outside the range are clipped to 0 or 1.
    """
    low, high = pixel_range
    inputs = np.array(pixels, dtype=dtype)
    inputs -= inputs.dtype.type(low)
    inputs /= inputs.dtype.type(high - low)
    return np.clip(inputs, 0, 1, out=inputs)


def real_type(images: NDArray) -> DTypeLike:
    """The type in which images are deformed: float32, or float64 for all but float32 images."""
    return np.float32 if images.dtype == np.float32 else np.float64


def is_range(low: float, high: float) -> bool:
    """Whether pixels from `low` to `high` can be scaled to [0, 1] in float32."""
    with np.errstate(over="ignore", under="ignore"):
        ends = np.array([low, high, high - low], np.float32)
    return bool(np.isfinite(ends).all() and ends[2] != 0)


def border(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mask of the outermost pixels of an image with this height and width."""
    mask = np.ones(shape, bool)
    mask[1:-1, 1:-1] = False
    return mask
