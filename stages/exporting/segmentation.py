"""Search for the digits on a picture, which may have several, ruled lines and a frame."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nn.framing import Framing
from stages.exporting.image_preparation import BlankImageError, ink_of, prepare_ink
from stages.exporting.lines import EIGHT_NEIGHBOURS, is_rectangle, without_lines

# Fainter ink does not connect two pieces.
_CONNECTING_INK = 0.2
# Pieces at least this high, as a fraction of the highest, can be digits of their own. Two of them
# are if they overlap less than this fraction of the narrower one's width, or if one is below the
# other at a distance of at least this fraction of its height.
_LEAST_HEIGHT, _OVERLAP, _LINE_GAP = 0.5, 0.3, 0.2
# Beside several digits, pieces below this height are dots and dirt.
_SPECK = 0.25
# A bright or dark area of at least this part of the picture, filled to this part, is its paper.
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
    pieces: tuple[int, ...]  # numbers of the connected pieces of ink in it

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

    Ruled lines, frames and, beside several digits, dirt are left out. For a single digit without
    them, the image is that of `prepare_image`.

    Args:
        picture: (height, width) brightness in [0, 1].
        shape: Height and width of the images of the result in pixels.
        framing: Place and size of the digits in them; see `prepare_image`.
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
    """The ink, and the row and column where it begins.

    If the border of the picture belongs to a frame or a desk, the paper looks like ink, and is
    searched instead.
    """
    ink = ink_of(picture)
    labels, _ = ndimage.label(ink > _CONNECTING_INK, EIGHT_NEIGHBOURS)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        piece = labels[box] == number
        is_large = all(n >= _PAPER * whole for n, whole in zip(piece.shape, ink.shape, strict=True))
        if is_large and piece.mean() >= _FILLED and is_rectangle(piece) and min(piece.shape) > 20:
            edges = [max(1, n // 50) for n in piece.shape]
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
    pieces = [
        _Box(rows.start, rows.stop, columns.start, columns.stop, (number,))
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1)
    ]
    highest = max(piece.height for piece in pieces)
    digits: list[_Box] = []
    for piece in pieces:
        if piece.height >= _LEAST_HEIGHT * highest:
            digits = _joined(digits, piece)
    if len(digits) == 1:
        return [ink]
    digits = _in_reading_order(digits)
    owner = np.zeros(len(pieces) + 1, int)
    for piece in pieces:
        distances = [_distance(piece, digit) for digit in digits]
        if piece.height >= _SPECK * highest or min(distances) == 0:
            owner[list(piece.pieces)] = 1 + int(np.argmin(distances))
    for number, digit in enumerate(digits, 1):
        owner[list(digit.pieces)] = number
    # Faint ink belongs to the nearest piece.
    nearest = ndimage.distance_transform_edt(
        labels == 0, return_distances=False, return_indices=True
    )
    owners = owner[labels[tuple(nearest)]]
    return [np.where(owners == number, ink, 0.0) for number in range(1, len(digits) + 1)]


def _joined(digits: list[_Box], piece: _Box) -> list[_Box]:
    """Add a piece to the digits, or join it with those that it belongs to."""
    for k, digit in enumerate(digits):
        if not _are_separate(digit, piece):
            both = _Box(
                min(digit.top, piece.top),
                max(digit.bottom, piece.bottom),
                min(digit.left, piece.left),
                max(digit.right, piece.right),
                digit.pieces + piece.pieces,
            )
            return _joined(digits[:k] + digits[k + 1 :], both)
    return [*digits, piece]


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
