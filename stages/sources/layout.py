"""The layout of a table of text: its delimiter, its header, and the meaning of its columns."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from stages.common.command_line.errors import ParameterError, StageError
from stages.sources.columns import Columns, is_number, named_columns, place
from stages.sources.reading import reading

_MAX_LINE = 1 << 24
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Layout:
    """How a file is cut into lines and cells.

    Attributes:
        delimiter: Between cells; None for any white space.
        names: Names of the columns; None without a header.
        width: Number of cells in a line.
        header: Number of lines before the first image.
        columns: Their meaning.
        spaced: Whether one cell has all pixels, separated by spaces.
    """

    delimiter: str | None
    names: list[str] | None
    width: int
    header: int
    columns: Columns
    spaced: bool

    def cells(self, line: str) -> list[str]:
        """The cells of a line."""
        return _cut(line, self.delimiter)

    def name(self, k: int) -> str:
        """The name of column `k`, for messages."""
        return self.names[k] if self.names else f"the value of column {k + 1}"


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; longer ones are cut, so that none fills the memory."""
    return iter(partial(file.readline, _MAX_LINE), b"")


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, list[str] | None, int]]:
    """Open a file after the header of an ARFF file; names of its columns; lines that were read."""
    with reading(path) as file:
        first = file.readline(_MAX_LINE)
        if not re.match(rb"\s*(%|@relation\b)", first, re.IGNORECASE):
            file.seek(0)
            yield file, None, 0
            return
        names, count = [], 1
        for line in lines_of(file):
            count += 1
            if re.match(rb"@data\b", line, re.IGNORECASE):
                break
            if match := re.match(rb"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)", line, re.IGNORECASE):
                names.append(match[1].decode(errors="backslashreplace").strip("'\""))
        yield file, names, count


def _cut(line: str, delimiter: str | None) -> list[str]:
    if '"' in line:
        with suppress(csv.Error):  # a cell of more than 100 kB
            return next(
                csv.reader([line.strip()], delimiter=delimiter or " ", skipinitialspace=True)
            )
    return line.split(delimiter)


def _some(cells: list[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in cells[:4])


def layout_of(path: Path, labels: bool | None, label: str) -> Layout:
    """Find delimiter, header and columns from the first two lines.

    Args:
        path: The file.
        labels: Whether there must be a column of labels (True), or must not (False).
        label: `fetch.label`: auto, first, last, or the name of the column of labels.

    Returns:
        The layout; its label is None if only the values can tell.

    Raises:
        StageError: If the lines are not a table of numbers with such columns.
    """
    with opened(path) as (file, names, count):
        lines: list[str] = []
        while len(lines) < 2 and (line := file.readline(_MAX_LINE)):
            try:
                text = line.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise StageError(
                    f"{path}: expected a table in UTF-8 text, one image per line, got other bytes."
                ) from error
            if text.strip() and "\0" not in text:
                lines.append(text.strip("\r\n"))
            count += not lines
    if not lines:
        raise StageError(f"{path}: expected lines of numbers, one per image, got none.")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    cut = delimiter if delimiter in lines[0] else None
    first, *second = [[cell.strip() for cell in _cut(line, cut)] for line in lines]
    if names is None and _is_header(first, second):
        names, count = first, count + 1
        if not second:
            raise StageError(f"{path}: expected images after the header, got none.")
        first = second[0]
    width = len(names or first)
    are_numbers = [is_number(cell) for cell in first[:width]]
    are_numbers += [True] * (width - len(are_numbers))  # an error in this line is named later
    if names is None or (label not in names and all(is_number(name) for name in names if name)):
        every = [k for k in range(width) if names is None or names[k]]
        if names is None and sum(are_numbers) < width - 1:
            raise StageError(
                f"{path}: expected lines of numbers, one image per line, got {_some(first)}."
            )
        columns = _unnamed(every, are_numbers, labels, label)
    else:
        columns = named_columns(names, are_numbers, label if labels else "none", str(path))
        columns = _checked(columns, names, labels, path)
    pixels = columns.pixels
    texts = [k for k in range(min(width, len(first))) if k != columns.label and " " in first[k]]
    spaced = cut is not None and not pixels and len(texts) == 1
    if spaced:
        columns = Columns(columns.label, texts, columns.described.split(", ignored")[0])
    if not columns.pixels or (labels and columns.label is None and len(columns.pixels) < 2):
        raise StageError(f"{path}: expected columns of pixels, got {_some(names or first)}.")
    return Layout(cut, names, width, count, columns, spaced)


def _is_header(first: list[str], second: list[list[str]]) -> bool:
    """Whether the first line has names: text in more than a label, or 0, 1, 2, … as pandas has."""
    texts = [not is_number(cell) for cell in first]
    if second and len(second[0]) == len(first):
        below = [not is_number(cell) for cell in second[0]]
        if sum(texts) > sum(below):
            return True
    elif sum(texts) > 1:
        return True
    numbers = [cell for cell in first if cell]
    return len(numbers) > 4 and numbers == [str(int(numbers[0]) + k) if numbers[0].isdigit() else ""
                                            for k in range(len(numbers))]  # fmt: skip


def _unnamed(
    every: list[int], are_numbers: Sequence[bool], labels: bool | None, label: str
) -> Columns:
    """The columns of a table without names: the values tell, unless the label is text."""
    if labels and label not in ("auto", "first", "last"):
        raise ParameterError(
            f"fetch.label: expected auto, first or last for a table without names of columns, got "
            f"{label!r}."
        )
    texts = [k for k in every if not are_numbers[k]]
    if label in ("first", "last"):
        texts = [every[0] if label == "first" else every[-1]]
    if labels and len(texts) == 1:
        described = f"no header, label in the {place(texts[0], len(are_numbers))} column"
        return Columns(texts[0], [k for k in every if k != texts[0]], described)
    return Columns(None, every)


def _checked(columns: Columns, names: list[str], labels: bool | None, path: Path) -> Columns:
    if labels and columns.label is None:
        is_test_file = any(name.lower().startswith("pixel") for name in names)
        advice = "; Kaggle's file with labels is train.csv" if is_test_file else ""
        raise StageError(
            f"{path}: expected a column of labels, named label, class, target or y, got the "
            f"columns {','.join(names[:3])[:40]!r}, …; set fetch.label to the name of one{advice}."
        )
    if labels is False:
        known = [name for name in names if name.lower() in ("label", "class", "target", "y")]
        if known:
            raise StageError(
                f"{path}: expected the header pixel0,pixel1,…, without labels, got the column "
                f"{known[0]!r}."
            )
    return columns
