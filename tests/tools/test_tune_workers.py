"""tune: the backend changes no result; workers, schedulers and searches may die."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest
from deadly import Deadly
from distributed import Client, LocalCluster
from searches import LISTS, RANGES, quick

from nn import TrainingConfig
from stages.training.data import TrainingData
from tools import tune
from tools.tuning import search as search_module
from tools.tuning.search import Search, run_search, run_trial
from tools.tuning.workers import workers

ROOT = Path(__file__).parent.parent.parent
# As `python -m tools.tune`.
SHORT_TIMEOUT = """
import runpy
from tools.tuning import workers
workers.TIMEOUT = 3
runpy.run_module("tools.tune", run_name="__main__", alter_sys=True)
"""
# One trial ends at once, the others never.
ENDLESS = "hidden: [[5], [8, 6]]\nepochs: [1, 1000000]\n"


@pytest.fixture
def setup(prepared):
    """A search over learning rates, to be run without the command line."""
    options = vars(TrainingConfig(hidden=(8,), epochs=3)) | {"class_weight": "equal", "seed": 0}
    options |= {"method": "grid", "trials": 4, "folds": 0, "search_seed": 0}
    return Search(options, {"learning_rate": [1.0, 2.0]}, TrainingData.read(prepared))


@pytest.fixture(scope="module")
def scheduler():
    """A Dask scheduler with two worker processes, on loopback."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        # A worker that dies takes seconds to start again; by default, Dask tries a task four times.
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": 0}),
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        ):
            yield cluster.scheduler_address


@pytest.mark.parametrize("backend", [("loky", 2), ("threading", 2), ("sequential", 1), ("dask", 0)])
@pytest.mark.parametrize("method", [("--trials", 7), ("--method", "halving", "--folds", 2)])
def test_same_bytes_on_every_backend(backend, method, tuned, space, scheduler):
    space(RANGES)
    name, count = backend
    alone = tuned(*method)
    options = ("--backend", name, "--workers", count, "--scheduler", scheduler)
    assert tuned(*method, *options) == alone
    assert tuned(*method, "--search-seed", 1) != alone


@pytest.mark.parametrize(("name", "method"), [("loky", "random"), ("dask", "halving")])
def test_a_trial_that_kills_its_worker_is_lost_and_the_others_are_not(
    name, method, setup, scheduler, tmp_path
):
    space = {"learning_rate": [0.5, 1.0, Deadly(2.0), 3.0]}
    setup = replace(setup, options=setup.options | {"method": method}, space=space)
    with workers("sequential", 1, "") as run:
        alone = run_search(setup, run, tmp_path / "alone", lambda n: None)
    done = []
    with workers(name, 2, scheduler) as run:
        trials = run_search(setup, run, tmp_path / "log", done.append)
    assert sum(done) == sum(count for count, _ in setup.rounds())
    lost = [trial for trial in trials if trial.outcome == "lost"]
    assert [trial.params["learning_rate"] for trial in lost] == [2.0]
    assert np.isnan(lost[0].accuracy)
    accuracy = {json.dumps(trial.params): trial.accuracy for trial in alone}
    first = [trial for trial in trials if trial.round == 0]
    assert len(first) == 4
    trained = [trial for trial in first if trial.outcome == "trained"]
    assert len(trained) == 3
    assert all(trial.accuracy == accuracy[json.dumps(trial.params)] for trial in trained)


def hungry(search, params):
    """Need more memory than there is, if the learning rate is 2."""
    return None if params["learning_rate"] == 2.0 else run_trial(search, params)


def doomed(search, params):
    raise BrokenExecutor("a worker died")


def test_a_trial_without_memory_is_lost(setup, tmp_path, monkeypatch):
    def train_epochs(self, *data):
        raise MemoryError

    monkeypatch.setattr(search_module, "run_trial", hungry)
    with workers("sequential", 1, "") as run:
        trials = run_search(setup, run, tmp_path / "log", lambda n: None)
    assert [trial.outcome for trial in trials] == ["trained", "lost"]
    monkeypatch.setattr("nn.Trainer.train_epochs", train_epochs)
    assert run_trial(setup, {"learning_rate": 2.0}) is None


def test_workers_that_always_die_end_the_search(refused, space, prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(search_module, "run_trial", doomed)
    space(LISTS)
    line = refused(tune, *quick("--backend", "sequential"))
    assert line.startswith("experiments/search/space.yaml: all 6 trials failed: lost")
    assert not (tmp_path / "data/search").exists()


@pytest.fixture
def started(space, prepared, tmp_path):
    """Start a search in a process group of its own, which the terminal's Ctrl-C would reach."""
    processes = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-c", SHORT_TIMEOUT, *options],
            cwd=tmp_path,
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
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def busy_children(process):
    children = psutil.Process(process.pid).children()
    return [child for child in children if child.cpu_times().user > 2]


def trials_done(folder):
    """How many trials a search has written to its log."""
    log = folder / "data/search/unfinished.jsonl"
    return len(log.read_text().splitlines()) - 1 if log.exists() else 0


@pytest.mark.parametrize("whom", ["group", "process"])
def test_signals_end_it_and_leave_nothing_behind(whom, started, space, tmp_path):
    space(LISTS)
    process = started("--epochs", "100000", "--workers", "2")
    wait_for(lambda: len(busy_children(process)) == 2, process)
    children = psutil.Process(process.pid).children(recursive=True)
    if whom == "group":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert "Aborted!" in output
    assert "Traceback" not in output
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["prepared"]
    assert not psutil.wait_procs(children, timeout=5)[1]


def test_a_killed_search_resumes(started, space, tuned, tmp_path, monkeypatch):
    calls = []

    def counted(search, params):
        calls.append(params)
        return run_trial(search, params)

    monkeypatch.setattr(search_module, "run_trial", counted)
    space(LISTS)
    options = ("--method", "grid", "--epochs", 500)
    whole = tuned(*options)
    assert len(calls) == 6
    log = tmp_path / "data/search/unfinished.jsonl"
    assert not log.exists()

    process = started(*map(str, quick(*options)))
    wait_for(log.exists, process)
    process.kill()
    process.wait()
    kept = trials_done(tmp_path)
    assert 1 <= kept < 6
    log.write_text(log.read_text() + '\n["incomplete')
    calls.clear()
    assert tuned(*options) == whole
    assert len(calls) == 6 - kept
    assert not log.exists()


def test_a_scheduler_that_stays_silent(refused, space, prepared, monkeypatch):
    monkeypatch.setattr("tools.tuning.workers.TIMEOUT", 1)
    space(LISTS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        line = refused(tune, *quick("--backend", "dask", "--scheduler", address))
    assert line.startswith(
        f"tune.scheduler: expected a Dask scheduler at '{address}', got TimeoutE"
    )


@pytest.mark.parametrize(
    ("whose", "signum"),
    [
        ("worker", signal.SIGKILL),
        ("scheduler", signal.SIGKILL),
        ("scheduler", signal.SIGSTOP),
    ],
)
def test_a_cluster_that_is_gone_ends_the_search(whose, signum, started, space, tmp_path):
    space(ENDLESS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    options = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    of_cluster = [subprocess.Popen(command, **options)]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--no-dashboard"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    of_cluster.append(
        subprocess.Popen([*command, address, "--nthreads", "1"], **options, env=environment)
    )
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        process = started("--method", "grid", "--backend", "dask", "--scheduler", address)
        wait_for(lambda: trials_done(tmp_path), process)
        of_cluster[whose == "worker"].send_signal(signum)
        output = process.communicate(timeout=30)[0]
    finally:
        for part in of_cluster:
            part.kill()
            part.wait()
    assert process.returncode == 1
    assert "Traceback" not in output
    line = output.splitlines()[-1]
    assert line.startswith("Error: tune.scheduler: lost the scheduler or all workers; start")


def test_a_search_on_a_cluster_can_be_interrupted(scheduler, started, space, tmp_path):
    space(ENDLESS)
    process = started("--method", "grid", "--backend", "dask", "--scheduler", scheduler)
    wait_for(lambda: trials_done(tmp_path), process)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=30)[0]
    with Client(scheduler) as client:
        client.restart()  # the workers are still training
    assert process.returncode == 1
    assert "Traceback" not in output
    assert output.splitlines()[-1] == "Aborted!"


def test_without_dask(refused, space, prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    space(LISTS)
    line = refused(tune, *quick("--backend", "dask"))
    assert line.startswith("tune.scheduler: expected a Dask scheduler at '', got ModuleNotFoundE")
    assert "run pip install -e '.[cluster]'" in line
