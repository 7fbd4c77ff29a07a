"""Progress display on a terminal; with `disable=None`, `tqdm` writes nothing to a log file."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def waiting(description: str, received: Callable[[], int] | None = None) -> Iterator[None]:
    """Show the time since the block began, and the bytes received so far if known.

    Args:
        description: Text before the numbers.
        received: Function that returns the number of bytes received; called five times a second.
    """
    finished = threading.Event()
    layout = "{desc}: {elapsed}" if received is None else "{desc}: {n_fmt}B in {elapsed}"
    bar = tqdm(desc=description, disable=None, bar_format=layout, unit="B", unit_scale=True)

    def refresh() -> None:
        while not finished.wait(0.2):
            bar.n = received() if received else 0
            bar.refresh()

    thread = threading.Thread(target=refresh, daemon=True)
    if not bar.disable:
        thread.start()
    try:
        yield
    finally:
        finished.set()
        if thread.is_alive():
            thread.join()
        bar.close()
