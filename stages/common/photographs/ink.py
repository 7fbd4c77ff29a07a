"""Ink: the difference of a picture from its background.

The background is a plane that is fitted to the border of the picture, because lighting is often
uneven. A large bright area on it is paper on a desk. If the border does not lie on a plane (the
shadow of a hand, a thumb, the desk), or what differs from the plane is thick and lighter than ink
(a shadow inside), the background is local: the morphological closing of the picture with a square
that is wider than a stroke. It fills strokes, and leaves what is larger (Serra 1982, "Image
Analysis and Mathematical Morphology"; the difference is the black top-hat). Under a shadow, paper
and ink are darker by the same factor, so the local difference is divided by the background.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nn.images.pixels import border

# A picture with less contrast, on a scale of 0 to 1, is blank.
_LEAST_CONTRAST = 0.12
# Ink below this fraction of the strongest ink is background.
_LEAST_INK = 0.03
# Ink below this number of standard deviations of the border is noise; normally distributed noise
# exceeds it less than once in 10⁸ pixels.
_NOISE = 6.0
# Number of fits of the plane, each without the outliers of the one before, and the ridge term that
# makes the fit well-defined for a border of few pixels.
_FITS, _RIDGE = 6, 1e-9
# Outliers are further from the plane than both distances: standard deviations, and brightness.
_OUTLIER, _LEAST_OUTLIER = 3.0, 0.02
# Sides of the squares of closings, as fractions of the longer side of the picture: wider than ruled
# lines, than strokes on a sheet, and than strokes of a digit that fills the sheet. A picture whose
# shorter side has less than the last number of pixels is no photograph.
_RULE, _SQUARE, _LARGE_SQUARE, _LEAST_SIDE = 0.06, 0.25, 0.45, 100
# A shadow is darker than the plane by this brightness at least, over this part of the border or of
# the picture; and lighter than this part of the strongest ink. What is as bright as bright ink over
# the last part of the picture is paper on a desk.
_LEAST_SHADE, _OUTLIERS, _SOLID, _PAPER = 0.03, 0.03, 0.65, 0.4
# Strong ink, relative to the strongest, from which the width of strokes is measured; the least that
# a closing leaves of the strongest ink; and weak ink.
_STRONG, _WEAKEST, _WEAK = 0.7, 0.5, 0.45
# The background is divided by this fraction of its maximum at least; noise above the second number
# is smoothed.
_DARKEST, _GRAIN = 0.4, 0.002


class BlankImageError(ValueError):
    """The picture has no contrast except noise."""


def ink_of(picture: NDArray) -> tuple[NDArray[np.float64], bool]:
    """Difference from the background, scaled to [0, 1]; noise is set to 0.

    Args:
        picture: (height, width) brightness in [0, 1].

    Returns:
        Array of the same shape, at least one element of which is 1; and whether the background is
        local.

    Raises:
        BlankImageError, ValueError: As `prepare_image`.
    """
    values = np.asarray(picture, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"expected a 2-D array of finite brightness, got shape {values.shape}")
    plane, noise = _plane(values)
    # Ink is darker or brighter than the background, whichever differs most from it.
    is_bright = (plane - values).max() < (values - plane).max()
    if is_bright:
        values, plane = 1 - values, 1 - plane
    ink = plane - values
    is_local = False
    if min(values.shape) >= _LEAST_SIDE:
        smooth = ndimage.median_filter(values, 3, mode="nearest")
        grain = 1.4826 * float(np.median(np.abs(values - smooth)))
        side, strongest = max(values.shape), ink.max()
        off = smooth - plane
        if is_bright and (_closed(off, _SQUARE / 2 * side) < -_SOLID * strongest).mean() > _PAPER:
            values, smooth, is_local = 1 - values, 1 - smooth, True
        else:
            is_local = _is_shaded(off, max(_NOISE * grain, _LEAST_SHADE), strongest)
        if is_local:
            local = _local_background(smooth)
            if grain > _GRAIN:
                values = ndimage.gaussian_filter(values, 0.8, mode="nearest")
            inside = (local - values) / np.maximum(local, _DARKEST * local.max())
            inside -= np.median(inside)
            if inside.max() > _WEAKEST * ink.max():  # otherwise the closing took the ink
                ink, noise = inside, 1.4826 * float(np.median(np.abs(inside)))
    strongest = ink.max()
    if strongest < _LEAST_CONTRAST:
        raise BlankImageError("expected a digit, got a blank image")
    ink = np.where(ink < max(_NOISE * noise, _LEAST_INK * strongest), 0.0, ink)
    if not ink.any():
        raise BlankImageError("expected a digit, got a blank image with noise")
    return ink / strongest, is_local


def _is_shaded(off: NDArray, least: float, strongest: float) -> bool:
    """Whether something larger than a stroke is at the border, or inside and lighter than ink."""
    side = max(off.shape)
    at_border = _closed(off, _RULE * side)[border(off.shape)]
    if (np.abs(at_border) > least).mean() > _OUTLIERS:
        return True
    large = _closed(off, _LARGE_SQUARE * side)
    return bool((np.abs(large) > least).mean() > _OUTLIERS and -large.min() < _SOLID * strongest)


def _local_background(smooth: NDArray) -> NDArray:
    """Closing with a square that is only a little wider than the strokes.

    Their width is measured after a closing with a large square; less of the edges of shadows
    remains after the second one.
    """
    largest = _SQUARE * max(smooth.shape)
    local = _closed(smooth, largest)
    ink = (local - smooth) / np.maximum(local, _DARKEST * local.max())
    return _closed(smooth, min(1.5 * _stroke_width(ink) + 3, largest))


def without_weak_ink(ink: NDArray) -> NDArray:
    """Ink without what is weak and further than half a stroke from other ink.

    It is what is left of shadows where the background is local. Weak ink is kept only near strong
    ink, as in hysteresis thresholding (Canny 1986, "A Computational Approach to Edge Detection").
    """
    far = ndimage.distance_transform_edt(ink < _WEAK) > _stroke_width(ink) / 2
    return np.where(far, 0.0, ink)


def _stroke_width(ink: NDArray) -> float:
    """Diameter of the largest circle in strong ink, in pixels."""
    strong = np.pad(ink > _STRONG * ink.max(), 1)
    return 2 * float(ndimage.distance_transform_edt(strong).max())


def _closed(picture: NDArray, side: float) -> NDArray:
    """Closing with a square; the picture continues beyond its border as it is there."""
    n = max(1, round(side))
    padded = np.pad(picture, n, mode="edge")
    return ndimage.grey_closing(padded, (n, n))[n:-n, n:-n]


def _plane(picture: NDArray) -> tuple[NDArray, float]:
    """A plane fitted to the border without outliers, and the standard deviation from it."""
    height, width = picture.shape
    y, x = np.mgrid[:height, :width]
    plane = np.stack([np.ones(picture.shape), y / height - 0.5, x / width - 0.5])
    on_border = border(picture.shape)
    values, places = picture[on_border], plane[:, on_border]
    fit, noise = np.array([np.median(values), 0.0, 0.0]), 0.0
    for _ in range(_FITS):
        residual = np.abs(values - fit @ places)
        noise = 1.4826 * float(np.median(residual))  # standard deviation, from the median
        kept = residual <= max(_OUTLIER * noise, _LEAST_OUTLIER)
        some = places[:, kept]
        fit = np.linalg.solve(some @ some.T + _RIDGE * np.eye(3), some @ values[kept])
    return np.tensordot(fit, plane, axes=1), noise
