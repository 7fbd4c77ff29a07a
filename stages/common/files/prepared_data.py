"""Files of a prepared data set, `data/prepared/`.

PART_images.npy  float32 (n, d) in [0, 1]     PART: train, validation, test
PART_labels.npy  float32 (n, classes), one-hot
about.json       names of the classes in order; height and width of an image; the raw pixel values
                 that were scaled to 0 and 1; whether the images were deslanted; their framing
"""

import math
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nn.checks.arrays import are_targets, require_values
from nn.images.framing import Framing
from nn.images.info import DatasetInfo
from nn.images.pixels import is_range
from stages.common.files.artifacts import Artifacts, invalid_artifact, read_array, read_json
from stages.common.files.checks import classes_of, image_shape_of, require, type_of

PARTS = ("train", "validation", "test")


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
        shape, framing = image_shape_of(value), value["framing"]
        if framing is not None:
            framing = Framing.of_numbers(framing, shape or (0, 0))
        classes = tuple(classes_of(value))
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
    is_table = images.ndim == 2 and images.size > 0 and images.dtype == np.float32
    check = partial(require, "preprocess")
    check(is_table, paths[0], f"float32 (n, d), got {type_of(images)}")
    d, shape = images.shape[1], info.image_shape
    fits = shape is None or math.prod(shape) == d
    check(fits, folder / "about.json", f"an image_shape of {d} pixels, got {shape}")
    expected = len(images), len(info.classes)
    is_table = labels.shape == expected and labels.dtype == np.float32
    check(is_table, paths[1], f"float32 {expected}, got {type_of(labels)}")
    try:
        require_values("pixels", images, 0.0, 1.0)
    except ValueError as error:
        fault = "expected values from 0 to 1, got others"
        raise invalid_artifact(paths[0], fault, "preprocess") from error
    ones = np.count_nonzero(labels == 1)
    is_one_hot = are_targets(labels) and ones == np.count_nonzero(labels) == len(labels)
    check(is_one_hot, paths[1], "one-hot rows, got others")
    return images, labels
