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

# Grey levels, and the minimum one of the pixels of an object.
LEVELS, INK = 255.0, 1


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
        found = measure(image[None])
        bounds = (self.side, self.rows, self.columns, self.ink)
        return all(low <= v[0] <= high for v, (low, high) in zip(found, bounds, strict=False))


def measure(images: NDArray) -> list[NDArray]:
    """Longer side, row and column of the centre of mass, mean, peak, height, width of objects.

    Args:
        images: (n, height, width) in [0, 1].
    """
    levels: NDArray[np.float64] = np.rint(images.astype(np.float64) * LEVELS)
    _, height, width = levels.shape
    total = levels.sum(axis=(1, 2))
    row = levels.sum(axis=2) @ np.arange(height) / np.maximum(total, 1)
    column = levels.sum(axis=1) @ np.arange(width) / np.maximum(total, 1)
    sides = []
    for axis in (2, 1):
        lines: NDArray = np.any(levels >= INK, axis=axis)
        first, last = lines.argmax(axis=1), lines.shape[1] - lines[:, ::-1].argmax(axis=1)
        sides.append(np.where(lines.any(axis=1), last - first, 0).astype(np.float64))
    mean, peak = total / (LEVELS * height * width), levels.max(axis=(1, 2)) / LEVELS
    return [np.maximum(*sides), row, column, mean, peak, *sides]
