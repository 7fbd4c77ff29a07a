"""Conversion of pixels and labels of any type to the arrays of `data/raw/`."""

import math
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import ParameterError
from stages.common.files.raw_data import Raw

MAX_CLASSES = 1_000


def to_raw(
    pixels: NDArray, labels: NDArray, image_shape: tuple[int, int] | None, where: str
) -> Raw:
    """Convert a data set; the arguments are those of `to_pixels` and `to_class_indexes`."""
    indexes, classes = to_class_indexes(labels, where)
    return Raw(to_pixels(pixels, where), indexes, classes, image_shape)


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


def to_class_indexes(labels: NDArray, where: str) -> tuple[NDArray, list[str]]:
    """Convert labels to class indexes.

    Args:
        labels: (n,) numbers or text.
        where: Start of error messages: the parameter and the data set.

    Returns:
        Class indexes, (n,) of the smallest unsigned type, and the names of the classes: those that
        are numbers in numerical order, then the others in alphabetical order.

    Raises:
        ParameterError: If a label is missing or a fraction, or there are fewer than 2 or more than
            `MAX_CLASSES` classes.
    """
    texts = np.array([_label_text(label, where) for label in labels.tolist()])
    distinct, indexes = np.unique(texts, return_inverse=True)
    if not 2 <= len(distinct) <= MAX_CLASSES:
        raise ParameterError(
            f"{where}: expected 2 to {MAX_CLASSES} different labels, got {len(distinct)}; choose a "
            "classification data set."
        )
    order = sorted(range(len(distinct)), key=lambda k: _sorting_key(str(distinct[k])))
    rank = np.empty(len(order), np.min_scalar_type(len(order) - 1))
    rank[order] = np.arange(len(order))
    return rank[indexes], [str(distinct[k]) for k in order]


def _label_text(label: object, where: str) -> str:
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
    return label.decode(errors="backslashreplace") if isinstance(label, bytes) else str(label)


def _sorting_key(text: str) -> tuple[bool, float, str]:
    with suppress(ValueError):
        number = float(text)
        if math.isfinite(number):  # classes can have the names "nan" and "inf"
            return (False, number, text)
    return (True, 0.0, text)
