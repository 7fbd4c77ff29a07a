"""A lock on the outputs of a stage, so that two runs of it do not write them at the same time.

If DVC is killed, the stage that it started keeps running, and the next `dvc repro` starts another
one. The operating system removes the lock when its process ends, even if it is killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from stages.common.command_line.terminal import echo


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold the lock of `output`; if another process holds it, print its number and wait.

    The lock is a file beside `output`, because DVC deletes outputs before it runs a stage.
    """
    path = output.with_name(f".{output.name}.lock")
    folder_is_new = not path.parent.exists()
    file = _acquire(path, output)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()
        if folder_is_new:
            with suppress(OSError):  # it has outputs
                path.parent.rmdir()


def _acquire(path: Path, output: Path) -> IO[str]:
    """Open and lock the file `path`, and write the number of this process into it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Does not follow symbolic links, because the file is overwritten.
        file = open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            echo(f"waiting for process {file.read(20)}, which writes {output}", err=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        # The process that held the lock deletes the file; a third one may have created a new file.
        if path.exists() and os.path.samefile(path, file.fileno()):
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)
            return file
        file.close()
