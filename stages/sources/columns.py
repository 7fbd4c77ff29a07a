"""The columns of a table of images: which is the label, which are pixels, and which are neither."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import ParameterError
from stages.sources.conversion import MAX_CLASSES

LABELS = ("label", "labels", "class", "target", "y", "digit", "character", "letter")
IDS = ("id", "imageid", "image_id", "rowid", "row_id", "index", "idx")
_INDEXES = ("", *IDS, "usage", "split")
_NUMBERED = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Columns:
    """The meaning of the columns of a table, by their numbers from 0.

    Attributes:
        label: The label; None if there is none, or if only the values can tell.
        pixels: The columns of numbers.
        described: How the label was found, for the user.
    """

    label: int | None
    pixels: list[int]
    described: str = ""


def place(k: int, n: int) -> str:
    """Where column `k` of `n` is, in words."""
    return {0: "first", n - 1: "last"}.get(k, f"{k + 1} of {n}")


def named_columns(
    names: Sequence[str], are_numbers: Sequence[bool], wanted: str, where: str
) -> Columns:
    """Find the label and the pixels by the names of the columns.

    Args:
        names: Names of the columns.
        are_numbers: Whether a column has a number in the first row.
        wanted: `fetch.label`: auto, first, last, none, or the name of a column.
        where: Start of error messages.

    Returns:
        The label by its name, or because it is the only one whose name differs from pixel0,
        pixel1, …; without columns that number the rows, or contain text. Its label is None if
        no name tells, or `wanted` is none.

    Raises:
        ParameterError: If the wanted column is not there, or several may be the label.
    """
    n, lower = len(names), [name.strip().lower() for name in names]
    label = wanted_column(names, wanted, where)
    skipped = {k for k, name in enumerate(lower) if name in _INDEXES or name.startswith("unnamed:")}
    # pixel0, pixel1, … have one pattern; a single column of another one is the label.
    patterns = [_NUMBERED.sub("", name) for name in lower]
    usual, count = Counter(patterns).most_common(1)[0]
    are_usual = [count > 1 and pattern == usual for pattern in patterns]
    if label is None and wanted == "auto":
        found = [k for k, name in enumerate(lower) if name in LABELS] or [
            k
            for k in range(n)
            if k not in skipped and (not are_usual[k] if count > 1 else are_numbers[k])
        ]
        if len(found) > 1:
            listed = ", ".join(repr(names[k]) for k in found[:5])
            raise ParameterError(
                f"fetch.label: expected one column of labels in {where}, got {len(found)} that may "
                f"be it ({listed}); set it to the name of one."
            )
        label = found[0] if found else None
    pixels = [
        k for k in range(n) if k != label and k not in skipped and (are_numbers[k] or are_usual[k])
    ]
    described = ""
    if label is not None:
        name = f'"{names[label]}" ' if names[label] else ""
        described = f"label in the column {name}({place(label, n)})"
    if ignored := [names[k] or "(unnamed)" for k in range(n) if k != label and k not in pixels]:
        shown = ", ".join(repr(name[:40]) for name in ignored[:4])
        described += f"{', ' if described else ''}ignored {shown}"
    return Columns(label, pixels, described)


def wanted_column(names: Sequence[str], wanted: str, where: str) -> int | None:
    """The column that `fetch.label` names; None for auto and none."""
    if wanted in ("auto", "none"):
        return None
    if wanted in names:
        return list(names).index(wanted)
    if wanted in ("first", "last"):
        return 0 if wanted == "first" else len(names) - 1
    shown = ", ".join(repr(name[:40]) for name in [*names[:3], names[-1]])
    raise ParameterError(
        f"fetch.label: expected auto, first, last or the name of a column of {where} ({shown}), "
        f"got {wanted!r}."
    )


def label_by_values(table: NDArray, wanted: str, where: str) -> int:
    """Find the label in a table without names, (n, columns) numbers.

    Class labels are integers, at least two, and usually 0, 1, … or 1, 2, … without a gap, unlike
    most pixels, of which the first and the last are often all 0.

    Returns:
        0 or the number of the last column.

    Raises:
        ParameterError: If both of them may be the label, or neither.
    """
    last = table.shape[1] - 1
    if wanted != "auto":
        return {"first": 0, "last": last}[wanted]
    possible = {k: _class_labels(table[:, k]) for k in (0, last)}
    likely = [k for k, (_, is_likely) in possible.items() if is_likely]
    likely = likely or [k for k, (may_be, _) in possible.items() if may_be]
    if len(likely) == 1:
        return likely[0]
    got = "both may be" if likely else "neither can be"
    raise ParameterError(
        f"fetch.label: expected labels in the first or the last column of {where}, which has no "
        f"header, got values with which {got} labels; set it to first or last."
    )


def _class_labels(values: NDArray) -> tuple[bool, bool]:
    """Whether numbers may be class labels, and whether they are without a gap from 0 or 1."""
    distinct = np.unique(values)
    may_be = 2 <= len(distinct) <= MAX_CLASSES and bool((distinct == np.rint(distinct)).all())
    gap = may_be and distinct[-1] - distinct[0] != len(distinct) - 1
    return may_be, may_be and not gap and distinct[0] in (0, 1)


def is_number(text: str) -> bool:
    """Whether a cell is a finite number, as NumPy reads it."""
    with suppress(ValueError):
        return "_" not in text and text.isascii() and bool(np.isfinite(float(text)))
    return False
