"""Download a data set by name: from OpenML, or from a mirror if OpenML fails."""

import re
from collections.abc import Callable
from itertools import pairwise

import click
from numpy.typing import NDArray

from nn.checks.arrays import square
from stages.common.command_line.errors import ParameterError, StageError
from stages.common.files.raw_data import Raw
from stages.sources.conversion import to_raw
from stages.sources.digests import require_pinned
from stages.sources.mirrors import IDX, Mirror, Package
from stages.sources.openml import from_openml

# Mirrors of data sets whose digests are pinned, in the order in which they are tried.
MIRRORS: dict[tuple[str, int], tuple[Mirror, ...]] = {("mnist_784", 1): (IDX(), Package())}
# Limit on the time of a source if another one follows, and of the last source.
SECONDS, LAST_SECONDS = 90.0, 600.0


def download(name: str, version: int, source: str) -> Raw:
    """Get a data set of openml.org, and check its content if that is pinned.

    Args:
        name: Its name; upper and lower case do not matter.
        version: Its version.
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

    mirrors = MIRRORS.get((name.lower(), version), ())
    if source == "openml":
        try:
            return _checked(openml(LAST_SECONDS), name, version)
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
            return _checked(mirror.load(SECONDS), name, version)
    sources: list[tuple[str, Callable]] = [(mirror.title, mirror.load) for mirror in mirrors]
    if source == "auto":
        sources.insert(0, ("OpenML", openml))
    for (_, load), (following, _) in pairwise(sources):
        try:
            return _checked(load(SECONDS), name, version)
        except StageError as error:
            click.echo(f"{error.message} Trying {following} next.", err=True)
    return _checked(sources[-1][1](LAST_SECONDS), name, version)


def _checked(data: tuple[NDArray, NDArray], name: str, version: int) -> Raw:
    pixels, labels = data
    raw = to_raw(pixels, labels, square(pixels.shape[1]), f"fetch.name: {name}")
    require_pinned(raw, name.lower(), version)
    return raw
