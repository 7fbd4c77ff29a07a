"""Handling of Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt after Ctrl-C, even if a library turns it into another exception.

    `np.save`, for example, turns it into a TypeError.
    """
    interrupted = False

    def interrupt(signum: int, frame: Any) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(signum, frame)

    before = signal.getsignal(signal.SIGINT)
    if not _in_main_thread() or before not in (signal.default_int_handler, signal.SIG_DFL):
        yield  # the caller has its own handler
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception as error:
        if interrupted:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def interrupted_afterwards() -> Iterator[None]:
    """Let Ctrl-C take effect at the end of the block.

    For code with many weak references, such as Matplotlib's: Python ignores exceptions in their
    callbacks, KeyboardInterrupt too.
    """
    if not _in_main_thread():  # where Python raises no KeyboardInterrupt
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda signum, _: received.append(signum))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            signal.raise_signal(signal.SIGINT)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
