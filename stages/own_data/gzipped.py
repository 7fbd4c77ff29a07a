"""Files that may be gzipped or not; the first two bytes tell."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from stages.cli import Refusal

_MAGIC = b"\x1f\x8b"


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, through gzip if it is gzipped.

    Raises:
        Refusal: If, while the block reads, the compressed data turn out to be damaged.
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
            raise Refusal(
                f"{path}: its gzip compression is damaged ({error}); get the file again."
            ) from error
