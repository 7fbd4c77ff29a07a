"""A lock on the outputs of a stage, so that two runs of it do not write them at the same time.

If DVC is killed, the stage that it started lives on, and the next `dvc repro` starts another one.
The operating system removes the lock when its process ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold the lock of `output`; if another process has it, print which one, and wait for it.

    The lock is a file beside `output`, because DVC deletes outputs before it runs a stage.
    """
    path = output.with_name(f".{output.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without following links, since the file is overwritten.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    with open(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            click.echo(f"waiting for process {file.read(20)}, which writes {output}", err=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
