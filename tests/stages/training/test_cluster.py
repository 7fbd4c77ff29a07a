"""Training on a Dask cluster: the bytes of training alone; workers and scheduler may die."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager

import dask
import numpy as np
import pytest
from dask_processes import ROOT, dask_processes
from distributed import LocalCluster

from nn import DivergedError, Trainer, TrainingConfig
from stages import train
from stages.common.command_line.errors import StageError
from stages.training import cluster, member
from stages.training.cluster import Cluster

pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::nn.NotLearningWarning"),  # the labels are random
]
EXPECTED = "train.scheduler: expected a Dask scheduler with workers at"
CONFIGS = [
    {"learning_rate": 3.0},
    {"hidden": (8, 5), "optimizer": "adam", "learning_rate": 0.01, "ema_decay": 0.9},
    {"dropout_hidden": 0.3, "rotation": 10.0, "elastic": 1.0, "optimizer": "nesterov",
     "learning_rate": 0.1, "loss": "softmax_cross_entropy"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _logging():
    yield
    cluster.logging.disable(cluster.logging.NOTSET)


@contextmanager
def connected(workers, said=print):
    """A cluster of workers in this process."""
    with (
        LocalCluster(
            n_workers=workers, processes=False, threads_per_worker=1, dashboard_address=":0"
        ) as local,
        closing(Cluster(local.scheduler_address, said)) as found,
    ):
        yield found


def samples(n=90):
    rng = np.random.default_rng(0)
    images = (rng.integers(0, 256, (n, 36)) * (rng.random((n, 36)) < 0.3)).astype(np.float32)
    return images / np.float32(255), np.eye(3, dtype=np.float32)[rng.integers(0, 3, n)]


def trained(options, images, targets, workers, weights=None):
    config = TrainingConfig(**{"epochs": 2, "batch_size": 20} | options)
    trainer = Trainer(config, sizes=(36, 3), seed=1, pixel_range=(0.0, 255.0))
    scores = [
        epoch.score for epoch in trainer.train_epochs(images, targets, weights, workers=workers)
    ]
    return scores, {name: array.tobytes() for name, array in trainer.state().items()}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_bytes_do_not_depend_on_the_workers(workers):
    images, targets = samples()
    weights = np.random.default_rng(1).random(len(images), np.float32)
    lines = []
    with connected(workers, lines.append) as found:
        for options in CONFIGS:
            assert trained(options, images, targets, found, weights) == trained(
                options, images, targets, None, weights
            )
    # It does not pay for such small layers, which is said once.
    assert len(lines) == (workers > 1)
    assert all("the workers communicate" in line for line in lines)


def test_images_in_a_file_that_the_workers_have_too_are_not_sent(tmp_path):
    images, targets = samples()
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    with connected(2) as found:
        assert trained({}, mapped, targets, found) == trained({}, images, targets, None)
        held = [[future.result() for future in part if future] for part in found._parts]
    assert [[type(rows) for rows in part] for part in held] == [[np.memmap, np.ndarray]] * 2
    # What a worker finds under this name may be something else.
    for content in (images[::-1], images[:50]):
        np.save(other := tmp_path / "other.npy", content)
        assert member.read_rows(str(other), slice(40, 60), member.digest_of(images[40:60])) is None
    assert member.read_rows(str(tmp_path / "none.npy"), slice(0, 1), "") is None
    (tmp_path / "text.npy").write_text("text")
    assert member.read_rows(str(tmp_path / "text.npy"), slice(0, 1), "") is None


def test_a_training_that_diverges():
    images, targets = samples()
    options = {"hidden": (), "learning_rate": 1e6, "loss": "cross_entropy", "epochs": 9}
    with connected(2) as found, pytest.raises(DivergedError):
        trained(options, images, targets, found)


def test_an_error_that_does_not_go_away_is_given_up():
    def fail(samples, team):
        team.largest(1.0)
        raise OSError("no more")

    with connected(2) as found, pytest.raises(StageError, match=r"no more.*, 3 times from inproc"):
        found.run(fail, cluster.Samples(*samples()))


def test_a_worker_with_other_code_is_named(monkeypatch):
    mine = iter(["NumPy 0.1, code x"])
    monkeypatch.setattr(
        cluster, "versions", lambda versions=cluster.versions: next(mine, None) or versions()
    )
    with connected(1) as found, pytest.raises(StageError) as error:
        trained({}, *samples(), found)
    assert "expected NumPy 0.1, code x on worker inproc://" in str(error.value)
    assert f"got NumPy {np.__version__}, code " in str(error.value)


def test_an_epoch_whose_worker_is_killed_is_repeated():
    images, targets = samples(2000)
    options = {"hidden": (20,), "epochs": 4, "batch_size": 50, "learning_rate": 1.0}
    expected = trained(options, images, targets, None)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local,
        closing(Cluster(local.scheduler_address)) as found,
    ):
        killed = []

        def kill():
            worker = next(worker for worker in local.workers.values() if worker.pid)
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

        timer = threading.Timer(1.0, kill)
        timer.start()
        result = trained(options, images, targets, found)
        timer.join()
        assert result == expected
        assert killed


def test_no_scheduler(refused, prepared, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        line = refused(train, "--epochs", 1, "--scheduler", address)
    assert line.startswith(f"{EXPECTED} '{address}', got TimeoutE")
    line = refused(train, "--epochs", 1, "--scheduler", address)
    assert line.startswith(f"{EXPECTED} '{address}', got ")
    line = refused(train, "--epochs", 1, "--scheduler", "nonsense://")
    assert line.startswith(f"{EXPECTED} 'nonsense://', got ValueE")


def test_without_dask(refused, prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = refused(train, "--epochs", 1, "--scheduler", "tcp://127.0.0.1:1")
    assert line.startswith("train.scheduler: expected the packages dask and distributed, got Mod")
    assert line.endswith("run: pip install -c constraints.txt -e '.[cluster]'")


# As `python -m stages.train`.
SHORT_TIMEOUT = """
import runpy
from stages.training import cluster, member
cluster.TIMEOUT = 5
runpy.run_module("stages.train", run_name="__main__", alter_sys=True)
"""


def start(folder, *options, **environment):
    command = [sys.executable, "-c", SHORT_TIMEOUT, "--hidden", "8", *options]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("whose", "signum"),
    [
        ("client", signal.SIGINT),
        ("scheduler", signal.SIGKILL),
        ("scheduler", signal.SIGSTOP),
        ("worker", signal.SIGKILL),
    ],
)
def test_a_training_on_a_cluster_ends_without_it(whose, signum, prepared, tmp_path):
    options = "--epochs", "30", "--batch-size", "2", "--learning-rate", "1"
    with dask_processes(tmp_path) as (address, scheduler, (worker,)):
        process = start(tmp_path, *options, TRAIN_SCHEDULER=address)
        checkpoint = tmp_path / "data/checkpoint.npz"
        deadline = time.monotonic() + 60
        while not checkpoint.exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        {"client": process, "scheduler": scheduler, "worker": worker}[whose].send_signal(signum)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 1, output
    assert "Traceback" not in output
    last = output.splitlines()[-1]
    assert last == "Aborted!" if whose == "client" else last.startswith(f"Error: {EXPECTED}")
    process = start(tmp_path, *options)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert "resuming after epoch" in output
    model = tmp_path / "data/model/model.npz"
    found = model.read_bytes()
    checkpoint.unlink()
    assert start(tmp_path, *options).wait(timeout=60) == 0
    assert model.read_bytes() == found
