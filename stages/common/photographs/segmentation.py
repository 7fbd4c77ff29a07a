"""Segmentation of a picture into digits; ruled lines and frames are removed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nn.images.framing import Framing
from stages.common.photographs.image_preparation import prepare_ink
from stages.common.photographs.ink import ink_of, without_weak_ink
from stages.common.photographs.lines import EIGHT_NEIGHBOURS, without_lines
from stages.common.photographs.verdict import LEAST_MARGIN, least_margin_of

# Connected components consist of pixels with more ink than this. Faint ink belongs to a component
# at this distance or less, as a fraction of the height of the highest one.
_CONNECTING_INK, _FAINT = 0.2, 0.06
# A component can be a digit if it has this fraction of the height of the highest one. Two of them
# are two digits if they overlap by less than the second fraction of the narrower one's width, or if
# the vertical gap between them is at least the third fraction of the smaller one's height.
_MIN_HEIGHT, _OVERLAP, _LINE_GAP = 0.5, 0.3, 0.2
# A smaller component than this fraction of the height is dirt. A larger one is the top of a digit
# if it is not further away than the second fraction.
_DIRT, _TOP_GAP = 0.25, 0.3
# A solid shape, such as a punch hole, is as thick as this fraction of its longer side at least; a
# bar, such as a minus, is at least this much wider than high.
_SOLID, _BAR = 0.7, 3.0
# If a component inside is at least as high as this fraction of the picture, those at its border are
# not digits unless they have between these fractions of its height and its thickness.
_LEAST_DIGIT, _LOW, _HIGH = 0.1, 0.75, 1.3


class Digit(NamedTuple):
    """A digit on a picture.

    Attributes:
        box: Left, top, right and bottom, as fractions of the picture's width and height.
        image: (height, width) input of the network, float32 in [0, 1].
        least_margin: Margin between the two highest scores of a sure prediction; see `verdict`.
    """

    box: tuple[float, float, float, float]
    image: NDArray[np.float32]
    least_margin: float = LEAST_MARGIN


class _Box(NamedTuple):
    top: int
    bottom: int
    left: int
    right: int
    components: tuple[int, ...]  # numbers of the connected components in it

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


def find_digits(
    picture: NDArray,
    shape: tuple[int, int],
    *,
    framing: Framing | None = None,
    deslanted: bool = False,
) -> list[Digit]:
    """Find the digits on a picture, in lines from left to right.

    Ruled lines, frames, circles, bars, solid shapes, dirt, and objects at the border are left out.
    For a picture of a single digit and nothing else, the image is that of `prepare_image`.

    Args:
        picture: (height, width) brightness in [0, 1].
        shape: Height and width of the images of the result in pixels.
        framing: Position and size of the digits in them; see `prepare_image`.
        deslanted: Whether to deslant them.

    Raises:
        BlankImageError: If there is no digit on the picture.
    """
    height, width = np.shape(picture)
    digits = []
    picture_ink, is_local = ink_of(picture)
    ink = without_lines(picture_ink)
    parts = _separate(without_weak_ink(ink) if is_local else ink)
    kept = np.sum([(part > _CONNECTING_INK).sum() for part in parts])
    has_flaw = is_local or bool(kept < (picture_ink > _CONNECTING_INK).sum())
    for part in parts:
        rows, columns = (np.flatnonzero(part.any(axis=axis)) for axis in (1, 0))
        box = (
            float(columns[0]) / width,
            float(rows[0]) / height,
            float(columns[-1] + 1) / width,
            float(rows[-1] + 1) / height,
        )
        image = prepare_ink(part, shape, framing=framing, deslanted=deslanted)
        digits.append(Digit(box, image, least_margin_of(image, has_flaw=has_flaw)))
    return digits


def _separate(ink: NDArray) -> list[NDArray]:
    """The ink of each digit, in lines from left to right."""
    mask = ink > _CONNECTING_INK
    labels, _ = ndimage.label(mask, EIGHT_NEIGHBOURS)
    boxes = [
        _Box(rows.start, rows.stop, columns.start, columns.stop, (number,))
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1)
    ]
    strokes = _strokes(boxes, labels)
    highest = max(box.height for box in strokes)
    digits: list[_Box] = []
    for box in strokes:
        if box.height >= _MIN_HEIGHT * highest:
            digits = _joined(digits, box)
    digits = _in_reading_order(digits)
    # The number of the digit of each component, from 1; 0 for dirt and background.
    digit_of = np.zeros(len(boxes) + 1, int)
    for box in boxes:
        number = int(np.argmin([_distance(box, digit) for digit in digits]))
        if _belongs(box, digits[number], highest):
            digit_of[list(box.components)] = 1 + number
    for number, digit in enumerate(digits, 1):
        digit_of[list(digit.components)] = number
    # Faint ink beside a component belongs to it.
    distances, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    numbers = np.where(distances <= max(2, _FAINT * highest), digit_of[labels[tuple(nearest)]], 0)
    return [np.where(numbers == number, ink, 0.0) for number in range(1, len(digits) + 1)]


def _strokes(boxes: list[_Box], labels: NDArray) -> list[_Box]:
    """The components that can be digits: no solid shapes, no bars, nothing from outside."""
    depth = ndimage.distance_transform_edt(np.pad(labels > 0, 1))[1:-1, 1:-1]
    depths = ndimage.maximum(depth, labels, range(1, len(boxes) + 1))
    heights, widths = np.array([(box.height, box.width) for box in boxes]).T
    kept = np.ones(len(boxes), bool)
    for rule in (2 * depths < _SOLID * np.maximum(heights, widths), widths < _BAR * heights):
        if heights[kept & rule].max(initial=0) >= _DIRT * heights[kept].max():
            kept &= rule
    height, width = labels.shape
    inside = kept & [b.top > 0 < b.left and b.bottom < height and b.right < width for b in boxes]
    highest = heights[inside].max(initial=0)
    if highest >= _LEAST_DIGIT * max(labels.shape):
        # The first digit of a narrow picture may touch its border, too.
        like = (_LOW * highest <= heights) & (heights <= _HIGH * highest)
        kept &= inside | like & (depths <= _HIGH * depths[inside].max())
    return [box for box, is_kept in zip(boxes, kept, strict=True) if is_kept]


def _belongs(box: _Box, digit: _Box, highest: int) -> bool:
    """Whether another component is a part of the nearest digit, such as the top of a 5."""
    if box.bottom > digit.bottom or _distance(box, digit) > _TOP_GAP * highest:
        return False
    overlap = min(box.right, digit.right) - max(box.left, digit.left)
    if max(box.height, box.width) < _DIRT * highest:
        return overlap == box.width and box.top >= digit.top
    return overlap > _OVERLAP * box.width


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
