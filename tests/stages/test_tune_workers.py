"""tune: whoever does the work, the result is the same; workers may die."""

import os
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from deadly import Deadly
from distributed import LocalCluster
from searches import LISTS, RANGES, quick

from stages import tune
from stages.searching.engines import working_with
from stages.searching.plan import Plan
from stages.searching.search import Trial, search

ROOT = Path(__file__).parent.parent.parent


def part(prepared, name):
    return tuple(np.load(prepared / f"{name}_{kind}.npy") for kind in ("images", "labels"))


@pytest.fixture(scope="module")
def scheduler():
    """A Dask scheduler with two worker processes, on loopback."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster.scheduler_address


@pytest.mark.parametrize(
    "engine", [("loky", 2), ("threading", 2), ("multiprocessing", 2), ("dask", 0)]
)
@pytest.mark.parametrize("method", [("--trials", 7), ("--method", "halving", "--folds", 2)])
def test_same_bytes_whoever_does_the_work(engine, method, tuned, space, scheduler):
    space(RANGES)
    name, workers = engine
    alone = tuned(*method)
    options = ("--engine", name, "--workers", workers, "--scheduler", scheduler)
    assert tuned(*method, *options) == alone
    assert tuned(*method, "--search-seed", 1) != alone


@pytest.mark.parametrize(("name", "method"), [("loky", "random"), ("dask", "halving")])
def test_a_trial_that_kills_its_worker_is_lost_and_the_others_are_not(
    name, method, prepared, scheduler
):
    rates = [0.5, 1.0, Deadly(2.0), 3.0]
    data = [(x, y.argmax(axis=1)) for x, y in (part(prepared, p) for p in ("train", "validation"))]
    plan = Plan(method, {"learning_rate": rates}, 4, 0, 0, 3)
    base = Trial(hidden=(8,), loss="quadratic", optimizer="sgd", epochs=3, n_classes=3)
    with working_with("sequential"):
        alone = search(plan, base, *data, lambda n: None)
    done = []
    with working_with(name, 2, scheduler):
        tried = search(plan, base, *data, done.append)
    assert sum(done) == plan.total
    lost = [t for t in tried if t.lost]
    assert [t.knobs["learning_rate"] for t in lost] == [2.0]
    assert np.isnan(lost[0].accuracy)
    for ours, theirs in zip(tried[:4], alone[:4], strict=True):
        assert ours.knobs == theirs.knobs
        assert ours.lost or ours.scores == theirs.scores


@dataclass(eq=False, repr=False)
class Hungry(Trial):
    """Wants more memory than there is, if its learning rate is 2."""

    def fit(self, *data):
        if self.lost < 0 and self.learning_rate == 2.0:
            raise MemoryError
        return super().fit(*data)


@dataclass(eq=False, repr=False)
class Doomed(Trial):
    """Dies whatever it is given to do."""

    def fit(self, *data):
        raise BrokenExecutor("a worker died")


def in_this_process(trial, prepared):
    data = [(x, y.argmax(axis=1)) for x, y in (part(prepared, p) for p in ("train", "validation"))]
    plan = Plan("grid", {"learning_rate": [1.0, 2.0]}, 0, 0, 0, 3)
    base = trial(hidden=(8,), loss="quadratic", optimizer="sgd", epochs=3, n_classes=3)
    with working_with("sequential"):
        return search(plan, base, *data, lambda n: None)


def test_a_trial_without_memory_is_lost(prepared):
    assert [t.lost for t in in_this_process(Hungry, prepared)] == [False, True]


def test_workers_that_die_without_work_end_the_search(prepared):
    with pytest.raises(BrokenExecutor):
        in_this_process(Doomed, prepared)


def test_ctrl_c_ends_it_and_leaves_nothing_half_written(space, prepared, tmp_path):
    space(LISTS)
    command = [sys.executable, "-m", "stages.tune", "--epochs", "100000", "--workers", "2"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a process group, which the terminal's Ctrl-C would hit
    ) as process:
        ours = psutil.Process(process.pid)
        while len([child for child in ours.children() if child.cpu_times().user > 2.5]) < 2:
            assert process.poll() is None
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert "Aborted!" in output
    assert "Traceback" not in output
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["prepared"]


def test_without_dask(refused, space, prepared, monkeypatch):
    monkeypatch.setitem(sys.modules, "stages.searching.cluster", None)
    space(LISTS)
    line = refused(tune, *quick("--engine", "dask"))
    assert (
        line == "tune.engine: dask is not installed; install it with pip install -e '.[cluster]'."
    )
