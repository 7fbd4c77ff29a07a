"""Deslanting: a shear that makes the strokes of a digit vertical, and a shift to the middle.

With the moments of an image f(x, y) about its centre of mass (x̄, ȳ),

    m_xy = Σ f·(x - x̄)(y - ȳ)  and  m_yy = Σ f·(y - ȳ)²,

the regression line of x on y has the slope s = m_xy / m_yy. The new image at (x, y) is the old one
at (x + s·(y - c_y) + x̄ - c_x, y + ȳ - c_y), where (c_x, c_y) is the middle of the image, so that
its m_xy is 0 (LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", §III.A,
"deslanted"; moments: Teague 1980, "Image analysis via the general theory of moments").
"""

import numpy as np
from numpy.typing import NDArray

from nn.images.interpolation import interpolate
from nn.images.pixels import real_type

# Images deslanted at a time; their arrays then fit the processor's cache.
_CHUNK = 256
# Pixels are rounded to this many grey levels: before the moments, whose sums are then exact in
# every order, and after the interpolation, as in an image file.
_LEVELS = 255.0
# Maximum slope (45°); MNIST's digits do not exceed it.
_MAX_SLOPE = 1.0


def deslant(images: NDArray, shape: tuple[int, int]) -> NDArray:
    """Deslanted copies of images.

    Args:
        images: (n, d) floats in [0, 1], where 0 is background.
        shape: Height and width of an image in pixels.

    Returns:
        (n, d) of the same dtype: multiples of 1/255. An image without ink stays as it is.
    """
    height, width = shape
    y, x = (grid.reshape(-1).astype(np.float64) for grid in np.mgrid[:height, :width])
    monomials = np.stack([np.ones_like(x), x, y, x * y, y * y], axis=1)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    result = np.empty(images.shape, images.dtype)
    for start in range(0, len(images), _CHUNK):
        chunk = np.array(images[start : start + _CHUNK], real_type(images), order="C")
        levels = np.rint(chunk.astype(np.float64) * _LEVELS)
        ink, sum_x, sum_y, sum_xy, sum_yy = (levels @ monomials).T[:, :, None]
        ink = np.maximum(ink, 1.0)
        mean_x, mean_y = sum_x / ink, sum_y / ink
        m_xy, m_yy = sum_xy - mean_x * sum_y, sum_yy - mean_y * sum_y
        slope = np.clip(m_xy / np.maximum(m_yy, 1.0), -_MAX_SLOPE, _MAX_SLOPE)
        # `interpolate` counts pixels from 1.
        at_x = x + slope * (y - middle_y) + (mean_x - middle_x) + 1.0
        at_y = np.broadcast_to(y + (mean_y - middle_y) + 1.0, chunk.shape)
        out = np.empty_like(chunk)
        at_x, at_y = at_x.astype(chunk.dtype), at_y.astype(chunk.dtype)
        interpolate(chunk, height, width, at_x, at_y, out)
        np.rint(out * out.dtype.type(_LEVELS), out=out)
        out /= out.dtype.type(_LEVELS)
        result[start : start + _CHUNK] = out
    return result
