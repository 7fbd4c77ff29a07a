"""Segmentation of a picture into digits; ruled lines and frames are removed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nn.images.framing import Framing
from tools.photographs.image_preparation import BlankImageError, ink_of, prepare_ink
from tools.photographs.lines import EIGHT_NEIGHBOURS, is_rectangle, without_lines

# Connected components consist of pixels with more ink than this.
_CONNECTING_INK = 0.2
# A component can be a digit if it has this fraction of the height of the highest one. Two of them
# are two digits if they overlap by less than the second fraction of the narrower one's width, or if
# the vertical gap between them is at least the third fraction of the smaller one's height.
_MIN_HEIGHT, _OVERLAP, _LINE_GAP = 0.5, 0.3, 0.2
# If there are several digits, components below this fraction of the height are dirt.
_DIRT = 0.25
# An area with this fraction of the picture's height and width, filled to the second fraction, is
# the paper.
_PAPER, _FILLED = 0.6, 0.75


class Digit(NamedTuple):
    """A digit on a picture.

    Attributes:
        box: Left, top, right and bottom, as fractions of the picture's width and height.
        image: (height, width) input of the network, float32 in [0, 1].
    """

    box: tuple[float, float, float, float]
    image: NDArray[np.float32]


class _Box(NamedTuple):
    top: int
    bottom: int
    left: int
    right: int
    components: tuple[int, ...]  # numbers of the connected components in it

    @property
    def height(self) -> int:
        return self.bottom - self.top


def find_digits(
    picture: NDArray,
    shape: tuple[int, int],
    *,
    framing: Framing | None = None,
    deslanted: bool = False,
) -> list[Digit]:
    """Find the digits on a picture, in lines from left to right.

    Ruled lines, frames and, if there are several digits, dirt are left out. For a picture of a
    single digit and nothing else, the image is that of `prepare_image`.

    Args:
        picture: (height, width) brightness in [0, 1].
        shape: Height and width of the images of the result in pixels.
        framing: Position and size of the digits in them; see `prepare_image`.
        deslanted: Whether to deslant them.

    Raises:
        BlankImageError: If there is no digit on the picture.
    """
    picture_ink, top, left = _ink_on_paper(picture)
    height, width = np.shape(picture)
    digits = []
    for ink in _separate(without_lines(picture_ink)):
        rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
        box = (
            float(left + columns[0]) / width,
            float(top + rows[0]) / height,
            float(left + columns[-1] + 1) / width,
            float(top + rows[-1] + 1) / height,
        )
        digits.append(Digit(box, prepare_ink(ink, shape, framing=framing, deslanted=deslanted)))
    return digits


def _ink_on_paper(picture: NDArray) -> tuple[NDArray, int, int]:
    """The ink on the paper, and the first row and column of the paper.

    If the border of the picture is not paper but a frame or a desk, the paper is a large rectangle
    of "ink", and the ink on it is returned. Otherwise the whole picture is taken as the paper.
    """
    ink = ink_of(picture)
    labels, _ = ndimage.label(ink > _CONNECTING_INK, EIGHT_NEIGHBOURS)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        area = labels[box] == number
        is_large = all(n >= _PAPER * whole for n, whole in zip(area.shape, ink.shape, strict=True))
        if is_large and area.mean() >= _FILLED and is_rectangle(area) and min(area.shape) > 20:
            edges = [max(1, n // 50) for n in area.shape]
            rows, columns = (
                slice(part.start + edge, part.stop - edge)
                for part, edge in zip(box, edges, strict=True)
            )
            try:
                return ink_of(picture[rows, columns]), rows.start, columns.start
            except BlankImageError:
                break
    return ink, 0, 0


def _separate(ink: NDArray) -> list[NDArray]:
    """The ink of each digit, in lines from left to right; `ink` itself if there is only one."""
    labels, _ = ndimage.label(ink > _CONNECTING_INK, EIGHT_NEIGHBOURS)
    boxes = [
        _Box(rows.start, rows.stop, columns.start, columns.stop, (number,))
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1)
    ]
    highest = max(box.height for box in boxes)
    digits: list[_Box] = []
    for box in boxes:
        if box.height >= _MIN_HEIGHT * highest:
            digits = _joined(digits, box)
    if len(digits) == 1:
        return [ink]
    digits = _in_reading_order(digits)
    # The number of the digit of each component, from 1; 0 for dirt and background.
    digit_of = np.zeros(len(boxes) + 1, int)
    for box in boxes:
        distances = [_distance(box, digit) for digit in digits]
        if box.height >= _DIRT * highest or min(distances) == 0:
            digit_of[list(box.components)] = 1 + int(np.argmin(distances))
    for number, digit in enumerate(digits, 1):
        digit_of[list(digit.components)] = number
    # Faint ink belongs to the nearest component.
    nearest = ndimage.distance_transform_edt(
        labels == 0, return_distances=False, return_indices=True
    )
    numbers = digit_of[labels[tuple(nearest)]]
    return [np.where(numbers == number, ink, 0.0) for number in range(1, len(digits) + 1)]


def _joined(digits: list[_Box], new: _Box) -> list[_Box]:
    """Add a component to the digits, or join it with those from which it is not separate."""
    for k, digit in enumerate(digits):
        if not _are_separate(digit, new):
            both = _Box(
                min(digit.top, new.top),
                max(digit.bottom, new.bottom),
                min(digit.left, new.left),
                max(digit.right, new.right),
                digit.components + new.components,
            )
            return _joined(digits[:k] + digits[k + 1 :], both)
    return [*digits, new]


def _are_separate(a: _Box, b: _Box) -> bool:
    overlap = min(a.right, b.right) - max(a.left, b.left)
    gap = max(a.top, b.top) - min(a.bottom, b.bottom)
    are_beside = overlap < _OVERLAP * min(a.right - a.left, b.right - b.left)
    return are_beside or gap >= _LINE_GAP * min(a.height, b.height)


def _distance(a: _Box, b: _Box) -> int:
    """Distance between two boxes in pixels, 0 if they overlap."""
    across = max(a.left, b.left) - min(a.right, b.right)
    down = max(a.top, b.top) - min(a.bottom, b.bottom)
    return max(across, down, 0)


def _in_reading_order(digits: list[_Box]) -> list[_Box]:
    lines: list[list[_Box]] = []
    for digit in sorted(digits):
        middle = (digit.top + digit.bottom) / 2
        for line in lines:
            if line[0].top <= middle < line[0].bottom:
                line.append(digit)
                break
        else:
            lines.append([digit])
    return [digit for line in lines for digit in sorted(line, key=lambda box: box.left)]
