"""Tables of text, one image per line: CSV with or without a header, TSV, ARFF, LIBSVM.

    label,pixel0,pixel1,…,pixel783      Kaggle's train.csv
    pixel0,pixel1,…,pixel783            its test.csv, without labels
    5,0,0,…                             mnist_train.csv, without a header
    6.0000 -1.0000 …                    USPS's zip.train: separated by spaces
    @attribute class {0,1,…} … @data    ARFF
    5 153:3 154:18 …                    LIBSVM: only the pixels that are not 0

Any number of pixels is allowed, and labels may be any text. `columns.py` finds the label.
"""

import csv
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nn.checks.arrays import square
from stages.common.errors import ParameterError, StageError
from stages.sources.columns import Columns, is_number, label_by_values, named_columns, place
from stages.sources.dataset import LabelledImages
from stages.sources.reading import reading, require_room

_MAX_LINE = 1 << 24
# Lines between two looks at the memory, and bytes that the text of a label takes.
_ROWS_AT_ONCE, _LABEL = 4_096, 64
_DELIMITERS = ",;\t"
_LIBSVM = re.compile(rb"[-+.\w]+(\s+\d+:[-+.\w]+)+\s*")


@dataclass(frozen=True)
class _Layout:
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
        return _cut(line, self.delimiter)

    def name(self, k: int) -> str:
        return self.names[k] if self.names else f"the value of column {k + 1}"


def read_csv(path: Path, labels: bool, label: str = "auto") -> tuple[NDArray, NDArray]:
    """Read the pixels and labels of a file, which may be compressed.

    Args:
        path: The file.
        labels: Whether there is a column of labels; otherwise all columns are pixels, except one
            that numbers the rows.
        label: `fetch.label`: auto, first, last, or the name of the column of labels.

    Returns:
        Pixels, (n, d) uint8 if all are integers from 0 to 255, else float32; and labels, (n,)
        text, empty without a column of labels.

    Raises:
        StageError: If the header or a line has errors; the message names the line.
    """
    pixels, texts, _ = _read(path, labels, label)
    return pixels, texts


def read_numbers(path: Path) -> NDArray:
    """All columns of numbers in a table of text, (n, columns): images or labels without others."""
    return _read(path, None, "auto")[0]


def from_csv(path: Path, label: str) -> LabelledImages:
    """Read a table of text as `read_csv` does."""
    pixels, texts, described = _read(path, True, label)
    shape = square(pixels.shape[1])
    size = f", {shape[1]}×{shape[0]}" if shape else ""
    note = f"{path}: {described}, {len(pixels)} rows of {pixels.shape[1]} pixels{size}"
    return LabelledImages(pixels, texts, shape, {}, (note,))


def is_labelled(path: Path, label: str) -> bool:
    """Whether the first lines of a file are a table of pixels with labels."""
    try:
        with reading(path) as file:
            if _LIBSVM.fullmatch(file.readline(_MAX_LINE)):
                return True
        _layout(path, True, label)
    except ParameterError:
        return label in ("auto", "first", "last")  # which columns to use is for the user to say
    except StageError:
        return False
    return True


def _read(path: Path, labels: bool | None, label: str) -> tuple[NDArray, NDArray, str]:
    with reading(path) as file:
        head = file.readline(_MAX_LINE)
    if labels and _LIBSVM.fullmatch(head):
        return _read_libsvm(path)
    layout = _layout(path, labels, label)
    # First as bytes, which most files contain; float32 needs four times the memory.
    found = _load(path, layout, np.uint8) or _load(path, layout, np.float32)
    if found is None:
        raise _first_error(path, layout)
    pixels, texts = found
    described = layout.columns.described
    if labels and layout.columns.label is None and (d := _one_hot(pixels)):
        described = "no header, label in the last columns, one-hot"
        texts = [str(k) for k in pixels[:, d:].argmax(axis=1)]
        pixels = pixels[:, :d]
    elif labels and layout.columns.label is None:
        k = label_by_values(pixels, label, str(path))
        described = f"no header, label in the {place(k, pixels.shape[1])} column"
        texts = [f"{value:g}" for value in pixels[:, k].tolist()]
        pixels = pixels[:, 1:] if k == 0 else pixels[:, :-1]
    with np.errstate(invalid="ignore"):
        as_bytes = pixels.astype(np.uint8, copy=False)
    pixels = as_bytes if np.array_equal(as_bytes, pixels) else pixels
    return pixels, np.array(texts, np.str_), described


def _one_hot(table: NDArray) -> int:
    """Number of pixels, a square, if the columns after them are one-hot, as in Semeion; else 0."""
    d = math.isqrt(table.shape[1] - 2) ** 2 if table.shape[1] > 2 else 0
    rest = table[:, d:]
    is_one_hot = set(np.unique(rest)) == {0, 1} and bool((rest.sum(axis=1) == 1).all())
    return d if is_one_hot else 0


def _read_libsvm(path: Path) -> tuple[NDArray, NDArray, str]:
    # Imported here: scikit-learn takes a second to import, and `--help` should be fast.
    from sklearn.datasets import load_svmlight_file

    with reading(path) as file:
        # A pixel takes at least four bytes of text, and twelve in a sparse array.
        size = 0
        for line in _lines_of(file):
            size += 3 * len(line)
            require_room(size, str(path))
        file.seek(0)
        try:
            table, labels = load_svmlight_file(file, dtype=np.float32)
        except (ValueError, OverflowError) as error:
            raise StageError(f"{path}: expected LIBSVM's format, got {error} in a line.") from error
    # The last pixels are 0 in all images of MNIST, so that the file does not mention them.
    n, d = table.shape
    width = next(side for side in range(1, d + 1) if side * side >= d) ** 2
    require_room(4 * n * width, str(path))
    table.resize(n, width)
    return table.toarray(), labels, "LIBSVM's format, label first"


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; longer ones are cut, so that none fills the memory."""
    return iter(partial(file.readline, _MAX_LINE), b"")


@contextmanager
def _lines(path: Path) -> Iterator[tuple[BinaryIO, list[str] | None, int]]:
    """Open a file after the header of an ARFF file; names of its columns; lines that were read."""
    with reading(path) as file:
        first = file.readline(_MAX_LINE)
        if not re.match(rb"\s*(%|@relation\b)", first, re.IGNORECASE):
            file.seek(0)
            yield file, None, 0
            return
        names, count = [], 1
        for line in _lines_of(file):
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


def _layout(path: Path, labels: bool | None, label: str) -> _Layout:
    """Find delimiter, header and columns from the first two lines."""
    with _lines(path) as (file, names, count):
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
    if not columns.pixels:
        raise StageError(f"{path}: expected columns of pixels, got {_some(names or first)}.")
    return _Layout(cut, names, width, count, columns, spaced)


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


def _load(path: Path, layout: _Layout, dtype: type) -> tuple[NDArray, list[str]] | None:
    """Read labels, and pixels of the given type; None if a line has other values."""
    texts: list[str] = []
    label, pixels = layout.columns.label, layout.columns.pixels
    first, last = pixels[0], pixels[-1] + 1
    is_slice = pixels == list(range(first, last))
    mark = (layout.delimiter or " ").encode()
    n, is_whole = 0, True

    def cells_of(line: bytes) -> tuple[list[str], str]:
        """All cells but the pixels, and the pixels; no cells if their number is wrong."""
        if is_slice and layout.delimiter and not layout.spaced and b'"' not in line:
            if line.count(mark) != layout.width - 1:
                return [], ""
            # Only the cells around the pixels are cut, which takes a third of the time.
            *before, rest = line.split(mark, first)
            rest, *after = rest.rsplit(mark, layout.width - last)
            others = [cell.decode(errors="backslashreplace") for cell in before + after]
            return [*others[:first], *[""] * (last - first), *others[first:]], rest.decode(
                "latin-1"
            )
        cells = layout.cells(line.decode(errors="backslashreplace"))
        if len(cells) != layout.width:
            return [], ""
        some = [cells[k] for k in pixels]
        return cells, " ".join(some[0].split()) if layout.spaced else mark.decode().join(some)

    def rows() -> Iterator[str]:
        nonlocal n, is_whole
        for line in tqdm(_lines_of(file), desc="reading", unit=" images", disable=None):
            if not line.strip():
                continue
            if n % _ROWS_AT_ONCE == 0:  # a compressed file may have more than fits
                require_room(n * (len(pixels) * np.dtype(dtype).itemsize + _LABEL), str(path))
            cells, row = cells_of(line)
            if not cells:
                is_whole = False
                return
            n += 1
            if label is not None:
                texts.append(cells[label].strip().strip("'"))
            yield row

    with _lines(path) as (file, names, _):
        for _ in range(layout.header if names is None else 0):
            file.readline(_MAX_LINE)
        table = _parse(rows(), dtype, None if layout.spaced else layout.delimiter)
    if table is None or not is_whole or len(table) != n or not np.isfinite(table).all():
        return None
    if not layout.spaced and table.shape[1] != len(pixels):
        return None
    return (table, texts) if label is None or all(texts) else None


def _parse(rows: Iterable[str], dtype: type, delimiter: str | None) -> NDArray | None:
    """Numbers of shape (n, d); None if the rows differ in length, or are not numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers beyond float32 become inf
        try:
            return np.loadtxt(rows, dtype, delimiter=delimiter, ndmin=2, comments=None)
        except ValueError:
            return None


def _first_error(path: Path, layout: _Layout) -> StageError:
    """Describe the first line of a file that is not a label and a row of finite numbers."""
    label, pixels = layout.columns.label, layout.columns.pixels
    with _lines(path) as (file, names, before):
        skip = layout.header if names is None else 0
        for number, line in enumerate(
            iter(partial(file.readline, _MAX_LINE), b""), before + 1
        ):  # counted as in editors
            text = line.decode(errors="backslashreplace")
            if number <= skip or not text.strip():
                continue
            where, cells = f"{path}: line {number}", [cell.strip() for cell in layout.cells(text)]
            if len(cells) != layout.width:
                expected = (
                    f"{layout.width} values, as in the {'header' if layout.names else 'first line'}"
                )
                return StageError(f"{where}: expected {expected}, got {len(cells)}.")
            if label is not None and not cells[label]:
                return StageError(f"{where}: expected a class label, got an empty cell.")
            for k in pixels:
                numbers = cells[k].split() if layout.spaced else [cells[k]]
                if not all(_is_pixel(number) for number in numbers):
                    return StageError(
                        f"{where}: expected a number as {layout.name(k)}, got {cells[k][:40]!r}."
                    )
    return StageError(f"{path}: expected rows of {len(pixels)} numbers.")


def _is_pixel(cell: str) -> bool:
    values = _parse([cell], np.float32, None)
    return values is not None and values.size == 1 and bool(np.isfinite(values).all())
