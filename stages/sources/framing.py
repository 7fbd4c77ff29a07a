"""Images of different sizes, brought to one size as `predict` does with new pictures.

Drawings and scans of single characters are cropped to their ink, scaled into a box of 20/28 of the
image, and placed with their centre of mass in the middle, bright on dark, as in MNIST. `preprocess`
measures this framing, so `predict` applies it to a new scan. Photographs and crops of them have no
ink; they are resized as a whole, and so are new ones.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import listing
from stages.common.files.image_files import UnreadableError

Read = TypeVar("Read")

# Number of images that show whether all are drawings, and the least part of them that have ink.
_SAMPLES, _WITH_INK = 200, 0.9


def framed(paths: Sequence[Path], size: int, folder: Path) -> tuple[NDArray, NDArray, str]:
    """Read images and bring them to one size.

    Args:
        paths: The files.
        size: Height and width of the result in pixels.
        folder: The folder of all, for the line.

    Returns:
        (n, size, size) uint8; (n,) bool, False for drawings without ink, which `predict` refuses;
        and a line that says what was done.

    Raises:
        StageError: If a file is not an image.
    """
    # Imported here: SciPy's filters take a moment to import, and `--help` should be fast.
    from stages.common.photographs.files import read_picture
    from stages.common.photographs.image_preparation import resized

    shape = (size, size)
    are_drawings = _are_drawings(paths[:: max(1, len(paths) // _SAMPLES)], shape)
    images, n_parts = np.zeros((len(paths), *shape), np.uint8), np.ones(len(paths), int)
    for row, path in enumerate(tqdm(paths, desc="reading", unit=" images", disable=None)):
        picture = read_image(path, read_picture)
        if are_drawings:
            image, n_parts[row] = _drawing(picture, shape)
        else:
            image = resized(picture, shape)
        # First to a grid, because sums differ in the last bits between processors.
        images[row] = np.rint(np.round(255.0 * image.astype(np.float64), 4))
    if not are_drawings:
        note = f"{folder}: {len(paths)} images resized to {size}×{size} as a whole."
        return images, n_parts > 0, note
    note = (
        f"{folder}: {(n_parts > 0).sum()} drawings cropped to their ink, scaled into {size}×{size}"
    )
    if blank := [path for path, n in zip(paths, n_parts, strict=True) if n == 0]:
        listed = listing([str(path.relative_to(folder)) for path in blank], 4)
        note += f"; left out {len(blank)} without ink: {listed}"
    if several := (n_parts > 1).sum():
        note += f"; {several} have separate parts, which predict reads as several digits"
    return images, n_parts > 0, f"{note}."


def _are_drawings(paths: Sequence[Path], shape: tuple[int, int]) -> bool:
    from stages.common.photographs.files import read_picture
    from stages.common.photographs.framing import framing_of

    found = [_drawing(read_image(path, read_picture), shape) for path in paths]
    with_ink = [image.reshape(-1) for image, n_parts in found if n_parts]
    if len(with_ink) < _WITH_INK * len(found):
        return False
    # As `preprocess` measures it, and as `predict` will do with new pictures.
    return framing_of(np.stack(with_ink), shape).drawings


def _drawing(picture: NDArray, shape: tuple[int, int]) -> tuple[NDArray, int]:
    """The framed ink of a picture, as `predict` takes it, and its number of separate parts."""
    from stages.common.photographs.image_preparation import prepare_image
    from stages.common.photographs.ink import BlankImageError
    from stages.common.photographs.segmentation import find_digits

    try:
        digits = find_digits(picture, shape)
        image = digits[0].image if len(digits) == 1 else prepare_image(picture, shape)
    except BlankImageError:
        return np.zeros(shape, np.float32), 0
    return image, len(digits)


def read_image(path: Path, read: Callable[[bytes], Read]) -> Read:
    """Read an image file with `read_grey` or `read_picture`; errors name it."""
    if not path.is_file():  # reading a FIFO would wait for a writer
        raise StageError(f"{path}: expected an image, got a special file; move it elsewhere.")
    try:
        return read(path.read_bytes())
    except UnreadableError as error:
        raise StageError(f"{path}: {error}; replace the file, or move it elsewhere.") from error
