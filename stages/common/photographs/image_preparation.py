"""Preparation of a picture of a digit, in the way the training images were made.

MNIST's digits were scaled into a box of 20×20 pixels, with their aspect ratio kept, and placed in
28×28 pixels with their centre of mass in the middle (LeCun et al. 1998, "Gradient-Based Learning
Applied to Document Recognition", §III.A). For other data sets, size and position are those that
`nn.images.framing` has measured; if they are unknown, MNIST's proportions are used.

`stages/exporting/page/image_preparation.js` does the same in the browser:

1. Ink is the difference from the background (see `ink`).
2. The picture is cropped to the bounding box of the ink above the noise of the border.
3. The crop is scaled with a triangular filter, to fit into the box.
4. The result is shifted by whole pixels to move its centre of mass to its place.
5. It is deslanted if the network was trained on deslanted images (see `nn.images.deslanting`).
"""

import numpy as np
from numpy.typing import NDArray

from nn.images.deslanting import deslant
from nn.images.framing import Framing
from stages.common.photographs.ink import ink_of

# Side of the box as a fraction of the side of the image.
_BOX = 20 / 28


def prepare_image(
    picture: NDArray,
    shape: tuple[int, int] = (28, 28),
    *,
    framing: Framing | None = None,
    deslanted: bool = False,
) -> NDArray[np.float32]:
    """Crop, scale and centre the digit on a picture.

    Args:
        picture: (height, width) brightness in [0, 1], of any size; a single digit, dark on bright
            or bright on dark.
        shape: Height and width of the result in pixels.
        framing: Position and size of the digit in the result; None for MNIST's proportions. If it
            is not that of drawings, the whole picture is only resized.
        deslanted: Whether to deslant the result.

    Returns:
        An array of the given shape, float32 in [0, 1]; 0 is background.

    Raises:
        BlankImageError: If there is no digit on the picture.
        ValueError: If the picture is empty, not two-dimensional or not finite.
    """
    if framing and not framing.drawings:
        return resized(picture, shape)
    return prepare_ink(ink_of(picture)[0], shape, framing=framing, deslanted=deslanted)


def resized(picture: NDArray, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Resize a (height, width) picture to another shape, with a triangular filter."""
    rows, columns = (_scaling(to, of) for to, of in zip(shape, picture.shape, strict=True))
    return np.clip(rows @ picture @ columns.T, 0.0, 1.0).astype(np.float32)


def prepare_ink(
    ink: NDArray,
    shape: tuple[int, int],
    *,
    framing: Framing | None = None,
    deslanted: bool = False,
) -> NDArray[np.float32]:
    """Crop, scale and centre the ink of a digit, as `ink_of` returns it; see `prepare_image`."""
    rows, columns = (np.flatnonzero(ink.max(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if framing:
        boxes, centre, peak = framing.box, framing.centre, framing.peak
    else:
        # The centre of mass of MNIST's digits is half a pixel right of and below the middle.
        boxes, centre, peak = _mnist_box(shape), (shape[0] / 2, shape[1] / 2), 1.0
    scale = min(box / n for box, n in zip(boxes, ink.shape, strict=True))
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    small = _scaling(height, ink.shape[0]) @ ink @ _scaling(width, ink.shape[1]).T
    small *= peak / max(small.max(), 1e-9)
    image = _centered(small, shape, centre).astype(np.float32)
    return deslant(image.reshape(1, -1), shape).reshape(shape) if deslanted else image


def _scaling(to: int, of: int) -> NDArray:
    """Matrix (to, of) that scales a column of pixels; each row is a triangular filter of sum 1."""
    ratio = of / to
    places = (np.arange(to) + 0.5) * ratio - 0.5
    weights = 1.0 - np.abs(np.arange(of) - places[:, None]) / max(ratio, 1.0)
    weights = np.maximum(weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def _mnist_box(shape: tuple[int, int]) -> tuple[float, float]:
    height, width = (max(1.0, float(round(_BOX * n))) for n in shape)
    return height, width


def _centered(digit: NDArray, shape: tuple[int, int], centre: tuple[float, float]) -> NDArray:
    """Place the digit in an image with its centre of mass near `centre`, a row and a column."""
    total = digit.sum()
    places = []
    for axis, (length, side) in enumerate(zip(digit.shape, shape, strict=True)):
        found = (digit.sum(axis=1 - axis) * np.arange(length)).sum() / total
        start = min(max(int(np.floor(centre[axis] - found + 0.5)), 0), side - length)
        places.append(slice(start, start + length))
    image = np.zeros(shape)
    image[tuple(places)] = digit
    return image
