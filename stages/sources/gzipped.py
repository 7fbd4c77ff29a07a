"""Reading of files that may be gzipped; their first two bytes show it."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from stages.common.command_line.errors import StageError

_MAGIC = b"\x1f\x8b"


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, through gzip if it is gzipped.

    Raises:
        StageError: If the block reads compressed data that are damaged.
    """
    with path.open("rb") as raw:
        is_gzipped = raw.read(2) == _MAGIC
        raw.seek(0)
        if not is_gzipped:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as file:
                yield cast(BinaryIO, file)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise StageError(
                f"{path}: expected a whole gzip file, got a damaged one ({error}); get the file "
                "again."
            ) from error
