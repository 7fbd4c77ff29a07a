"""tune on a Dask cluster: the same results as on one machine; workers and scheduler may die."""

import json
import shutil
import signal
import socket
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dask
import pytest
from dask_processes import dask_processes
from deadly import Deadly
from distributed import LocalCluster
from searches import LISTS, RANGES, in_this_process, options, quick, trials_done, wait_for

from tools import tune
from tools.tuning import workers
from tools.tuning.search import rounds, run_search
from tools.tuning.workers import run_locally, run_on_cluster

EXPECTED = "tune.scheduler: expected a Dask scheduler with workers"
# One trial ends at once, the others never.
ENDLESS = "hidden: [[5], [8, 6]]\nepochs: [1, 1000000]\n"


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


def test_a_scheduler_that_stays_silent(refused, space, prepared, monkeypatch):
    monkeypatch.setattr(workers, "TIMEOUT", 1)
    space(LISTS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        line = refused(tune, *quick("--scheduler", address))
    assert line.startswith(f"{EXPECTED} at '{address}', got TimeoutE")


def test_a_server_that_is_no_scheduler(refused, space, prepared, monkeypatch):
    monkeypatch.setattr(workers, "TIMEOUT", 1)
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


def test_a_cluster_that_is_gone_ends_the_search(started, space, prepared, tmp_path):
    space(ENDLESS)
    cases = [
        ("worker", signal.SIGKILL),
        ("scheduler", signal.SIGKILL),
        ("scheduler", signal.SIGSTOP),
    ]
    # At the same time, because each search waits for ten seconds.
    with ThreadPoolExecutor(len(cases)) as threads:
        searches = []
        for number, case in enumerate(cases):
            folder = tmp_path / str(number)
            for part in ("data", "experiments"):
                shutil.copytree(tmp_path / part, folder / part)
            searches.append(threads.submit(_lose, *case, started, folder))
    for case, search in zip(cases, searches, strict=True):
        code, output, address = search.result()
        assert code == 1, (case, output)
        assert "Traceback" not in output, case
        line = output.splitlines()[-1]
        assert line.startswith(f"Error: {EXPECTED} at '{address}', got "), case


def _lose(whose, signum, started, folder):
    """Start a cluster and a search in the folder, and send a signal to the worker or scheduler."""
    with dask_processes(folder) as (address, scheduler, (worker,)):
        process = started("--method", "grid", "--scheduler", address, folder=folder)
        wait_for(lambda: trials_done(folder), process)
        {"worker": worker, "scheduler": scheduler}[whose].send_signal(signum)
        output = process.communicate(timeout=60)[0]
    return process.returncode, output, address


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
