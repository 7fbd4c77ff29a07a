"""CSV files in the format of Kaggle's *Digit Recognizer*: a header, then one image per line.

    label,pixel0,pixel1,…,pixel783      train.csv
    pixel0,pixel1,…,pixel783            test.csv, without labels

Any number of pixels is allowed, and labels may be any text.
"""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.common.command_line.errors import StageError
from stages.sources.gzipped import reading

_MAX_HEADER_BYTES = 1 << 26


def read_csv(path: Path, labels: bool) -> tuple[NDArray, NDArray]:
    """Read the pixels and labels of a file, which may be gzipped.

    Args:
        path: The file.
        labels: Whether the first column is the label; otherwise all columns are pixels.

    Returns:
        Pixels, (n, d) uint8 if all are integers from 0 to 255, else float32; and labels, (n,)
        text, empty without a column of labels.

    Raises:
        StageError: If the header or a line has errors; the message names the line.
    """
    # First as bytes, which most files contain; float32 needs four times the memory.
    found = _load(path, labels, np.uint8) or _load(path, labels, np.float32)
    if found is None:
        raise _first_error(path, labels)
    pixels, texts = found
    if len(pixels) == 0:
        raise StageError(f"{path}: expected images after the header, got none.")
    with np.errstate(invalid="ignore"):
        as_bytes = pixels.astype(np.uint8, copy=False)
    return as_bytes if np.array_equal(as_bytes, pixels) else pixels, np.array(texts, np.str_)


def _load(path: Path, labels: bool, dtype: type) -> tuple[NDArray, list[str]] | None:
    """Read labels, and pixels of the given type; None if a line has other values."""
    texts: list[str] = []
    n = 0

    def rows() -> Iterator[bytes]:
        nonlocal n
        for line in tqdm(file, desc="reading", unit=" images", disable=None):
            if line.strip():
                n += 1
                label, pixels = _cut(line, labels)
                texts.append(label)
                yield pixels

    with reading(path) as file:
        d = len(_header(file.readline(_MAX_HEADER_BYTES), path, labels))
        pixels = _parse(rows(), dtype)
    if n == 0:
        return np.empty((0, d), dtype), []
    if pixels is None or pixels.shape != (n, d) or not np.isfinite(pixels).all():
        return None
    if not labels:
        return pixels, []
    return (pixels, texts) if all(texts) else None


def _cut(line: bytes, labels: bool) -> tuple[str, bytes]:
    """The label of a line, if it has one, and the rest."""
    label, _, pixels = line.partition(b",") if labels else (b"", b"", line)
    return label.decode(errors="backslashreplace").strip().strip('"'), pixels


def _parse(rows: Iterable[bytes], dtype: type) -> NDArray | None:
    """Numbers of shape (n, d); None if the rows differ in length, or are not numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers beyond float32 become inf
        try:
            return np.loadtxt(
                rows, dtype, delimiter=",", ndmin=2, comments=None, encoding="latin-1"
            )
        except ValueError:
            return None


def _header(line: bytes, path: Path, labels: bool) -> list[str]:
    """Names of the columns of pixels."""
    right = "label,pixel0,pixel1,…" if labels else "pixel0,pixel1,…"
    try:
        names = [name.strip().strip('"') for name in line.decode("utf-8-sig").split(",")]
    except UnicodeDecodeError as error:
        raise StageError(
            f"{path}: expected a CSV file with the header {right}, got a first line that is not "
            "UTF-8 text."
        ) from error
    has_labels = names[0].lower() == "label"
    if has_labels != labels or len(names) <= labels or _are_numbers(names[-1].encode(), 1):
        is_test_file = labels and names[0].lower().startswith("pixel")
        advice = "; Kaggle's file with labels is train.csv" if is_test_file else ""
        raise StageError(
            f"{path}: expected the header {right}, got a first line that begins with "
            f"{','.join(names[:3])[:40]!r}{advice}."
        )
    return names[1:] if labels else names


def _first_error(path: Path, labels: bool) -> StageError:
    """Describe the first line of a file that is not a label and a row of finite numbers."""
    with reading(path) as file:
        names = _header(file.readline(_MAX_HEADER_BYTES), path, labels)
        for number, line in enumerate(file, 2):  # counted as in editors
            where, n_values = f"{path}: line {number}", line.count(b",") + 1
            label, pixels = _cut(line, labels)
            if not line.strip() or ((label or not labels) and _are_numbers(pixels, len(names))):
                continue
            if n_values != len(names) + labels:
                return StageError(
                    f"{where}: expected {len(names) + labels} values, as in the header, got "
                    f"{n_values}."
                )
            if labels and not label:
                return StageError(f"{where}: expected a class label, got an empty cell.")
            for name, cell in zip(names, pixels.split(b","), strict=True):
                if not _are_numbers(cell, 1):
                    text = cell.decode(errors="backslashreplace").strip()[:40]
                    return StageError(f"{where}: expected a number as {name}, got {text!r}.")
    return StageError(f"{path}: expected rows of {len(names)} numbers after the header.")


def _are_numbers(row: bytes, n: int) -> bool:
    values = _parse([row], np.float32)
    return values is not None and values.size == n and bool(np.isfinite(values).all())
