"""Time per sample and memory for 60 000, 240 000 and 960 000 samples on disk.

For each size, a new process trains for one epoch from memory-mapped files (repetitions of MNIST).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from benchmarks.common import mnist, report

SIZES = (60_000, 240_000, 960_000)

# Anonymous memory is what the process has allocated, without the pages of the mapped files, which
# the operating system can drop at any time.
_WORK = """
import json, sys, threading, time
import numpy as np, psutil
from nn import Network, train_epochs

folder = sys.argv[1]
images, targets = (np.load(f"{folder}/{name}.npy", mmap_mode="r") for name in ("images", "targets"))
rng = np.random.default_rng(0)
network = Network.initialize([784, 100, 10], rng)
process, most = psutil.Process(), 0

def watch():
    global most
    while True:
        memory = process.memory_info()
        most = max(most, memory.rss - memory.shared)
        time.sleep(0.01)

threading.Thread(target=watch, daemon=True).start()
start = time.perf_counter()
list(
    train_epochs(network, images, targets, epochs=1, batch_size=10, learning_rate=3.0, rng=rng)
)
print(json.dumps([time.perf_counter() - start, most]))
"""


@click.command()
@click.option("--folder", default=None, help="Folder for 3 GB of temporary files.")
def main(folder: str | None) -> None:
    """Measure the time per sample and the memory for data sets of growing size."""
    import numpy as np

    images, targets, _, _ = mnist()
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            for name, array in (("images", images), ("targets", targets)):
                out = np.lib.format.open_memmap(
                    Path(temporary) / f"{name}.npy", "w+", np.float32, (size, array.shape[1])
                )
                for start in range(0, size, len(array)):
                    out[start : start + len(array)] = array[: size - start]
                out.flush()
                del out
            command = [sys.executable, "-c", _WORK, temporary]
            seconds, memory = json.loads(subprocess.check_output(command, text=True))
        rows.append((size, seconds / size * 1e6, memory / 1e6))
    report("scale", ("samples", "microseconds per sample", "anonymous memory in MB"), rows)


if __name__ == "__main__":
    main()
