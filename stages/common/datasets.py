"""Files of a raw and of a prepared data set.

data/raw/       images.npy   uint8 (n, d); float32 if the pixels are not integers from 0 to 255
                labels.npy   class index (n,)
                about.json   names of the classes in order; height and width of an image; number
                             of images of each part, if the source is split into parts
data/prepared/  PART_images.npy  float32 (n, d) in [0, 1]     PART: train, validation, test
                PART_labels.npy  float32 (n, classes), one-hot
                about.json       as above; the raw pixel values that were scaled to 0 and 1; whether
                                 the images were deslanted; their framing
"""

import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nn.checks.arrays import are_targets, require_values
from nn.images.framing import Framing
from nn.images.info import DatasetInfo
from nn.images.pixels import is_range
from stages.common.artifacts import Artifacts, invalid_artifact, read_array, read_json

PARTS = ("train", "validation", "test")
# Values of `fetch.source` that are not paths.
DOWNLOADS = ("auto", "openml", "mirror")


@dataclass(frozen=True)
class Raw:
    """A data set as written by `fetch`.

    Attributes:
        images: (n, d) uint8 or float32, memory-mapped when read.
        labels: (n,) index into `classes`.
        classes: Names of the classes.
        image_shape: Height and width of an image; None if unknown.
        parts: Number of images of each of `PARTS` that the source has, in this order; empty if it
            is in one piece.
    """

    images: NDArray
    labels: NDArray
    classes: list[str]
    image_shape: tuple[int, int] | None = None
    parts: dict[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the three files of `data/raw/`."""
        with Artifacts() as artifacts:
            artifacts.write_array(folder / "images.npy", self.images)
            artifacts.write_array(folder / "labels.npy", self.labels)
            value: dict = {"classes": self.classes, "image_shape": self.image_shape}
            if self.parts:
                value["parts"] = self.parts
            artifacts.write_json(folder / "about.json", value)

    @classmethod
    def read(cls, folder: Path) -> "Raw":
        """Open the files that `write` wrote; raises `StageError` if they are missing or invalid."""
        paths = [folder / name for name in ("images.npy", "labels.npy", "about.json")]
        images, labels = (read_array(path, "fetch") for path in paths[:2])
        value = read_json(paths[2], "fetch")
        try:
            classes, image_shape, parts = _classes(value), _image_shape(value), _parts(value)
        except (KeyError, TypeError, ValueError) as error:
            raise invalid_artifact(paths[2], "expected classes and image_shape", "fetch") from error
        require = partial(_require, "fetch")
        is_table = images.ndim == 2 and images.size > 0 and images.dtype in (np.uint8, np.float32)
        require(is_table, paths[0], f"uint8 or float32 (n, d), got {_type(images)}")
        fits = image_shape is None or math.prod(image_shape) == images.shape[1]
        require(fits, paths[2], f"an image_shape of {images.shape[1]} pixels, got {image_shape}")
        n = len(images)
        is_index = labels.shape == (n,) and np.issubdtype(labels.dtype, np.integer)
        require(is_index, paths[1], f"{n} class indexes, one per image, got {_type(labels)}")
        sizes = sum(parts.values())
        require(sizes in (0, n), paths[2], f"parts of {n} images, got {sizes}")
        in_range = labels.min() >= 0 and labels.max() < len(classes)
        require(in_range, paths[1], f"class indexes from 0 to {len(classes) - 1}, got others")
        return cls(images, labels, classes, image_shape, parts)


def write_info(info: DatasetInfo, artifacts: Artifacts, folder: Path) -> None:
    """Write `about.json` of a prepared data set."""
    value = {
        "classes": info.classes,
        "image_shape": info.image_shape,
        "pixel_range": info.pixel_range,
        "deslanted": info.deslanted,
        "framing": info.framing.numbers() if info.framing else None,
    }
    artifacts.write_json(folder / "about.json", value)


def read_info(folder: Path) -> DatasetInfo:
    """Read the file that `write_info` wrote; raises `StageError` if it is missing or invalid."""
    path = folder / "about.json"
    value = read_json(path, "preprocess")
    try:
        low, high = (float(number) for number in value["pixel_range"])
        if not is_range(low, high):
            raise ValueError("expected two different numbers")
        if not isinstance(value["deslanted"], bool):
            raise ValueError("expected true or false")
        shape, framing = _image_shape(value), value["framing"]
        if framing is not None:
            framing = Framing.of_numbers(framing, shape or (0, 0))
        classes = tuple(_classes(value))
        return DatasetInfo(classes, (low, high), shape, value["deslanted"], framing)
    except (KeyError, TypeError, ValueError) as error:
        fault = "expected classes, image_shape, pixel_range, deslanted and framing"
        raise invalid_artifact(path, fault, "preprocess") from error


def read_part(folder: Path, part: str, info: DatasetInfo) -> tuple[NDArray, NDArray]:
    """Open the images and one-hot labels of one part of the split, memory-mapped.

    Args:
        folder: Folder that `preprocess` wrote.
        part: One of `PARTS`.
        info: Description of the data set.

    Returns:
        Images, float32 (n, d), and labels, float32 (n, classes).

    Raises:
        StageError: If a file is missing, truncated, or not as `preprocess` writes it.
    """
    paths = folder / f"{part}_images.npy", folder / f"{part}_labels.npy"
    images, labels = (read_array(path, "preprocess") for path in paths)
    require = partial(_require, "preprocess")
    is_table = images.ndim == 2 and images.size > 0 and images.dtype == np.float32
    require(is_table, paths[0], f"float32 (n, d), got {_type(images)}")
    d, shape = images.shape[1], info.image_shape
    fits = shape is None or math.prod(shape) == d
    require(fits, folder / "about.json", f"an image_shape of {d} pixels, got {shape}")
    expected = len(images), len(info.classes)
    is_table = labels.shape == expected and labels.dtype == np.float32
    require(is_table, paths[1], f"float32 {expected}, got {_type(labels)}")
    try:
        require_values("pixels", images, 0.0, 1.0)
    except ValueError as error:
        fault = "expected values from 0 to 1, got others"
        raise invalid_artifact(paths[0], fault, "preprocess") from error
    ones = np.count_nonzero(labels == 1)
    is_one_hot = are_targets(labels) and ones == np.count_nonzero(labels) == len(labels)
    require(is_one_hot, paths[1], "one-hot rows, got others")
    return images, labels


def _require(made_by: str, condition: bool, path: Path, expected: str) -> None:
    if not condition:
        raise invalid_artifact(path, f"expected {expected}", made_by)


def _type(array: NDArray) -> str:
    return f"{array.dtype} {array.shape}"


def _classes(value: dict) -> list[str]:
    names = value["classes"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("expected a list of names")
    if not 2 <= len(names) == len(set(names)):
        raise ValueError("expected two or more different names")
    return names


def _parts(value: dict) -> dict[str, int]:
    parts = value.get("parts", {})
    if list(parts) != [part for part in PARTS if part in parts]:
        raise ValueError("expected numbers of images by part")
    if not all(type(size) is int and size > 0 for size in parts.values()):
        raise ValueError("expected positive numbers of images")
    return parts


def _image_shape(value: dict) -> tuple[int, int] | None:
    if value["image_shape"] is None:
        return None
    height, width = value["image_shape"]
    if not all(type(number) is int and number > 0 for number in (height, width)):
        raise ValueError("expected two positive integers")
    return height, width
