"""tune: its processes may die, and it may be interrupted or killed."""

import os
import signal

import psutil
import pytest
from searches import LISTS, in_this_process, options, quick, trials_done, wait_for

from tools import tune
from tools.tuning.search import run_trial

# As `python -m tools.tune`, but the process kills itself when the second trial is written.
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


def busy_children(process):
    children = psutil.Process(process.pid).children()
    return [child for child in children if child.cpu_times().user > 1]


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
