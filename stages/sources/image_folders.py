"""Folders of images with one sub-folder per class, named after the class.

    digits/0/1.png  digits/1/0.png  …              or, with separate parts,
    digits/train/0/1.png  …  digits/test/0/9.png  …

Images are ordered by file name across all classes, with the numbers in a name compared as numbers
(9.png before 10.png).
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import echo
from stages.common.files.image_files import UnreadableError, read_grey
from stages.sources.dataset import LabelledImages

# The parts of a split, in order, and the names that their folders may have.
_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}


def from_class_folders(folder: Path) -> LabelledImages | None:
    """Read all images below `folder` in greyscale; None if it has no sub-folders.

    Raises:
        StageError: If a file in the folder of a class is not an image, or the images differ in
            size or type.
    """
    classes = _listed(folder, folders=True)
    if not classes:
        return None
    parts = _parts(folder, classes)
    files: list[tuple[Path, str]] = []
    sizes = {}
    for name, place in parts.items():
        found = _files(place, _listed(place, folders=True))
        sizes[name] = len(found)
        files += found
    pixels, image_shape = _read_all([path for path, _ in files], folder)
    labels = np.array([name for _, name in files])
    return LabelledImages(pixels, labels, image_shape, sizes if len(parts) > 1 else {})


def _parts(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Map train, validation and test to their folders, or "" to `folder` if it is not split."""
    known = {
        part: folder / name
        for part, aliases in _PARTS.items()
        for name in names
        if name.lower() in aliases
    }
    # A folder without sub-folders is a class, even if it is called train or test.
    is_split = (
        "train" in known
        and len(known) == len(names)
        and all(_listed(place, folders=True) for place in known.values())
    )
    return known if is_split else {"": folder}


def _listed(folder: Path, *, folders: bool) -> list[str]:
    """Names of the sub-folders or of the files in a folder, without hidden and system files."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir() == folders
            and not entry.name.startswith(".")
            and entry.name.lower() not in _SYSTEM_FILES
        )


def _files(folder: Path, classes: Sequence[str]) -> list[tuple[Path, str]]:
    """Paths of the images in order, each with its class."""
    stray = _listed(folder, folders=False)
    if stray:
        echo(
            f"{folder}: ignored {', '.join(stray[:3])}{', …' if len(stray) > 3 else ''}; images "
            "must be in the folder of their class.",
            err=True,
        )
    found = []
    for name in classes:
        place = folder / name
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise StageError(
                f"{folder}: expected UTF-8 as the names of folders, got {name!r}; rename it."
            ) from error
        deeper = _listed(place, folders=True)
        if deeper:
            raise StageError(
                f"{place / deeper[0]}: expected only images in the folder of class {name!r}, got a "
                "folder; move it elsewhere."
            )
        files = _listed(place, folders=False)
        if not files:
            raise StageError(
                f"{place}: expected images of this class, got none; add some, or remove it."
            )
        found += [(_natural(file), name, file) for file in files]
    return [(folder / name / file, name) for _, name, file in sorted(found)]


def _natural(name: str) -> tuple[list, str]:
    """Sorting key that puts 9.png before 10.png."""
    # Every second piece is a number, so numbers are compared only with numbers.
    pieces: list = re.split(r"(\d+)", name, flags=re.ASCII)
    pieces[1::2] = map(int, pieces[1::2])
    return pieces, name


def _read_all(paths: Sequence[Path], folder: Path) -> tuple[NDArray, tuple[int, int]]:
    """Pixels, (n, d), of images of equal size and type, and their height and width."""
    first, _ = _read(paths[0])
    pixels = np.empty((len(paths), first.size), first.dtype)
    coloured = 0
    for row, path in enumerate(tqdm(paths, desc="reading", unit=" images", disable=None)):
        image, is_coloured = _read(path)
        if (image.shape, image.dtype) != (first.shape, first.dtype):
            raise StageError(
                f"{path}: expected {_format(first)}, as in {paths[0]}, got {_format(image)}; "
                "convert all images to one size and depth, with Pillow or ImageMagick."
            )
        pixels[row] = image.ravel()
        coloured += is_coloured
    if coloured:
        echo(f"{folder}: {coloured} colour images converted to greyscale.", err=True)
    height, width = first.shape
    return pixels, (height, width)


def _format(image: NDArray) -> str:
    height, width = image.shape
    return f"{width}×{height} pixels of type {image.dtype}"


def _read(path: Path) -> tuple[NDArray, bool]:
    if not path.is_file():  # reading a FIFO would wait for a writer
        raise StageError(f"{path}: expected an image, got a special file; move it elsewhere.")
    try:
        return read_grey(path.read_bytes())
    except UnreadableError as error:
        raise StageError(f"{path}: {error}; replace the file, or move it elsewhere.") from error
