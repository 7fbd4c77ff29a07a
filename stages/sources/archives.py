"""Archives, `.zip` and `.tar` with any compression, unpacked to a temporary folder."""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from stages.common.command_line.errors import StageError
from stages.sources.reading import reading

# Largest number of files, and size of the header of a single one in a tar archive.
_MAX_FILES, _MAX_HEADER = 2_000_000, 1 << 20


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack the regular files of an archive into a temporary folder, which is deleted afterwards.

    Links and devices are left out, and no file is written outside the folder.

    Raises:
        StageError: If the archive is damaged or encrypted, or would fill the disk.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        try:
            with path.open("rb") as file:
                unpack = _unpack_zip if zipfile.is_zipfile(file) else _unpack_tar
            unpack(path, folder)
        except (StageError, MemoryError):
            raise
        except Exception as error:  # damaged archives raise exceptions of many types
            if getattr(error, "errno", None):  # the disk failed
                raise
            raise StageError(
                f"{path}: expected a whole archive, got a damaged or encrypted one ({error}); get "
                "it again, or unpack it and set fetch.source to its folder."
            ) from error
        yield folder


def _unpack_zip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        budget = _Budget(path, folder)
        for entry in entries:  # before the first is written
            budget.spend(entry.file_size)
        for entry in entries:
            _write(folder, entry.filename, archive.open(entry))


def _unpack_tar(path: Path, folder: Path) -> None:
    budget = _Budget(path, folder)
    with reading(path) as file, _opened(file) as archive:
        for member in archive:
            budget.spend(member.size)
            if member.isreg() and not member.issparse():
                _write(folder, member.name, archive.extractfile(member))


def _opened(file: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast(BinaryIO, _Limited(file)), mode="r:")


class _Limited:
    """A file of which `tarfile` reads small pieces, so that no header fills the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        if size > _MAX_HEADER:
            raise tarfile.ReadError("a header of more than a megabyte")
        return self._file.read(size)

    def seek(self, position: int) -> int:
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()


class _Budget:
    """What an archive may unpack to: half of the free disk."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._limit = path, shutil.disk_usage(folder).free // 2
        self._bytes = self._files = 0

    def spend(self, size: int) -> None:
        self._bytes, self._files = self._bytes + size, self._files + 1
        if self._bytes > self._limit or self._files > _MAX_FILES:
            raise StageError(
                f"{self._path}: expected at most {_MAX_FILES} files of {self._limit} bytes, half "
                "of the free disk, got more."
            )


def _write(folder: Path, name: str, content: IO[bytes] | None) -> None:
    """Write one file below the folder, unless its name leads elsewhere."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0]:
        return
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
