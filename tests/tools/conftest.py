"""Fixtures of a search, for the tests of `tune`, and a model, for those of `predict`."""

import csv
import os
import signal
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from searches import FILES, ROOT, in_this_process, quick
from sheets import DIGITS, LABELS, TRAINED_ON, drawing

from nn import Trainer, TrainingConfig, save
from stages.common.photographs.image_preparation import prepare_image
from stages.training.data import TrainingData
from tools import tune

# As `python -m tools.tune`.
SHORT_TIMEOUT = """
import runpy
from tools.tuning import workers
workers.TIMEOUT = 10
runpy.run_module("tools.tune", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def space(tmp_path):
    """Write the search space."""
    (tmp_path / "experiments/search").mkdir(parents=True)
    return (tmp_path / "experiments/search/space.yaml").write_text


@pytest.fixture
def _without_workers(monkeypatch):
    monkeypatch.setattr(tune, "run_locally", in_this_process)


@pytest.fixture
def tuned(run, prepared, tmp_path):
    """Run a quick search; what it prints, its table, the bytes of its files."""

    def invoke(*options):
        result = run(tune, *quick(*options))
        assert result.exit_code == 0, (result.output, result.exception)
        folder = tmp_path / "data/search"
        rows = list(csv.DictReader((folder / "trials.csv").open()))
        return result.output, rows, [(folder / name).read_bytes() for name in FILES]

    return invoke


@pytest.fixture
def data(prepared):
    return TrainingData.read(prepared)


@pytest.fixture
def started(space, prepared, tmp_path):
    """Start a search in a process group of its own, which the terminal's Ctrl-C would reach."""
    processes = []

    def start(*options, script=SHORT_TIMEOUT, folder=tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *options],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with suppress(ProcessLookupError):  # its workers may outlive it, and hold its output
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


@pytest.fixture(scope="session")
def network():
    images = np.array([prepare_image(drawing(d) / 255).reshape(-1) for d in DIGITS[:TRAINED_ON]])
    targets = np.eye(10, dtype=np.float32)[LABELS[:TRAINED_ON]]
    config = TrainingConfig(
        hidden=(60,), loss="softmax_cross_entropy", optimizer="adam", learning_rate=0.003, epochs=25
    )
    trainer = Trainer(config, sizes=(784, 10), seed=0, pixel_range=(0.0, 255.0))
    list(trainer.train_epochs(images, targets))
    return trainer.result


@pytest.fixture
def model(network, tmp_path):
    path = tmp_path / "data" / "model" / "model.npz"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        save(network, file)
    return path
