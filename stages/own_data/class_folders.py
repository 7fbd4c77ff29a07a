"""A folder of images with a sub-folder per class, whose name is the class.

    digits/0/1.png  digits/1/0.png  …              or, with the parts apart,
    digits/train/0/1.png  …  digits/test/0/9.png  …

Images come in the order of their file names, numbers in them counted as numbers, whatever their
class: files numbered throughout come back in the order in which they were written.
"""

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.cli import Refusal
from stages.own_data.labelled import Labelled
from stages.photographs import FORMATS

if TYPE_CHECKING:
    from PIL.Image import Image

_PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_ORDER = ("train", "validation", "test")
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}
_DEEP = {"I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "I": np.int32, "F": np.float32}


def from_class_folders(folder: Path) -> Labelled | None:
    """All images below `folder`, grey; None if it has no sub-folders.

    Colours become luma, transparent pixels white; 16-bit pixels stay what they are.

    Raises:
        Refusal: If a file in a class's folder is no image, or the images differ in size.
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
    return Labelled(pixels, labels, image_shape, sizes if len(parts) > 1 else {})


def _parts(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """train, validation and test → their folders, in this order; "" → `folder` if it has none."""
    known = {_PARTS.get(name.lower(), ""): folder / name for name in names}
    # Somebody may tell trains from tests: what holds no folders is a class.
    is_split = (
        "train" in known
        and "" not in known
        and len(known) == len(names)
        and all(_listed(place, folders=True) for place in known.values())
    )
    return {part: known[part] for part in _ORDER if part in known} if is_split else {"": folder}


def _listed(folder: Path, *, folders: bool) -> list[str]:
    """Names of the folders in a folder, or of what else is in it; hidden ones do not count."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir() == folders
            and not entry.name.startswith(".")
            and entry.name.lower() not in _SYSTEM_FILES
        )


def _files(folder: Path, classes: Sequence[str]) -> list[tuple[Path, str]]:
    """Image files and their classes, in order."""
    stray = _listed(folder, folders=False)
    if stray:
        click.echo(
            f"{folder}: passing over {', '.join(stray[:3])}{', …' if len(stray) > 3 else ''}; "
            "images belong into the folder of their class.",
            err=True,
        )
    found = []
    for name in classes:
        place = folder / name
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise Refusal(f"{folder}: the folder {name!r} has a name that is not UTF-8.") from error
        deeper = _listed(place, folders=True)
        if deeper:
            raise Refusal(
                f"{place / deeper[0]}: it is a folder in the folder of the class {name!r}, where "
                "only images belong."
            )
        files = _listed(place, folders=False)
        if not files:
            raise Refusal(f"{place}: there is no image of this class; add some, or remove it.")
        found += [(_natural(file), name, file) for file in files]
    return [(folder / name / file, name) for _, name, file in sorted(found)]


def _natural(name: str) -> tuple[list, str]:
    """A sorting key by which 9.png comes before 10.png."""
    # Every second piece is a number, so text is never compared with one.
    pieces: list = re.split(r"(\d+)", name, flags=re.ASCII)
    pieces[1::2] = map(int, pieces[1::2])
    return pieces, name


def _read_all(paths: Sequence[Path], folder: Path) -> tuple[NDArray, tuple[int, int]]:
    """(n, d) pixels of the images, which must be alike in size and depth; and height and width."""
    first, _ = _read(paths[0])
    pixels = np.empty((len(paths), first.size), first.dtype)
    coloured = 0
    for row, path in enumerate(tqdm(paths, desc="reading", unit=" images", disable=None)):
        image, is_coloured = _read(path)
        if image.shape != first.shape:
            raise Refusal(
                f"{path}: it is {_size(image)} pixels, and {paths[0]} is {_size(first)}; bring all "
                "images to one size first (width × height), with Pillow or ImageMagick."
            )
        if image.dtype != first.dtype:
            raise Refusal(
                f"{path}: its pixels are {image.dtype}, and those of {paths[0]} {first.dtype}; "
                "bring all images to one depth first, with Pillow or ImageMagick."
            )
        pixels[row] = image.ravel()
        coloured += is_coloured
    if coloured:
        click.echo(f"{folder}: {coloured} images in colour became grey.", err=True)
    height, width = first.shape
    return pixels, (height, width)


def _size(image: NDArray) -> str:
    height, width = image.shape
    return f"{width}×{height}"


def _read(path: Path) -> tuple[NDArray, bool]:
    """(height, width) grey pixels, upright; and whether the image was stored in colour."""
    # Imported here: it takes a moment, and `--help` should not.
    from PIL import Image, ImageOps, UnidentifiedImageError

    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged details that are not pixels
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=FORMATS) as image:
                # A phone's JPEG may have a second one inside, a preview or a depth map.
                if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                    raise Refusal(f"{path}: it has several pictures in it; right would be one.")
                return _grey(ImageOps.exif_transpose(image))
        except UnidentifiedImageError as error:
            raise Refusal(
                f"{path}: it is no image ({', '.join(FORMATS)}); move it out of this folder."
            ) from error
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Refusal(f"{path}: it is too large for a network's input.") from error
        except (Refusal, MemoryError):
            raise
        except Exception as error:  # Pillow's decoders raise whatever they stumble over
            if getattr(error, "errno", None):  # the disk's fault
                raise
            raise Refusal(
                f"{path}: the image is damaged ({error}); replace it, or move it elsewhere."
            ) from error


def _grey(image: "Image") -> tuple[NDArray, bool]:
    from PIL import Image

    if image.mode in _DEEP:
        return np.asarray(image).astype(_DEEP[image.mode]), False
    is_coloured = image.mode not in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    if image.mode not in ("1", "L"):
        image = image.convert("RGB").convert("L")
    return np.asarray(image.convert("L")), is_coloured
