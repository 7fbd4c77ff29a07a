"""Images with a label each, as all readers of local files hand them over: grey, one image a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from nn.pixels import square
from stages.cli import Refusal

_ROWS_AT_ONCE = 1_024


class Part(NamedTuple):
    """Images and labels that were stored together, such as a training set.

    Attributes:
        name: train, validation or test; empty if the data set is in one piece.
        where: The file, as messages name it.
        images: (n, height, width), (n, height, width, 3) or (n, d) numbers.
        labels: (n,) numbers or text.
    """

    name: str
    where: str
    images: NDArray
    labels: NDArray


@dataclass(frozen=True)
class Labelled:
    """A data set of local files.

    Attributes:
        pixels: (n, d) numbers.
        labels: (n,) class labels of any kind.
        image_shape: Height and width of an image; None if that is not known.
        parts: How many images came from the training, validation and test set, in this order;
            empty if the data set is in one piece.
    """

    pixels: NDArray
    labels: NDArray
    image_shape: tuple[int, int] | None
    parts: dict[str, int]


def join(parts: Sequence[Part]) -> Labelled:
    """Put the parts of a data set one after the other.

    Raises:
        Refusal: If the arrays of a part are no images and labels, or the parts do not fit together.
    """
    pixels, shapes = zip(*(_flat(part) for part in parts), strict=True)
    labels = [_one_each(part) for part in parts]
    for part, rows, shape in zip(parts, pixels, shapes, strict=True):
        if (rows.shape[1], shape) != (pixels[0].shape[1], shapes[0]):
            raise Refusal(
                f"{part.where}: its images have shape {part.images.shape[1:]}, and those of "
                f"{parts[0].where} {parts[0].images.shape[1:]}; all must have the same."
            )
    if len(parts) == 1:
        return Labelled(pixels[0], labels[0], shapes[0], {})
    sizes = {part.name: len(part.images) for part in parts}
    return Labelled(np.concatenate(pixels), np.concatenate(labels), shapes[0], sizes)


def _flat(part: Part) -> tuple[NDArray, tuple[int, int] | None]:
    """(n, d) pixels, and the height and width of an image as far as the array tells."""
    images, n = part.images, len(part.images) if part.images.ndim else 0
    if images.dtype.kind not in "buif":
        raise Refusal(f"{part.where}: its images are no numbers, but {images.dtype}.")
    if images.ndim == 4 and images.shape[3] == 3:
        click.echo(f"{part.where}: {n} images in colour became grey.", err=True)
        images = _grey(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.size == 0 or images.ndim not in (2, 3):
        raise Refusal(
            f"{part.where}: its images have shape {part.images.shape}; right would be (images, "
            "height, width), also with a last axis of 1 or 3 colours, or (images, pixels)."
        )
    if images.ndim == 2:
        return images, square(images.shape[1])
    _, height, width = images.shape
    return images.reshape(n, height * width), (height, width)


def _grey(images: NDArray) -> NDArray:
    """The luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, rounded as Pillow rounds it."""
    whole = images.dtype.kind in "ui"
    grey = np.empty(images.shape[:3], images.dtype if whole else np.float32)
    for start in range(0, len(images), _ROWS_AT_ONCE):
        rows = images[start : start + _ROWS_AT_ONCE]
        if whole:
            sums = rows.astype(np.int64) @ np.array([19595, 38470, 7471])
            grey[start : start + len(rows)] = (sums + 0x8000) >> 16
        else:
            grey[start : start + len(rows)] = rows @ np.array([0.299, 0.587, 0.114])
    return grey


def _one_each(part: Part) -> NDArray:
    """(n,) labels, one an image."""
    labels = part.labels[:, 0] if part.labels.shape[1:] == (1,) else part.labels
    if labels.ndim != 1 or labels.dtype.kind not in "buifSU":
        raise Refusal(
            f"{part.where}: its labels have shape {part.labels.shape} and type {labels.dtype}; "
            "right would be one class number or name an image (for one-hot rows, their argmax)."
        )
    if len(labels) != len(part.images):
        raise Refusal(
            f"{part.where}: it has {len(part.images)} images and {len(labels)} labels; right would "
            "be one label an image."
        )
    return labels
