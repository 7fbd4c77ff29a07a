"""Time of the whole stage `train` with its defaults, compared with the time of its epochs.

The stage also starts Python, scores the validation images, and writes curves, a checkpoint and the
model. The epochs are those of a `Trainer` on the same images.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import PREPARED, benchmark, record
from benchmarks.processes import Competitor, medians, timed
from nn import Trainer, TrainingConfig

_OUTPUTS = {
    "model": "model.npz",
    "examples": "examples.npy",
    "training": "training",
    "checkpoint": "checkpoint.npz",
}


def _stage(arithmetic: str) -> Callable[[], float]:
    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            paths = [f"--{name}-path={Path(folder) / file}" for name, file in _OUTPUTS.items()]
            command = [sys.executable, "-m", "stages.train", "--arithmetic", arithmetic, *paths]
            subprocess.run(command, check=True, capture_output=True)

    return timed(work)


def _epochs(arithmetic: str) -> Callable[[], float]:
    images, labels = (np.load(PREPARED / f"train_{kind}.npy") for kind in ("images", "labels"))

    def work() -> None:
        trainer = Trainer(TrainingConfig(arithmetic=arithmetic), sizes=(784, 10), seed=0)
        for _ in trainer.train_epochs(images, labels):
            pass

    return timed(work)


@benchmark(3)
def main(repeats: int, kernel: str | None) -> None:
    """Time of the whole stage `train`, and of its epochs."""
    rows = []
    for arithmetic in ("float32", "exact"):
        competitors = {
            "stage": Competitor(partial(_stage, arithmetic)),
            "epochs": Competitor(partial(_epochs, arithmetic)),
        }
        ran, found = medians(competitors, repeats, kernel, warm_up=False)
        rows.append((arithmetic, *found.values(), found["stage"] / found["epochs"]))
    header = ("arithmetic", "stage, seconds", "its 30 epochs, seconds", "stage ÷ epochs")
    record("stage", ran, header, rows)


if __name__ == "__main__":
    main()
