"""tune: the workers change no result; workers, schedulers and searches may die."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dask
import psutil
import pytest
from deadly import Deadly
from distributed import Client, LocalCluster
from searches import LISTS, RANGES, in_this_process, quick

from nn import TrainingConfig
from stages.training.data import TrainingData
from tools import tune
from tools.tuning import workers
from tools.tuning.search import rounds, run_search, run_trial
from tools.tuning.workers import run_locally, run_on_cluster

EXPECTED = "tune.scheduler: expected a Dask scheduler with workers"
ROOT = Path(__file__).parent.parent.parent
# As `python -m tools.tune`.
SHORT_TIMEOUT = """
import runpy
from tools.tuning import workers
workers.TIMEOUT = 10
runpy.run_module("tools.tune", run_name="__main__", alter_sys=True)
"""
# As well, but the process kills itself when the second trial is written to the log.
KILLED = """
import os, runpy, signal, sys

def kill(event, arguments, written=[]):
    if event == "os.rename" and str(arguments[1]).endswith("unfinished.json"):
        written.append(arguments)
        if len(written) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
runpy.run_module("tools.tune", run_name="__main__", alter_sys=True)
"""
# One trial ends at once, the others never.
ENDLESS = "hidden: [[5], [8, 6]]\nepochs: [1, 1000000]\n"


@pytest.fixture
def data(prepared):
    return TrainingData.read(prepared)


def options(rates):
    """Options of training for each learning rate, for a search without the command line."""
    others = vars(TrainingConfig(hidden=(8,), epochs=3)) | {"class_weight": "equal", "seed": 0}
    return [others | {"learning_rate": rate} for rate in rates]


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


@pytest.mark.xdist_group("cluster")
@pytest.mark.parametrize("method", [("--trials", 4), ("--method", "halving", "--trials", 6)])
def test_same_bytes_with_any_workers(method, tuned, space, scheduler, monkeypatch):
    space(RANGES)
    with monkeypatch.context() as patch:
        patch.setattr(tune, "run_locally", in_this_process)
        alone = tuned(*method)
        assert tuned(*method, "--search-seed", 1) != alone
    assert tuned(*method, "--workers", 1) == alone
    assert tuned(*method, "--workers", 2) == alone
    assert tuned(*method, "--scheduler", scheduler) == alone


@pytest.mark.xdist_group("cluster")
@pytest.mark.parametrize(("name", "halving"), [("one", False), ("two", True), ("cluster", True)])
def test_a_trial_that_kills_its_worker_is_lost_and_the_others_are_not(
    name, halving, data, scheduler, tmp_path, monkeypatch
):
    monkeypatch.setattr(workers, "TIMEOUT", 90)  # a busy machine starts workers slowly
    candidates = options([0.5, 1.0, Deadly(2.0), 3.0])
    plan = rounds(4, 3, halving)
    run = {
        "one": partial(run_locally, 1),
        "two": partial(run_locally, 2),
        "cluster": partial(run_on_cluster, scheduler),
    }
    alone = run_search(data, candidates, plan, partial(in_this_process, 0), tmp_path / "alone")
    trials = run_search(data, candidates, plan, run[name], tmp_path / "log")
    assert len(trials) == sum(count for count, _ in plan)
    lost = [trial for trial in trials if trial.outcome == "lost"]
    assert [trial.options["learning_rate"] for trial in lost] == [2.0]
    assert lost[0].accuracy == 0
    accuracy = {json.dumps(trial.options): trial.accuracy for trial in alone}
    first = [trial for trial in trials if trial.options["epochs"] == plan[0][1].get("epochs", 3)]
    assert len(first) == 4
    trained = [trial for trial in first if trial.outcome == "trained"]
    assert len(trained) == 3
    assert all(trial.accuracy == accuracy[json.dumps(trial.options)] for trial in trained)


def test_a_trial_without_memory_is_a_row(data, monkeypatch):
    def train_epochs(self, *data):
        raise MemoryError

    monkeypatch.setattr("nn.Trainer.train_epochs", train_epochs)
    assert run_trial(data, *options([2.0])) == (0, "out of memory")


def test_workers_that_always_die_end_the_search(refused, space, prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(tune, "run_locally", lambda *work: None)  # no trial has a result
    space(LISTS)
    line = refused(tune, *quick())
    assert line.startswith("experiments/search/space.yaml: all 6 trials failed: lost")
    assert not (tmp_path / "data/search").exists()


@pytest.fixture
def started(space, prepared, tmp_path):
    """Start a search in a process group of its own, which the terminal's Ctrl-C would reach."""
    processes = []

    def start(*options, script=SHORT_TIMEOUT):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *options],
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
        with suppress(ProcessLookupError):  # its workers may outlive it, and hold its output
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


def wait_for(condition, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def busy_children(process):
    children = psutil.Process(process.pid).children()
    return [child for child in children if child.cpu_times().user > 1]


def trials_done(folder):
    """How many trials a search has written to its log."""
    log = folder / "data/search/unfinished.json"
    return len(json.loads(log.read_text())) if log.exists() else 0


@pytest.mark.parametrize("whom", ["group", "process"])
def test_signals_end_it_and_leave_nothing_behind(whom, started, space, tmp_path):
    space(LISTS)
    process = started("--epochs", "100000", "--workers", "2")
    wait_for(lambda: len(busy_children(process)) == 2, process, seconds=300)
    children = psutil.Process(process.pid).children(recursive=True)
    if whom == "group":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "Aborted!" in output
    assert "Traceback" not in output
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["prepared"]
    assert not psutil.wait_procs(children, timeout=30)[1]


def test_a_killed_search_resumes(started, space, tuned, tmp_path, monkeypatch):
    calls = []

    def counted(count, data, tasks, done):
        calls.extend(tasks)
        in_this_process(count, data, tasks, done)

    monkeypatch.setattr(tune, "run_locally", counted)
    space(LISTS)
    options = ("--method", "grid")
    whole = tuned(*options)
    assert len(calls) == 6
    log = tmp_path / "data/search/unfinished.json"
    assert not log.exists()

    assert started(*map(str, quick(*options)), script=KILLED).wait() == -signal.SIGKILL
    assert trials_done(tmp_path) == 1
    calls.clear()
    assert tuned(*options) == whole
    assert len(calls) == 5
    assert not log.exists()


def test_a_scheduler_that_stays_silent(refused, space, prepared, monkeypatch):
    monkeypatch.setattr(workers, "TIMEOUT", 1)
    space(LISTS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        line = refused(tune, *quick("--scheduler", address))
    assert line.startswith(f"{EXPECTED} at '{address}', got TimeoutE")


def test_a_server_that_is_no_scheduler(refused, space, prepared):
    space(LISTS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"tcp://127.0.0.1:{server.server_port}"
    try:
        line = refused(tune, *quick("--scheduler", address))
    finally:
        server.shutdown()
        server.server_close()
    assert line.startswith(f"{EXPECTED} at '{address}', got ")


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
        process = started("--method", "grid", "--scheduler", address)
        wait_for(lambda: trials_done(tmp_path), process)
        of_cluster[whose == "worker"].send_signal(signum)
        output = process.communicate(timeout=60)[0]
    finally:
        for part in of_cluster:
            part.kill()
            part.wait()
    assert process.returncode == 1
    assert "Traceback" not in output
    line = output.splitlines()[-1]
    assert line.startswith(f"Error: {EXPECTED} at '{address}', got ")


def test_without_dask(refused, space, prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    space(LISTS)
    line = refused(tune, *quick("--scheduler", "tcp://127.0.0.1:1"))
    assert line.startswith(f"{EXPECTED} at 'tcp://127.0.0.1:1', got ModuleNotFoundE")


# The last test of its group, because the workers of the scheduler continue to train.
@pytest.mark.xdist_group("cluster")
def test_a_search_on_a_cluster_can_be_interrupted(scheduler, started, space, tmp_path):
    space(ENDLESS)
    process = started("--method", "grid", "--scheduler", scheduler)
    wait_for(lambda: trials_done(tmp_path), process)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "Traceback" not in output
    assert output.splitlines()[-1] == "Aborted!"
