"""The CSV files of Kaggle's *Digit Recognizer*: a header, then an image a line.

    label,pixel0,pixel1,…,pixel783      train.csv
    pixel0,pixel1,…,pixel783            test.csv, which has no labels

Any number of pixels will do, and any label, text too.
"""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.cli import Refusal
from stages.own_data.gzipped import reading

_BYTES_AT_ONCE = 1 << 22
_LONGEST_HEADER = 1 << 26


def read_kaggle_csv(path: Path, labels: bool) -> tuple[NDArray, NDArray]:
    """Pixels and labels of a file, which may be gzipped.

    Args:
        path: The file.
        labels: Whether the first column is the label; otherwise all columns are pixels.

    Returns:
        Pixels (n, d), uint8 if all are whole and from 0 to 255, else float32; and labels, (n,)
        text, empty if there are none. Memory holds the pixels once, beside a few megabytes.

    Raises:
        Refusal: If the header or a line is not as it should be; it names the line.
    """
    rows = _Rows()
    texts: list[str] = []
    with (
        reading(path) as file,
        tqdm(desc="reading", unit=" images", disable=None) as bar,
    ):
        names = _header(file.readline(_LONGEST_HEADER), path, labels)
        number = 2  # of the first line of the piece, as editors count
        while lines := file.readlines(_BYTES_AT_ONCE):
            cells = [line for line in lines if line.strip()]
            if labels:
                pairs = [line.partition(b",") for line in cells]
                texts += [_text(label) for label, _, _ in pairs]
                cells = [pixels for _, _, pixels in pairs]
            if cells and not (rows.append(cells, len(names)) and all(texts[-len(cells) :])):
                raise _first_fault(lines, number, names, path, labels)
            number += len(lines)
            bar.update(len(cells))
    pixels = rows.array(len(names))
    if len(pixels) == 0:
        raise Refusal(f"{path}: it has a header and no images.")
    return pixels, np.array(texts, np.str_)


class _Rows:
    """Rows of numbers in one growing piece of memory: bytes for as long as all are bytes."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._dtype: np.dtype = np.dtype(np.uint8)

    def append(self, lines: list[bytes], columns: int) -> bool:
        """Take the rows of these lines; whether they are rows of so many finite numbers."""
        values = _parse(lines, self._dtype)
        if values is None and self._dtype == np.uint8:
            values = _parse(lines, np.dtype(np.float32))
            if values is not None and not _are_bytes(values):
                self._content = bytearray(self.array(1).astype(np.float32))
                self._dtype = np.dtype(np.float32)
        if values is None or values.shape != (len(lines), columns) or not np.isfinite(values).all():
            return False
        self._content += np.ascontiguousarray(values, self._dtype).data
        return True

    def array(self, columns: int) -> NDArray:
        """(n, columns) rows so far; nothing may be appended while it is in use."""
        return np.frombuffer(self._content, self._dtype).reshape(-1, columns)


def _parse(lines: list[bytes], dtype: np.dtype) -> NDArray | None:
    """(n, d) numbers; None if a line is shorter or longer than another, or has no numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numbers beyond float32 become inf
            return np.loadtxt(
                lines, dtype, delimiter=",", ndmin=2, comments=None, encoding="latin-1"
            )
    except ValueError:
        return None


def _are_bytes(values: NDArray) -> bool:
    """Whether numbers such as 7.0 are bytes all the same."""
    return bool(((values >= 0) & (values <= 255) & (values == np.trunc(values))).all())


def _header(line: bytes, path: Path, labels: bool) -> list[str]:
    """The names of the pixels' columns."""
    try:
        names = [name.strip().strip('"') for name in line.decode("utf-8-sig").split(",")]
    except UnicodeDecodeError as error:
        raise Refusal(f"{path}: it is no CSV file: its first line is no text.") from error
    has_labels = names[0].lower() == "label"
    right = "label,pixel0,pixel1,…" if labels else "pixel0,pixel1,…"
    if has_labels != labels or len(names) <= labels or _is_number(names[-1]):
        begin = ",".join(names[:3])[:40]
        advice = "; without labels nothing can be learnt (Kaggle's file with labels is train.csv)"
        is_test_file = labels and names[0].lower().startswith("pixel")
        raise Refusal(
            f"{path}: its first line begins with {begin!r}; right would be the header "
            f"{right}{advice if is_test_file else ''}."
        )
    return names[1:] if labels else names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(label: bytes) -> str:
    return label.decode(errors="backslashreplace").strip().strip('"')


def _first_fault(
    lines: list[bytes], number: int, names: list[str], path: Path, labels: bool
) -> Refusal:
    """What is wrong with the first line that cannot be used; `number` is that of `lines[0]`."""
    for offset, line in enumerate(lines):
        if not line.strip():
            continue
        where = f"{path}: line {number + offset}"
        cells = [cell.strip() for cell in line.decode(errors="backslashreplace").split(",")]
        if len(cells) != len(names) + labels:
            return Refusal(
                f"{where}: it has {len(cells)} values; the header has {len(names) + labels} names."
            )
        if labels and not cells[0]:
            return Refusal(f"{where}: it has no label; right would be its class.")
        for name, cell in zip(names, cells[labels:], strict=True):
            value = _parse([cell.encode()], np.dtype(np.float32)) if cell else None
            if value is None or value.size != 1 or not np.isfinite(value).all():
                return Refusal(f"{where}: {name} is {cell[:40]!r}; right would be a number.")
    return Refusal(f"{path}: lines {number} to {number + len(lines) - 1} are no rows of numbers.")
