"""Framing: position and size of the objects on the images of a data set.

MNIST's digits were scaled into a box of 20×20 pixels and placed in 28×28 pixels with their centre
of mass in the middle; scikit-learn's digits fill their 8×8 pixels. A network recognizes a picture
only if its object has the same position and size as those on the training images, so both are
measured from the training images.

The moments are sums of integers, grey levels from 0 to 255, which are exact in every order.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn.images.pixels import border

# Grey levels; images measured at a time; images from which the width of strokes is measured.
_LEVELS, _CHUNK, _SAMPLES = 255.0, 4_096, 500
# Drawings are strokes on an empty background, unlike clothes and photographs: the first fraction of
# the border is empty; and the second fraction of the ink is at an edge, or half the width of the
# strokes is at most the third fraction of the image.
_EMPTY_BORDER, _EDGE, _STROKE = 0.4, 0.6, 0.12
# Minimum grey level of the pixels of an object, and of its strokes.
_INK, _STROKE_INK = 1, 64
# Tolerance of the measured bounds, in pixels and as a fraction of the maximum ink, because other
# images of the data set may be a little outside.
_PIXELS, _PART = 0.1, 0.1


class Framing(NamedTuple):
    """Position and size of the objects on the images of a data set, in pixels from the upper left.

    Attributes:
        drawings: Whether they are drawings on an empty background, unlike photographs.
        box: Height and width of the box into which objects are scaled.
        centre: Median row and column of the centre of mass.
        peak: Median of the images' maximum pixels, from 0 to 1.
        side: Minimum and maximum of the objects' longer side.
        rows: Minimum and maximum row of the centre of mass.
        columns: Minimum and maximum column of the centre of mass.
        ink: Minimum and maximum of the images' mean pixel, from 0 to 1.
    """

    drawings: bool
    box: tuple[float, float]
    centre: tuple[float, float]
    peak: float
    side: tuple[float, float]
    rows: tuple[float, float]
    columns: tuple[float, float]
    ink: tuple[float, float]

    def numbers(self) -> list[float]:
        """All numbers in order, for files."""
        bounds = (*self.side, *self.rows, *self.columns, *self.ink)
        return [float(self.drawings), *self.box, *self.centre, self.peak, *bounds]

    @classmethod
    def of_numbers(cls, numbers: Sequence[float], shape: tuple[int, int]) -> "Framing":
        """Inverse of `numbers`; raises ValueError if they are not the framing of such images."""
        a = [float(number) for number in numbers]
        if len(a) != 14 or not all(map(math.isfinite, a)):
            raise ValueError(f"framing: expected 14 finite numbers, got {len(a)}")
        (height, width), (drawings, tall, wide, y, x, peak) = shape, a[:6]
        in_image = 1 <= tall <= height and 1 <= wide <= width and 0 <= y < height and 0 <= x < width
        if not (in_image and drawings in (0, 1) and 0 < peak <= 1):
            raise ValueError(f"framing: expected a box in images of {shape} pixels, got {a[:6]}")
        side, rows, columns, ink = ((a[k], a[k + 1]) for k in range(6, 14, 2))
        return cls(bool(drawings), (tall, wide), (y, x), peak, side, rows, columns, ink)

    def fits(self, image: NDArray) -> bool:
        """Whether the object on a (height, width) image in [0, 1] is within the measured bounds."""
        if not self.drawings:
            return True
        found = _measure(image[None])
        bounds = (self.side, self.rows, self.columns, self.ink)
        return all(low <= v[0] <= high for v, (low, high) in zip(found, bounds, strict=False))


def measure(images: NDArray, shape: tuple[int, int]) -> Framing:
    """The framing of training images.

    Args:
        images: (n, d) in [0, 1], where 0 is background; may be memory-mapped.
        shape: Height and width of an image in pixels.
    """
    parts = [
        _measure(images[start : start + _CHUNK].reshape(-1, *shape))
        for start in range(0, len(images), _CHUNK)
    ]
    side, rows, columns, ink, peak, heights, widths = map(np.concatenate, zip(*parts, strict=True))
    usual = float(np.median(np.maximum(heights / shape[0], widths / shape[1])))
    return Framing(
        drawings=_are_drawings(images[:: max(1, len(images) // _SAMPLES)].reshape(-1, *shape)),
        box=(max(1.0, float(round(usual * shape[0]))), max(1.0, float(round(usual * shape[1])))),
        # Rounded to half a pixel, so that it does not depend on the choice of the images.
        centre=(round(2 * float(np.median(rows))) / 2, round(2 * float(np.median(columns))) / 2),
        peak=max(1 / _LEVELS, float(np.median(peak))),
        side=_bounds(side, _PIXELS),
        rows=_bounds(rows, _PIXELS),
        columns=_bounds(columns, _PIXELS),
        ink=_bounds(ink, _PART * float(ink.max())),
    )


def _bounds(values: NDArray, margin: float) -> tuple[float, float]:
    return round(float(values.min()) - margin, 3), round(float(values.max()) + margin, 3)


def _measure(images: NDArray) -> list[NDArray]:
    """Longer side, row and column of the centre of mass, mean, peak, height, width of objects.

    Args:
        images: (n, height, width) in [0, 1].
    """
    levels: NDArray[np.float64] = np.rint(images.astype(np.float64) * _LEVELS)
    _, height, width = levels.shape
    total = levels.sum(axis=(1, 2))
    row = levels.sum(axis=2) @ np.arange(height) / np.maximum(total, 1)
    column = levels.sum(axis=1) @ np.arange(width) / np.maximum(total, 1)
    sides = []
    for axis in (2, 1):
        lines: NDArray = np.any(levels >= _INK, axis=axis)
        first, last = lines.argmax(axis=1), lines.shape[1] - lines[:, ::-1].argmax(axis=1)
        sides.append(np.where(lines.any(axis=1), last - first, 0).astype(np.float64))
    mean, peak = total / (_LEVELS * height * width), levels.max(axis=(1, 2)) / _LEVELS
    return [np.maximum(*sides), row, column, mean, peak, *sides]


def _are_drawings(images: NDArray) -> bool:
    # Imported here: only `preprocess` measures images, and every command imports this module.
    from scipy import ndimage

    levels: NDArray = np.rint(images.astype(np.float64) * _LEVELS)
    if (levels[:, border(levels.shape[1:])] < _INK).mean() < _EMPTY_BORDER:
        return False
    masks = np.pad(np.asarray(levels >= _STROKE_INK), ((0, 0), (1, 1), (1, 1)))
    depths: list[NDArray] = [ndimage.distance_transform_cdt(mask, "chessboard") for mask in masks]
    edges = [float((d == 1).sum()) / max(1.0, float((d > 0).sum())) for d in depths]
    widths = [float(np.max(ndimage.distance_transform_edt(mask))) for mask in masks]
    longest = max(images.shape[1:])
    return bool(np.median(edges) >= _EDGE or np.median(widths) <= _STROKE * longest)
