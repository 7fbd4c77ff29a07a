"""Tables of text, one image per line: CSV with or without a header, TSV, ARFF, LIBSVM.

    label,pixel0,pixel1,…,pixel783      Kaggle's train.csv
    pixel0,pixel1,…,pixel783            its test.csv, without labels
    5,0,0,…                             mnist_train.csv, without a header
    6.0000 -1.0000 …                    USPS's zip.train: separated by spaces
    @attribute class {0,1,…} … @data    ARFF
    5 153:3 154:18 …                    LIBSVM; see `libsvm.py`

Any number of pixels is allowed, and labels may be any text. `layout.py` finds the delimiter and the
header, `columns.py` the label.
"""

import math
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nn.checks.arrays import square
from stages.common.command_line.errors import ParameterError, StageError
from stages.sources.columns import IDS, label_by_values, place
from stages.sources.dataset import LabelledImages
from stages.sources.layout import Layout, layout_of, lines_of, opened
from stages.sources.libsvm import is_libsvm, read_libsvm
from stages.sources.reading import require_room

# Lines between two looks at the memory, and bytes that the text of a label takes.
_ROWS_AT_ONCE, _LABEL = 4_096, 64


def read_csv(path: Path, label: str = "auto") -> tuple[NDArray, NDArray]:
    """Read the pixels and labels of a file, which may be compressed.

    Args:
        path: The file.
        label: `fetch.label`: auto, first, last, or the name of the column of labels.

    Returns:
        Pixels, (n, d) uint8 if all are integers from 0 to 255, else float32; and labels, (n,)
        text.

    Raises:
        StageError: If the header or a line has errors; the message names the line.
    """
    pixels, texts, _ = _read(path, True, label)
    return pixels, texts


def read_unlabelled(path: Path) -> tuple[NDArray, NDArray, str]:
    """Read a file without labels: its pixels; the id of each row, and the name of their column.

    The ids are empty if no column has one of the names `IDS`.
    """
    names = layout_of(path, False, "auto").names or []
    column = next((name for name in names if name.lower() in IDS), "")
    pixels, ids, _ = _read(path, bool(column), column or "auto")
    return pixels, ids, column


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
        is_libsvm(path) or layout_of(path, True, label)
    except ParameterError:
        return label in ("auto", "first", "last")  # which columns to use is for the user to say
    except StageError:
        return False
    return True


def _read(path: Path, labels: bool | None, label: str) -> tuple[NDArray, NDArray, str]:
    if labels and is_libsvm(path):
        return (*read_libsvm(path), "LIBSVM's format, label first")
    layout = layout_of(path, labels, label)
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


def _load(path: Path, layout: Layout, dtype: type) -> tuple[NDArray, list[str]] | None:
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
            cells = [*others[:first], *[""] * (last - first), *others[first:]]
            return cells, rest.decode("latin-1")
        cells = layout.cells(line.decode(errors="backslashreplace"))
        if len(cells) != layout.width:
            return [], ""
        some = [cells[k] for k in pixels]
        return cells, " ".join(some[0].split()) if layout.spaced else mark.decode().join(some)

    def rows() -> Iterator[str]:
        nonlocal n, is_whole
        for line in tqdm(lines_of(file), desc="reading", unit=" images", disable=None):
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

    with opened(path) as (file, names, _):
        for _ in zip(range(layout.header if names is None else 0), lines_of(file), strict=False):
            pass
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


def _first_error(path: Path, layout: Layout) -> StageError:
    """Describe the first line of a file that is not a label and a row of finite numbers."""
    label, pixels = layout.columns.label, layout.columns.pixels
    with opened(path) as (file, names, before):
        skip = layout.header if names is None else 0
        for number, line in enumerate(lines_of(file), before + 1):  # counted as in editors
            text = line.decode(errors="backslashreplace")
            if number <= skip or not text.strip():
                continue
            where, cells = f"{path}: line {number}", [cell.strip() for cell in layout.cells(text)]
            if len(cells) != layout.width:
                like = "header" if layout.names else "first line"
                return StageError(
                    f"{where}: expected {layout.width} values, as in the {like}, got {len(cells)}."
                )
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
