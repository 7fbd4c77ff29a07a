"""From any picture of one digit to an image as MNIST's were made.

MNIST's digits were scaled, keeping their proportions, into a box of 20×20 pixels, and laid into
28×28 so that their centre of mass is in the middle (LeCun et al. 1998, §III.A). A network that has
learned from them wants to be shown the same; other shapes get a box of the same part of their size.

Every step is a formula that needs no library, because a page in a browser does it, too:

1. ink: how far a pixel is from the background, which is a plane through the picture's border, since
   light seldom falls evenly;
2. the bounding box of all ink above the noise of that border;
3. scaling, with a triangular filter (pixels are averaged, not skipped);
4. the shift, by whole pixels, of the centre of mass to the middle.
"""

import numpy as np
from numpy.typing import NDArray

# The part of an image's side that MNIST's box takes.
_BOX = 20 / 28
# Below this contrast, of 1, there is nothing on the picture.
_LEAST_CONTRAST = 0.12
# Ink below this part of the darkest is background, whatever the border says.
_LEAST_INK = 0.03
# So many standard deviations of the border are not exceeded by chance, even by one of a million.
_NOISE = 6.0
# How often the plane is fitted anew without outliers, and what keeps a border of few pixels from
# leaving it undetermined.
_FITS, _RIDGE = 6, 1e-9
# What is further from the plane, in standard deviations or in brightness, has no part in it.
_OUTLIER, _LEAST_OUTLIER = 3.0, 0.02


class NothingThereError(ValueError):
    """The picture is of one colour, or nearly."""


def center(picture: NDArray, shape: tuple[int, int] = (28, 28)) -> NDArray[np.float32]:
    """The digit on a picture, as a network wants to see it.

    Args:
        picture: (height, width) of brightness, any size, 0 to 1; dark on bright or bright on dark,
            nothing but the digit on it.
        shape: Height and width of the result in pixels.

    Returns:
        `shape` of ink, float32 in [0, 1]: 0 is background.

    Raises:
        NothingThereError: If there is no digit on it.
        ValueError: If it has no pixels, or some that are no numbers.
    """
    values = np.asarray(picture, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"an array of shape {values.shape} is no picture of finite brightness")
    ink = _ink(values)
    rows, columns = (np.flatnonzero(ink.max(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    boxes = [max(1, round(_BOX * n)) for n in shape]
    scale = min(box / n for box, n in zip(boxes, ink.shape, strict=True))
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    small = _scaling(height, ink.shape[0]) @ ink @ _scaling(width, ink.shape[1]).T
    small /= max(small.max(), 1e-9)
    return _centered(small, shape).astype(np.float32)


def _ink(picture: NDArray) -> NDArray:
    """Distance from the background, 0 to 1; noise becomes 0."""
    background, noise = _background(picture)
    # Ink is on one side of the background only, the one where more of it is.
    difference = picture - background
    if -difference.min() > difference.max():
        difference = -difference
    ink = np.maximum(difference, 0.0)
    strongest = ink.max()
    if strongest < _LEAST_CONTRAST:
        raise NothingThereError("there is nothing on it")
    ink[ink < max(_NOISE * noise, _LEAST_INK * strongest)] = 0.0
    if not ink.any():
        raise NothingThereError("there is nothing on it but noise")
    return ink / strongest


def _background(picture: NDArray) -> tuple[NDArray, float]:
    """The plane that fits most of the border, and the standard deviation of the border from it."""
    height, width = picture.shape
    y, x = np.mgrid[:height, :width]
    plane = np.stack([np.ones(picture.shape), y / height - 0.5, x / width - 0.5])
    on_border = np.ones(picture.shape, bool)
    on_border[1:-1, 1:-1] = False
    border, places = picture[on_border], plane[:, on_border]
    fit, noise = np.array([np.median(border), 0.0, 0.0]), 0.0
    for _ in range(_FITS):
        residual = np.abs(border - fit @ places)
        noise = 1.4826 * float(np.median(residual))  # a standard deviation, robustly
        kept = residual <= max(_OUTLIER * noise, _LEAST_OUTLIER)
        some = places[:, kept]
        fit = np.linalg.solve(some @ some.T + _RIDGE * np.eye(3), some @ border[kept])
    return np.tensordot(fit, plane, axes=1), noise


def _scaling(to: int, of: int) -> NDArray:
    """A matrix (to, of) that scales a column of pixels; each row is a triangle of sum 1."""
    ratio = of / to
    places = (np.arange(to) + 0.5) * ratio - 0.5
    weights = 1.0 - np.abs(np.arange(of) - places[:, None]) / max(ratio, 1.0)
    weights = np.maximum(weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def _centered(digit: NDArray, shape: tuple[int, int]) -> NDArray:
    total = digit.sum()
    places = []
    for axis, (length, side) in enumerate(zip(digit.shape, shape, strict=True)):
        centre = (digit.sum(axis=1 - axis) * np.arange(length)).sum() / total
        # MNIST's centres are half a pixel right of and below the middle of an even side.
        start = min(max(int(np.floor(side / 2 - centre + 0.5)), 0), side - length)
        places.append(slice(start, start + length))
    image = np.zeros(shape)
    image[tuple(places)] = digit
    return image
