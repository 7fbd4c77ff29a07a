"""A lock on the outputs of a stage, so that two runs of it do not write them at the same time.

If DVC is killed, the stage that it started keeps running, and the next `dvc repro` starts another
one. The operating system removes the lock when its process ends, even if it is killed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from stages.common.command_line.terminal import echo


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold the lock of `output`; if another process holds it, print its number and wait.

    The lock is a file beside `output`, because DVC deletes outputs before it runs a stage.
    """
    path = output.with_name(f".{output.name}.lock")
    is_new = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        with suppress(FileNotFoundError):  # it has just ended
            echo(f"waiting for process {path.read_text()}, which writes {output}", err=True)
        lock.acquire()
    try:
        path.write_text(str(os.getpid()))
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is locked; a process that waits makes a new file
        lock.release()
        if is_new:
            with suppress(OSError):  # it has outputs
                path.parent.rmdir()
