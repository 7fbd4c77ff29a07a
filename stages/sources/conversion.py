"""Conversion of pixels and labels of any type to the arrays of `data/raw/`."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import ParameterError
from stages.common.command_line.terminal import listing
from stages.common.files.raw_data import Raw

MAX_CLASSES = 1_000


# 7.0 and 7. are the label 7.
_FLOAT = re.compile(r"[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def to_raw(
    pixels: NDArray,
    labels: NDArray,
    image_shape: tuple[int, int] | None,
    where: str,
    names: Mapping[str, str] | str = "auto",
) -> Raw:
    """Convert a data set; the arguments are those of `to_pixels` and `to_class_indexes`."""
    indexes, classes = to_class_indexes(labels, where, names)
    return Raw(to_pixels(pixels, where), indexes, classes, image_shape)


def transposed(
    pixels: NDArray, image_shape: tuple[int, int] | None, where: str
) -> tuple[NDArray, tuple[int, int]]:
    """Exchange rows and columns of images that are stored column by column.

    Args:
        pixels: (n, d) numbers.
        image_shape: Height and width of an image, as stored.
        where: Start of error messages.

    Returns:
        Pixels, (n, d), and the new height and width.

    Raises:
        ParameterError: If the height and width are unknown.
    """
    if image_shape is None:
        raise ParameterError(
            f"fetch.transpose: expected auto or never, because height and width of the images of "
            f"{where} are unknown, got always."
        )
    height, width = image_shape
    images = pixels.reshape(len(pixels), height, width).transpose(0, 2, 1)
    return images.reshape(pixels.shape), (width, height)


def to_pixels(values: NDArray, where: str) -> NDArray:
    """Convert pixels to C-ordered uint8 if all are integers from 0 to 255, else to float32.

    Args:
        values: (n, d) numbers, dense or sparse.
        where: Start of error messages: the parameter and the data set.

    Returns:
        Array of shape (n, d).

    Raises:
        ParameterError: If the array is empty, or a value is not finite in float32.
    """
    if values.ndim != 2 or 0 in values.shape:
        raise ParameterError(
            f"{where}: expected pixels of shape (n, d), got {values.shape}; choose "
            "another data set."
        )
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    dense = values.toarray() if hasattr(values, "toarray") else values  # OpenML's sparse format
    with np.errstate(over="ignore", invalid="ignore"):
        pixels, as_bytes = (np.ascontiguousarray(dense, dtype=t) for t in (np.float32, np.uint8))
    if not np.isfinite(pixels).all():
        raise ParameterError(
            f"{where}: expected finite numbers as pixels, got missing, infinite or too large "
            "values; choose another data set."
        )
    return as_bytes if np.array_equal(as_bytes, dense) else pixels


def to_class_indexes(
    labels: NDArray, where: str, names: Mapping[str, str] | str = "auto"
) -> tuple[NDArray, list[str]]:
    """Convert labels to class indexes.

    Args:
        labels: (n,) numbers or text.
        where: Start of error messages: the parameter and the data set.
        names: Names of the classes by their labels; or in the order of the labels, separated by
            commas (`fetch.classes`); auto for the labels themselves.

    Returns:
        Class indexes, (n,) of the smallest unsigned type, and the names of the classes: those that
        are numbers in numerical order, then the others in alphabetical order, or, with `names`,
        in the order of the labels.

    Raises:
        ParameterError: If a label is missing or a fraction, there are fewer than 2 or more than
            `MAX_CLASSES` classes, or not as many names.
    """
    texts = np.array([_label_text(label, where) for label in labels.tolist()])
    found, indexes = np.unique(texts, return_inverse=True)
    distinct = [str(text) for text in found]
    if not 2 <= len(distinct) <= MAX_CLASSES:
        raise ParameterError(
            f"{where}: expected 2 to {MAX_CLASSES} different labels, got {len(distinct)}; choose a "
            "classification data set."
        )
    order = sorted(distinct, key=_sorting_key)
    named = _named(order, names)
    classes = list(dict.fromkeys(named.values()))  # two labels may have one name
    if all(_sorting_key(name)[0] is False for name in classes):
        classes.sort(key=_sorting_key)
    if len(classes) < 2:
        raise ParameterError(f"fetch.classes: expected two or more names, got only {classes[0]!r}.")
    rank = np.array([classes.index(named[text]) for text in distinct])
    return rank.astype(np.min_scalar_type(len(classes) - 1))[indexes], classes


def _named(labels: list[str], names: Mapping[str, str] | str) -> dict[str, str]:
    """The name of each label."""
    if not isinstance(names, str):
        return {label: names.get(label, label) for label in labels}
    if names == "auto":
        return {label: label for label in labels}
    parts = [name.strip() for name in names.split(",")]
    if len(parts) != len(labels) or not all(parts):
        raise ParameterError(
            f"fetch.classes: expected {len(labels)} names separated by commas, for the labels "
            f"{listing(labels, 12)}, got {len(parts)} in "
            f"{names[:60]!r}."
        )
    return dict(zip(labels, parts, strict=True))


def _label_text(label: object, where: str) -> str:
    if isinstance(label, bytes):
        label = label.decode(errors="backslashreplace")
    if isinstance(label, str) and _FLOAT.fullmatch(label):
        label = float(label)
    if label is None or (isinstance(label, float) and not math.isfinite(label)):
        raise ParameterError(
            f"{where}: expected one class label per row, got rows without a label; remove them."
        )
    if isinstance(label, float):
        if not label.is_integer():
            raise ParameterError(
                f"{where}: expected class labels, got numbers such as {label}; choose a "
                "classification data set."
            )
        return str(int(label))
    return str(label)


def _sorting_key(text: str) -> tuple[bool, float, str]:
    with suppress(ValueError):
        number = float(text)
        if math.isfinite(number):  # classes can have the names "nan" and "inf"
            return (False, number, text)
    return (True, 0.0, text)
