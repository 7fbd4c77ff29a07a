"""Reading of files that may be compressed, within the memory; their first bytes show it."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import psutil

from stages.common.command_line.errors import StageError

_OPENERS: dict[bytes, tuple[str, Any]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
_CHUNK = 1 << 20


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, through gzip, bzip2 or xz if it is compressed.

    Raises:
        StageError: If the block reads compressed data that are damaged.
    """
    with path.open("rb") as raw:
        head = raw.read(6)
        raw.seek(0)
        found = [opener for magic, opener in _OPENERS.items() if head.startswith(magic)]
        if not found:
            yield raw
            return
        kind, opener = found[0]
        try:
            with opener(raw) as file:
                yield cast(BinaryIO, file)
        except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
            raise _damaged(path, kind, error) from error
        except OSError as error:
            if error.errno:  # the disk failed
                raise
            raise _damaged(path, kind, error) from error


def _damaged(path: Path, kind: str, error: Exception) -> StageError:
    return StageError(
        f"{path}: expected a whole {kind} file, got a damaged one ({error}); get the file again."
    )


def room() -> int:
    """The largest number of bytes that one array may have: a third of the free memory."""
    return psutil.virtual_memory().available // 3


def require_room(size: int, where: str) -> None:
    """Raise `StageError` if an array or a file of `size` bytes would fill the memory."""
    if size > (limit := room()):
        raise StageError(
            f"{where}: expected at most {limit} bytes, a third of the free memory, got {size}."
        )


def read_all(file: BinaryIO, path: Path) -> bytearray:
    """The rest of a file, which may be a small one that unpacks to more than the memory."""
    content, limit = bytearray(), room()
    while part := file.read(_CHUNK):
        content += part
        if len(content) > limit:
            raise StageError(
                f"{path}: expected at most {limit} bytes, a third of the free memory, got more."
            )
    return content
