"""Folders of image files: what says the class of each file.

    digits/0/1.png  digits/1/0.png  …              sub-folders named after the classes; or parts:
    digits/train/0/1.png  …  digits/test/0/9.png   with such sub-folders in each
    digits/7_1.png  digits/0_2.png  …              file names that begin with the label
    digits/labels.csv  digits/images/1.png  …      a table with a column of file names and a label

Images are ordered by file name across all classes, with the numbers in a name compared as numbers
(9.png before 10.png).
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import listing
from stages.common.files.image_files import natural_order, read_grey
from stages.sources.dataset import LabelledImages
from stages.sources.file_tables import Files, from_table
from stages.sources.formats import kind_of
from stages.sources.framing import framed, read_image
from stages.sources.names import parse
from stages.sources.reading import require_room

_SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"}
# Files with these suffixes should be images; others need not be.
_SUFFIXES = re.compile(
    r"\.(png|jpe?g?|bmp|dib|gif|tiff?|webp|p[bgnp]m|heic|heif|avif|svg|pdf|e?ps)", re.IGNORECASE
)
_PARTS = ("train", "validation", "test")
# 7_0001.png, 7-12.png, 7 (3).png
_LABEL_FIRST = re.compile(r"([^\W_]+)[-_ .(].*\w")
# Images of each class that `preprocess` needs at least.
_EACH = 3


def from_image_folder(
    folder: Path, kinds: Mapping[str, str], label: str = "auto", size: int = 0
) -> LabelledImages | None:
    """Read all images of a folder in greyscale; None if it has none with classes.

    Args:
        folder: The folder.
        kinds: The kinds of its files, as `formats.kind_of` returns them.
        label: Of a table of file names: auto, first, last, or the name of the column of labels.
        size: Height and width to which images are brought; 0 if all have the same.

    Raises:
        StageError: If the classes of the images are unknown, a file in the folder of a class is
            not an image, or the images differ in size or type.
    """
    notes: list[str] = []
    folders = listed(folder, folders=True)
    shortest_last = sorted(folders, key=lambda name: (-len(parse(name).title), name))
    by_part = {parse(name).part: folder / name for name in shortest_last}
    parts: dict[str, Files] = {}
    if len(folders) > 1 and "train" in by_part and "" not in by_part and not _tables(kinds):
        for part in filter(by_part.get, _PARTS):
            place = by_part[part]
            if files := _files(place, _kinds(place), label, notes):
                parts[part] = files
            elif part == "train" and _holds_images(place):
                raise without_classes(place)
            elif _holds_images(place):
                notes.append(f"{place}: left out, because its images have no labels.")
    if not parts and (files := _files(folder, kinds, label, notes)):
        parts = {"": files}
    return _read_all(parts, folder, size, notes) if parts else None


def without_classes(folder: Path) -> StageError:
    """The error for images whose classes are unknown."""
    return StageError(
        f"{folder}: expected the class of each image, got none; put the images into one "
        "sub-folder per class, begin their names with the label (7_1.png), or add a table "
        "labels.csv with the columns file and label."
    )


def listed(folder: Path, *, folders: bool) -> list[str]:
    """Names of the sub-folders or of the files in a folder, without hidden and system files."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir() == folders
            and not entry.name.startswith(".")
            and entry.name.lower() not in _SYSTEM_FILES
        )


def _kinds(folder: Path) -> dict[str, str]:
    return {
        name: kind_of(folder / name)
        for name in listed(folder, folders=False)
        if (folder / name).is_file()
    }


def _tables(kinds: Mapping[str, str]) -> list[str]:
    return [name for name, kind in kinds.items() if kind == "table"]


def _holds_images(folder: Path) -> bool:
    """Whether one of the first files of a folder, or of one below it, is an image."""
    for place, _, files in os.walk(folder):
        for name in files[:5]:
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and kind_of(path) == "image":
                return True
    return False


def _files(folder: Path, kinds: Mapping[str, str], label: str, notes: list[str]) -> Files | None:
    """Paths of the images in order, each with its class; None if there are none with classes."""
    for name in _tables(kinds):
        if files := from_table(folder / name, label, notes):
            return files
    if files := _label_first(folder, kinds):
        notes.append(f"{folder}: labels from the beginnings of the file names.")
        return files
    classes = listed(folder, folders=True)
    if len(classes) == 1 and "image" not in kinds.values():
        below = folder / classes[0]
        return _files(below, _kinds(below), label, notes)
    direct = [name for name in classes if "image" in _kinds_of_some(folder / name)]
    if not direct:
        return None
    if kinds:
        notes.append(
            f"{folder}: ignored {listing(list(kinds), 3)}; images "
            "must be in the folder of their class."
        )
    notes.append(f"{folder}: classes from the names of folders.")
    return _by_folder(folder, classes, notes)


def _kinds_of_some(folder: Path) -> set[str]:
    paths = (folder / name for name in listed(folder, folders=False)[:5])
    return {kind_of(path) for path in paths if path.is_file()}


def _label_first(folder: Path, kinds: Mapping[str, str]) -> Files | None:
    """Images whose names begin with the label, such as 7_0001.png."""
    names = [name for name, kind in kinds.items() if kind == "image"]
    matches = [_LABEL_FIRST.fullmatch(name) for name in names]
    labels = [match[1] for match in matches if match]
    n_classes = len(set(labels))
    if len(labels) < len(names) or not 2 <= n_classes <= len(labels) / _EACH:
        return None
    pairs = sorted(zip(names, labels, strict=True), key=lambda pair: natural_order(pair[0]))
    return [(folder / name, label) for name, label in pairs]


def _by_folder(folder: Path, classes: Sequence[str], notes: list[str]) -> Files:
    """Paths of the images in the folders of their classes, in order, each with its class."""
    found, left = [], []
    for name in classes:
        place = folder / name
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise StageError(
                f"{folder}: expected UTF-8 as the names of folders, got {name!r}; rename it."
            ) from error
        deeper = listed(place, folders=True)
        if deeper:
            raise StageError(
                f"{place / deeper[0]}: expected only images in the folder of class {name!r}, got a "
                "folder; move it elsewhere."
            )
        entries = listed(place, folders=False)
        files = [file for file in entries if _should_be_image(place / file)]
        left += [f"{name}/{file}" for file in entries if file not in set(files)]
        if not files:
            raise StageError(
                f"{place}: expected images of this class, got none; add some, or remove it."
            )
        found += [(natural_order(file), name, file) for file in files]
    if left:
        notes.append(f"{folder}: left out {listing(left, 4)} ({len(left)}), which are no images.")
    return [(folder / name / file, name) for _, name, file in sorted(found)]


def _should_be_image(path: Path) -> bool:
    """Whether a file has the suffix or the content of an image, and not those of a note or list."""
    return bool(_SUFFIXES.fullmatch(path.suffix)) or not path.is_file() or kind_of(path) == "image"


def _read_all(
    parts: Mapping[str, Files], folder: Path, size: int, notes: list[str]
) -> LabelledImages:
    """Read images of equal type, and of equal size unless they are brought to one."""
    files = [file for some in parts.values() for file in some]
    labels = np.array([label for _, label in files])
    part_of = np.repeat(list(parts), [len(some) for some in parts.values()])
    if size:
        require_room(len(files) * size * size, str(folder))
        images, kept, note = framed([path for path, _ in files], size, folder)
        rows, notes = images.reshape(len(files), size * size)[kept], [*notes, note]
        return LabelledImages(rows, labels[kept], (size, size), _sizes(part_of[kept]), tuple(notes))
    first, _ = read_image(files[0][0], read_grey)
    require_room(len(files) * first.nbytes, str(folder))
    pixels = np.empty((len(files), first.size), first.dtype)
    coloured = 0
    for row, (path, _) in enumerate(tqdm(files, desc="reading", unit=" images", disable=None)):
        image, is_coloured = read_image(path, read_grey)
        if (image.shape, image.dtype) != (first.shape, first.dtype):
            advice = "set fetch.size to the side to which all are brought, such as 28"
            if image.shape == first.shape:
                advice = "convert all images to one depth, with Pillow or ImageMagick"
            raise StageError(
                f"{path}: expected {_format(first)}, as in {files[0][0]}, got {_format(image)}; "
                f"{advice}."
            )
        pixels[row] = image.ravel()
        coloured += is_coloured
    if coloured:
        notes.append(f"{folder}: {coloured} colour images converted to greyscale.")
    height, width = first.shape
    return LabelledImages(pixels, labels, (height, width), _sizes(part_of), tuple(notes))


def _sizes(part_of: NDArray) -> dict[str, int]:
    """Number of images of each part, if there are several."""
    found = {str(name): int((part_of == name).sum()) for name in dict.fromkeys(part_of.tolist())}
    return found if len(found) > 1 else {}


def _format(image: NDArray) -> str:
    height, width = image.shape
    return f"{width}×{height} pixels of type {image.dtype}"
