"""Time per sample and memory for data sets of 60 000, 240 000 and 960 000 samples on disk.

Each size is trained for one epoch in a process of its own, from memory-mapped files (repetitions of
MNIST). Memory is the maximum of the process's private memory during the epoch; pages of the files,
which the operating system may drop at any time, do not count.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np
import psutil

from benchmarks.common import benchmark, mnist, record
from benchmarks.processes import Competitor, runs, timed
from nn import Network, train_epochs

SIZES = (60_000, 240_000, 960_000)


def _training(folder: Path, arithmetic: str) -> Callable[[], tuple[float, int]]:
    images, targets = (np.load(folder / f"{k}.npy", mmap_mode="r") for k in ("images", "targets"))
    rng = np.random.default_rng(0)
    epochs = train_epochs(
        Network.initialize([784, 100, 10], rng), images, targets, epochs=1, batch_size=10,
        learning_rate=3.0, rng=rng, exact=arithmetic == "exact",
    )  # fmt: skip
    process, peak, done = psutil.Process(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            memory = process.memory_info()
            peak = max(peak, memory.rss - memory.shared)
            time.sleep(0.01)

    def work() -> tuple[float, int]:
        watcher = threading.Thread(target=watch)
        watcher.start()
        seconds = timed(lambda: next(epochs))()
        done.set()
        watcher.join()
        return seconds, peak

    return work


def _write(folder: Path, size: int) -> None:
    for name, array in zip(("images", "targets"), mnist()[:2], strict=True):
        out = np.lib.format.open_memmap(
            folder / f"{name}.npy", "w+", np.float32, (size, array.shape[1])
        )
        for start in range(0, size, len(array)):
            out[start : start + len(array)] = array[: size - start]
        out.flush()


@benchmark(3)
@click.option("--folder", default=None, help="Folder for 3 GB of temporary files.")
def main(repeats: int, kernel: str | None, folder: str | None) -> None:
    """Time per sample and memory for data sets that are larger than the memory."""
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            _write(Path(temporary), size)
            for arithmetic in ("float32", "exact"):
                training = Competitor(partial(_training, Path(temporary), arithmetic))
                ran, results = runs(training, repeats, kernel)
                seconds, memory = (statistics.median(x) for x in zip(*results, strict=True))
                rows.append((arithmetic, size, seconds / size * 1e6, memory / 1e6))
    rows.sort(key=lambda row: row[0])
    header = ("arithmetic", "samples", "microseconds per sample", "memory in MB")
    record("scale", ran, header, rows)


if __name__ == "__main__":
    main()
