"""Artifacts: read with care, written whole.

Reading says in one line which file is missing, truncated or foreign, and which stage makes it.
Writing goes to a temporary name beside the target, which is moved into place when all is there; a
run that fails or is killed leaves the old artifact as it was.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stages.cli import Refusal


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` when the block ends well, and vanishes when it does not.

    Raises:
        OSError: With `path` as its file name, whatever failed (a full disk names none by itself).
    """
    # One fixed name: what a killed run left behind is overwritten by the next.
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        if error.filename in (None, str(temporary)):
            raise OSError(error.errno, f"cannot be written: {error.strerror}", str(path)) from error
        raise
    except BaseException:
        _remove(temporary)
        raise


def _remove(path: Path) -> None:
    with suppress(OSError):  # the error that brought us here is the one to report
        path.unlink(missing_ok=True)


def write_array(path: Path, array: NDArray) -> None:
    """Write one `.npy` file."""
    with replacing(path) as file:
        np.save(file, array, allow_pickle=False)


def write_rows(path: Path, shape: tuple[int, ...], dtype: np.dtype, parts: Iterator) -> None:
    """Write a C-ordered `.npy` file piece by piece, so that it never has to fit in memory.

    Args:
        path: The `.npy` file.
        shape: Shape of the whole array.
        dtype: Its data type.
        parts: Arrays that together hold the rows, in order.
    """
    with replacing(path) as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype=dtype).data)


def write_json(path: Path, value: Any) -> None:
    """Write JSON that people can read and git can compare."""
    with replacing(path) as file:
        file.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_csv(path: Path, header: str, rows: Iterator[str]) -> None:
    """Write lines of comma-separated values under a header."""
    with replacing(path) as file:
        for line in (header, *rows):
            file.write(f"{line}\n".encode())


def read_array(path: Path, made_by: str) -> NDArray:
    """Open a `.npy` file, memory-mapped and read-only.

    Args:
        path: The file.
        made_by: Name of the stage that makes it, for the error message.

    Raises:
        Refusal: If it is missing, truncated or no plain array.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise Refusal(f"{path}: it is not there. {_remake(made_by)}") from error
    except (ValueError, EOFError, SyntaxError) as error:
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
