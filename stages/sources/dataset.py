"""The data set that all readers of local files return: images with labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn.checks.arrays import square
from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import echo


class Part(NamedTuple):
    """Images and labels that were stored together, such as a training set.

    Attributes:
        name: train, validation or test; empty if the data set is in one piece.
        where: Start of error messages: the file, or the array in it.
        images: (n, height, width), (n, height, width, 3) or (n, d) numbers.
        labels: (n,) numbers or text.
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
    """

    pixels: NDArray
    labels: NDArray
    image_shape: tuple[int, int] | None
    parts: dict[str, int]


def join(parts: Sequence[Part]) -> LabelledImages:
    """Concatenate the parts of a data set.

    Raises:
        StageError: If the arrays of a part are not images and labels, or the image shapes of two
            parts differ.
    """
    pixels, shapes = zip(*(_flat(part) for part in parts), strict=True)
    labels = [_labels(part) for part in parts]
    for part, rows, shape in zip(parts, pixels, shapes, strict=True):
        if (rows.shape[1], shape) != (pixels[0].shape[1], shapes[0]):
            raise StageError(
                f"{part.where}: expected images of shape {parts[0].images.shape[1:]}, as in "
                f"{parts[0].where}, got {part.images.shape[1:]}."
            )
    if len(parts) == 1:
        return LabelledImages(pixels[0], labels[0], shapes[0], {})
    sizes = {part.name: len(part.images) for part in parts}
    return LabelledImages(np.concatenate(pixels), np.concatenate(labels), shapes[0], sizes)


def _flat(part: Part) -> tuple[NDArray, tuple[int, int] | None]:
    """Pixels as (n, d), and the height and width of an image if known."""
    images, n = part.images, len(part.images) if part.images.ndim else 0
    if images.dtype.kind not in "buif":
        raise StageError(f"{part.where}: expected images of numbers, got type {images.dtype}.")
    if images.ndim == 4 and images.shape[3] == 3:
        echo(f"{part.where}: {n} colour images converted to greyscale.", err=True)
        images = _grey(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.size == 0 or images.ndim not in (2, 3):
        raise StageError(
            f"{part.where}: expected images of shape (n, height, width), (n, height, width, 1), "
            f"(n, height, width, 3) or (n, pixels), got {part.images.shape}."
        )
    if images.ndim == 2:
        return images, square(images.shape[1])
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


def _labels(part: Part) -> NDArray:
    """Labels as (n,), one per image."""
    labels = part.labels[:, 0] if part.labels.shape[1:] == (1,) else part.labels
    if labels.ndim != 1 or labels.dtype.kind not in "buifSU":
        raise StageError(
            f"{part.where}: expected labels of shape (n,), one class number or name per image, got "
            f"shape {part.labels.shape} and type {labels.dtype}; convert one-hot rows with argmax."
        )
    if len(labels) != len(part.images):
        raise StageError(
            f"{part.where}: expected one label per image, got {len(labels)} labels for "
            f"{len(part.images)} images."
        )
    return labels
