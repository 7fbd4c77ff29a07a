"""Artifacts: read with care, written whole.

Reading says in one line which file is missing, truncated or foreign, and which stage makes it.
Writing goes to temporary names beside the targets, which are moved into place when all of a stage's
files are there; a run that fails or is killed leaves the old artifacts as they were.
"""

import csv
import io
import json
import os
import shutil
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from stages.cli import Refusal


class Artifacts:
    """Files that appear together when the block ends well, or not at all.

        with Artifacts() as artifacts:
            artifacts.write_json(path, value)
            artifacts.write_array(other_path, array)

    Until the end every file has a temporary name beside its target. The names are fixed: what a
    killed run left behind is overwritten by the next.
    """

    def __init__(self) -> None:
        self._paths: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for path in self._paths:
            if kind is None:
                with _naming(path):
                    os.replace(_temporary(path), path)
            else:
                with suppress(OSError):  # the error that brought us here is the one to report
                    _temporary(path).unlink(missing_ok=True)

    @contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """A binary file that will become `path`.

        Raises:
            OSError: With `path` as its file name, whatever failed (a full disk names none itself).
        """
        self._paths.append(path)
        with _naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _temporary(path).open("wb") as file:
                yield file

    def write_array(self, path: Path, array: NDArray) -> None:
        """Write one `.npy` file."""
        with self.open(path) as file:
            np.save(file, array, allow_pickle=False)

    def write_rows(
        self, path: Path, shape: tuple[int, ...], dtype: np.dtype, parts: Iterable[NDArray]
    ) -> None:
        """Write a C-ordered `.npy` file piece by piece, so that it never has to fit in memory.

        Args:
            path: The `.npy` file.
            shape: Shape of the whole array.
            dtype: Its data type.
            parts: Arrays that together hold the rows, in order.
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
        """Write JSON that people can read and git can compare."""
        with self.open(path) as file:
            file.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())

    def write_csv(self, path: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
        """Write comma-separated values under a header."""
        with self.open(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            csv.writer(text, lineterminator="\n").writerows([header, *rows])
            text.detach()  # flushes, and leaves the file to its owner


@contextmanager
def restored_on_failure(folder: Path) -> Iterator[None]:
    """Give the block `folder` to write anew; put the old one back if the block fails.

    For folders that a library fills while people watch, which `Artifacts` cannot hold back.
    """
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    existed = folder.exists()
    if existed:
        folder.rename(old)
    try:
        yield
    except BaseException:
        if existed:
            shutil.rmtree(folder, ignore_errors=True)
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors in the block name `path`, not its temporary name, or none."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(_temporary(path))):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def read_array(path: Path, made_by: str) -> NDArray:
    """Open a `.npy` file, memory-mapped and read-only.

    Args:
        path: The file.
        made_by: Name of the stage that makes it, for the error message.

    Raises:
        Refusal: If it is missing, truncated or no plain array.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise Refusal(f"{path}: it is not there. {_remake(made_by)}") from error
    except (ValueError, EOFError, SyntaxError, tokenize.TokenError) as error:
        raise Refusal(f"{path}: it is no whole .npy file ({error}). {_remake(made_by)}") from error


def read_json(path: Path, made_by: str) -> Any:
    """Read a JSON file; raises `Refusal` as `read_array` does."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise Refusal(f"{path}: it is not there. {_remake(made_by)}") from error
    except ValueError as error:
        raise Refusal(f"{path}: it is no JSON file ({error}). {_remake(made_by)}") from error


def refuse(path: Path, fault: str, made_by: str) -> Refusal:
    """The refusal of an artifact that can be read but is not what it should be."""
    return Refusal(f"{path}: {fault}. {_remake(made_by)}")


def _remake(made_by: str) -> str:
    return f"Make it again: dvc repro --force --single-item {made_by}"
