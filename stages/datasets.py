"""What a raw and a prepared data set consist of, on disk.

data/raw/       images.npy   uint8 (n, d); float32 if the pixels are no bytes
                labels.npy   class index (n,)
                about.json   class names in order, and height and width of an image
data/prepared/  PART_images.npy  float32 (n, d) in [0, 1]     PART: train, validation, test
                PART_labels.npy  float32 (n, classes), one-hot
                about.json       the same, and the raw pixel values that became 0 and 1
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.files import Artifacts, read_array, read_json, refuse

PARTS = ("train", "validation", "test")
# What `fetch.source` may say instead of a path.
DOWNLOADS = ("auto", "openml", "mirror")
_ROWS_AT_ONCE = 4_096


@dataclass(frozen=True)
class Raw:
    """A data set as `fetch` left it.

    Attributes:
        images: (n, d) uint8 or float32, memory-mapped when read.
        labels: (n,) index into `classes`.
        classes: Names of the classes.
        image_shape: Height and width of an image; None if that is not known.
    """

    images: NDArray
    labels: NDArray
    classes: list[str]
    image_shape: tuple[int, int] | None = None

    def write(self, folder: Path) -> None:
        """Write the three files of `data/raw/`."""
        with Artifacts() as artifacts:
            artifacts.write_array(folder / "images.npy", self.images)
            artifacts.write_array(folder / "labels.npy", self.labels)
            value = {"classes": self.classes, "image_shape": self.image_shape}
            artifacts.write_json(folder / "about.json", value)

    @classmethod
    def read(cls, folder: Path) -> "Raw":
        """Open what `write` wrote; raises `Refusal` if it is not whole."""
        images_path, labels_path = folder / "images.npy", folder / "labels.npy"
        images = read_array(images_path, "fetch")
        labels = read_array(labels_path, "fetch")
        value = read_json(folder / "about.json", "fetch")
        try:
            classes, image_shape = _names(value), _image_shape(value)
        except (KeyError, TypeError, ValueError) as error:
            fault = "it has no class names and image_shape"
            raise refuse(folder / "about.json", fault, "fetch") from error
        if images.ndim != 2 or images.size == 0 or images.dtype not in (np.uint8, np.float32):
            raise refuse(images_path, "it is no uint8 or float32 array of shape (n, d)", "fetch")
        if image_shape is not None and math.prod(image_shape) != images.shape[1]:
            fault = f"its image_shape {image_shape} is not that of {images.shape[1]} pixels"
            raise refuse(folder / "about.json", fault, "fetch")
        if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
            fault = f"it is no array of {len(images)} class indexes, one an image"
            raise refuse(labels_path, fault, "fetch")
        if labels.min() < 0 or labels.max() >= len(classes):
            fault = f"it has class indexes beyond the {len(classes)} classes of about.json"
            raise refuse(labels_path, fault, "fetch")
        return cls(images, labels, classes, image_shape)


@dataclass(frozen=True)
class About:
    """What is known of a prepared data set beside its numbers.

    Attributes:
        classes: Names of the classes, in the order of the one-hot columns.
        pixel_range: The raw pixel values that became 0 and 1.
        image_shape: Height and width of an image; None if that is not known.
    """

    classes: list[str]
    pixel_range: tuple[float, float]
    image_shape: tuple[int, int] | None = None

    def write(self, artifacts: Artifacts, folder: Path) -> None:
        """Write `about.json`."""
        value = {
            "classes": self.classes,
            "image_shape": self.image_shape,
            "pixel_range": self.pixel_range,
        }
        artifacts.write_json(folder / "about.json", value)

    @classmethod
    def read(cls, folder: Path) -> "About":
        """Read what `write` wrote; raises `Refusal` if it is something else."""
        path = folder / "about.json"
        value = read_json(path, "preprocess")
        try:
            low, high = (float(number) for number in value["pixel_range"])
            if low == high or not math.isfinite(low - high):
                raise ValueError("no range")
            return cls(_names(value), (low, high), _image_shape(value))
        except (KeyError, TypeError, ValueError) as error:
            fault = "it has no class names, image_shape and pixel_range"
            raise refuse(path, fault, "preprocess") from error


def read_part(folder: Path, part: str, about: About) -> tuple[NDArray, NDArray]:
    """Images and one-hot labels of one part of the split, memory-mapped.

    Raises:
        Refusal: If a file is missing, truncated, or holds something else than `preprocess` writes.
    """
    images_path, labels_path = folder / f"{part}_images.npy", folder / f"{part}_labels.npy"
    images = read_array(images_path, "preprocess")
    labels = read_array(labels_path, "preprocess")
    if images.ndim != 2 or images.size == 0 or images.dtype != np.float32:
        raise refuse(images_path, "it is no float32 array of shape (n, d)", "preprocess")
    if about.image_shape is not None and math.prod(about.image_shape) != images.shape[1]:
        fault = f"its image_shape {about.image_shape} is not that of {images.shape[1]} pixels"
        raise refuse(folder / "about.json", fault, "preprocess")
    if labels.shape != (len(images), len(about.classes)) or labels.dtype != np.float32:
        fault = f"it is no float32 array of shape ({len(images)}, {len(about.classes)})"
        raise refuse(labels_path, fault, "preprocess")
    for start in range(0, len(images), _ROWS_AT_ONCE):
        rows = images[start : start + _ROWS_AT_ONCE]
        # Written so that nan fails too.
        if not (rows.min() >= 0 and rows.max() <= 1):
            raise refuse(images_path, "it has values outside [0, 1]", "preprocess")
    if not (np.count_nonzero(labels == 1) == np.count_nonzero(labels) == len(labels)):
        raise refuse(labels_path, "its rows are not one-hot", "preprocess")
    return images, labels


def _names(value: dict) -> list[str]:
    names = value["classes"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("no list of names")
    return names


def _image_shape(value: dict) -> tuple[int, int] | None:
    if value["image_shape"] is None:
        return None
    height, width = (int(number) for number in value["image_shape"])
    return height, width
