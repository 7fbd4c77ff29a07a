"""The data set that all readers of local files return: images with labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn.checks.arrays import square
from stages.common.command_line.errors import StageError


class Part(NamedTuple):
    """Images and labels that were stored together, such as a training set.

    Attributes:
        name: train, validation or test; empty if the data set is in one piece.
        where: Start of error messages: the file, or the array in it.
        images: n images of any usual shape; see `join`.
        labels: (n,) numbers or text, or one-hot rows.
    """

    name: str
    where: str
    images: NDArray
    labels: NDArray


@dataclass(frozen=True)
class LabelledImages:
    """A data set read from local files, in greyscale.

    Attributes:
        pixels: (n, d) numbers.
        labels: (n,) class labels, numbers or text.
        image_shape: Height and width of an image; None if unknown.
        parts: Number of images of each part (train, validation, test), in the order of the rows;
            empty if the data set is in one piece.
        notes: How the files were understood, a line each.
        names: Names of classes by their label, if the files have some.
        column_major: Whether the pixels are stored column by column, as in EMNIST.
    """

    pixels: NDArray
    labels: NDArray
    image_shape: tuple[int, int] | None
    parts: dict[str, int]
    notes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    column_major: bool = False


def join(parts: Sequence[Part]) -> LabelledImages:
    """Concatenate the parts of a data set.

    Images may be (n, d), (n, height, width), with one or three channels last or after n, or have
    n as their last axis, as MATLAB stores them. One-hot labels become the number of their column.

    Raises:
        StageError: If the arrays of a part are not images and labels, or the image shapes of two
            parts differ.
    """
    pixels: list[NDArray] = []
    shapes: list[tuple[int, int] | None] = []
    labels: list[NDArray] = []
    notes: list[str] = []
    for part in parts:
        n = _number(part)
        rows, shape = _flat(part, n, notes)
        pixels.append(rows)
        shapes.append(shape)
        labels.append(_labels(part, n, notes))
        if (rows.shape[1], shape) != (pixels[0].shape[1], shapes[0]):
            raise StageError(
                f"{part.where}: expected images of {_size(pixels[0], shapes[0])}, as in "
                f"{parts[0].where}, got {_size(rows, shape)}."
            )
    sizes: Counter[str] = Counter()
    for part, some in zip(parts, pixels, strict=True):
        sizes[part.name] += len(some)
    rows, texts = (
        each[0] if len(parts) == 1 else np.concatenate(each) for each in (pixels, labels)
    )
    return LabelledImages(
        rows, texts, shapes[0], dict(sizes) if len(sizes) > 1 else {}, tuple(notes)
    )


def _size(pixels: NDArray, shape: tuple[int, int] | None) -> str:
    return f"{shape[1]}×{shape[0]} pixels" if shape else f"{pixels.shape[1]} pixels"


def _number(part: Part) -> int:
    """Number of images: the first or the last axis of the images, and an axis of the labels."""
    images, labels = part.images, part.labels
    if images.dtype.kind not in "buif":
        raise StageError(f"{part.where}: expected images of numbers, got type {images.dtype}.")
    if images.size == 0 or images.ndim not in (2, 3, 4):
        raise _bad_shape(part)
    if labels.dtype.kind not in "buifSU" or labels.ndim not in (1, 2):
        raise _bad_labels(part)
    for n in (images.shape[0], images.shape[-1]):
        if n in labels.shape:
            return n
    raise StageError(
        f"{part.where}: expected one label per image, got {max(labels.shape)} labels for "
        f"{len(images)} images."
    )


def _bad_shape(part: Part) -> StageError:
    return StageError(
        f"{part.where}: expected images of shape (n, height, width), (n, height, width, 1 or 3), "
        f"(n, 1 or 3, height, width) or (n, pixels), or with n as the last axis, got "
        f"{part.images.shape}."
    )


def _bad_labels(part: Part) -> StageError:
    return StageError(
        f"{part.where}: expected labels of shape (n,), one class number or name per image, or "
        f"one-hot rows, got shape {part.labels.shape} and type {part.labels.dtype}."
    )


def _flat(part: Part, n: int, notes: list[str]) -> tuple[NDArray, tuple[int, int] | None]:
    """Pixels as (n, d), and the height and width of an image if known."""
    images = part.images
    if len(images) != n:
        images = np.moveaxis(images, -1, 0)
    if images.ndim == 2:
        return images, square(images.shape[1])
    if images.ndim == 4:
        if images.shape[3] not in (1, 3):
            images = np.moveaxis(images, 1, 3)
        if images.shape[3] == 3:
            notes.append(f"{part.where}: {n} colour images converted to greyscale.")
            images = _grey(images)
        elif images.shape[3] == 1:
            images = images[..., 0]
        else:
            raise _bad_shape(part)
    _, height, width = images.shape
    return images.reshape(n, height * width), (height, width)


def _grey(images: NDArray) -> NDArray:
    """Luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, with Pillow's rounding for integers."""
    # Image by image, because the sums need several times the memory of the images.
    return np.stack([_luma(image) for image in images])


def _luma(image: NDArray) -> NDArray:
    red, green, blue = np.moveaxis(image, 2, 0)
    # Elementwise operations, which are the same on every processor.
    if image.dtype.kind in "ui":
        r, g, b = np.array([19595, 38470, 7471], np.uint32)
        return ((r * red + g * green + b * blue + np.uint32(0x8000)) >> 16).astype(image.dtype)
    r, g, b = np.array([0.299, 0.587, 0.114])
    return (r * red + g * green + b * blue).astype(np.float32)


def _labels(part: Part, n: int, notes: list[str]) -> NDArray:
    """Labels as (n,), one per image."""
    labels = part.labels
    if labels.ndim == 1:
        return labels
    rows = labels if len(labels) == n else labels.T
    if rows.shape[1] == 1:
        return rows[:, 0]
    # One-hot, with 0 and 1 or with -1 and 1: each row has one maximum and is equal elsewhere.
    if rows.dtype.kind in "buif" and len(np.unique(rows)) == 2:
        maximum = rows == rows.max()
        if (maximum.sum(axis=1) == 1).all():
            notes.append(f"{part.where}: labels from one-hot rows of {rows.shape[1]} classes.")
            return maximum.argmax(axis=1)
    raise _bad_labels(part)
