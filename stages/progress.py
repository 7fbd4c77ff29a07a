"""Signs of life for a person at a terminal; nothing at all in a log file.

(`tqdm` draws only on a terminal when it is told `disable=None`.)
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def waiting(description: str, received: Callable[[], int] | None = None) -> Iterator[None]:
    """Show the seconds that the block takes, and the bytes received so far if they are known.

    Args:
        description: What is being waited for.
        received: Called a few times a second; the number of bytes that have arrived.
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
