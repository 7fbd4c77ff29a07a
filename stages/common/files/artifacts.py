"""Reading and atomic writing of the files that stages exchange.

An error while reading is one line with the file and the command that makes it again. Files are
written under temporary names in the target folder and renamed together at the end, so a run that
fails or is killed leaves the old files unchanged. (Git and DVC ignore temporary names.)
"""

import csv
import glob
import io
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from nn.checks.array_files import ArrayFileError, read_header
from stages.common.command_line.errors import StageError

# Files that are read as a whole are not larger than this: a model of 10⁹ weights.
MAX_BYTES = 1 << 32


class Artifacts:
    """Context manager that writes a group of files completely or not at all.

        with Artifacts() as artifacts:
            artifacts.write_json(path, value)
            artifacts.write_array(other_path, array)

    Until the block ends, each file has an unpredictable temporary name in its target folder.
    Temporary files of earlier runs that were killed are deleted.
    """

    def __init__(self) -> None:
        self._files: list[tuple[Path, Path]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for temporary, path in self._files:
            if kind is None:
                with errors_naming(path, temporary):
                    os.replace(temporary, path)
            else:
                with suppress(OSError):  # the first error is the one to report
                    temporary.unlink(missing_ok=True)

    @contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """Open a binary file for writing that is renamed to `path` at the end of the block.

        Raises:
            OSError: With `path` as its file name (errors of a full disk have none).
        """
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        with errors_naming(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
                left.unlink(missing_ok=True)
            self._files.append((temporary, path))
            with temporary.open("xb") as file:
                yield file

    def write_array(self, path: Path, array: NDArray) -> None:
        """Write one `.npy` file."""
        # Not `np.save`, whose errors on a full disk have neither a number nor a message.
        self.write_rows(path, array.shape, array.dtype, [array])

    def write_rows(
        self, path: Path, shape: tuple[int, ...], dtype: np.dtype, parts: Iterable[NDArray]
    ) -> None:
        """Write a C-ordered `.npy` file in parts, for arrays that do not fit in memory.

        Args:
            path: The `.npy` file.
            shape: Shape of the whole array.
            dtype: Its data type.
            parts: Arrays of rows, in order.
        """
        with self.open(path) as file:
            header = {
                "descr": np.lib.format.dtype_to_descr(dtype),
                "fortran_order": False,
                "shape": shape,
            }
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(np.ascontiguousarray(part, dtype=dtype).data)

    def write_json(self, path: Path, value: Any) -> None:
        """Write indented JSON, for people and for git's diffs."""
        with self.open(path) as file:
            file.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())

    def write_csv(self, path: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
        """Write comma-separated values under a header."""
        with self.open(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            csv.writer(text, lineterminator="\n").writerows([header, *rows])
            text.detach()  # flushes without closing the file


@contextmanager
def restored_on_failure(folder: Path) -> Iterator[None]:
    """Move `folder` away, and restore it if the block fails.

    For a folder that a library writes step by step, such as DVCLive's. If it did not exist, it does
    not exist after a failure either.
    """
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    existed = folder.exists()
    if existed:
        folder.rename(old)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if existed:
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def errors_naming(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Add the file name `path` to an `OSError` that has no file name, or that of `temporary`."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(temporary)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def open_artifact(path: Path, made_by: str) -> Iterator[BinaryIO]:
    """Open a regular file for reading. All functions that read artifacts use it.

    Args:
        path: The file.
        made_by: Name of the stage that makes it, for the error message.

    Raises:
        StageError: If there is no such file, or a folder or a special file (such as a FIFO, whose
            readers wait for a writer) is in its place, or the block raises `ArrayFileError`.
        OSError: With `path` as its file name.
    """
    if not path.exists():
        raise invalid_artifact(path, "the file does not exist", made_by)
    if not path.is_file():
        raise invalid_artifact(path, "expected a file, got a folder or a special file", made_by)
    try:
        with errors_naming(path), path.open("rb") as file:
            yield file
    except ArrayFileError as error:
        raise invalid_artifact(path, str(error), made_by) from error


def read_bytes(path: Path, made_by: str) -> bytes:
    """The content of a file; raises `StageError` as `open_artifact`, or if it is too large."""
    with open_artifact(path, made_by) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            fault = f"expected at most {MAX_BYTES} bytes, got {size}"
            raise invalid_artifact(path, fault, made_by)
        return file.read()


def read_array(path: Path, made_by: str) -> NDArray:
    """Open a `.npy` file, memory-mapped and read-only; raises `StageError` as `open_artifact`."""
    with open_artifact(path, made_by) as file:
        shape, order, dtype = read_header(file)
        if math.prod(shape) == 0:  # cannot be mapped
            return np.empty(shape, dtype)
        return np.memmap(file, dtype, "r", file.tell(), shape, order)


def read_json(path: Path, made_by: str) -> Any:
    """Read a JSON file of finite numbers and text; raises `StageError` as `open_artifact`."""
    content = read_bytes(path, made_by)
    try:
        value = json.loads(content, parse_int=_integer)
        # Raises ValueError for infinite numbers, and for text that UTF-8 cannot encode.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid_artifact(path, f"expected JSON ({error})", made_by) from error
    return value


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError("an integer has more than 63 bits")
    return number


def invalid_artifact(path: Path, fault: str, made_by: str) -> StageError:
    """Error for an unusable file, with the command that makes it again.

    Args:
        path: The file.
        fault: What is wrong with it: "expected X, got Y".
        made_by: Name of the stage that makes it.
    """
    return StageError(f"{path}: {fault}. Make it again: dvc repro --force --single-item {made_by}")
