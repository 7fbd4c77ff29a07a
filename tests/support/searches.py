"""Options and spaces of quick searches, for the tests."""

import json
import time
from pathlib import Path

from nn import TrainingConfig
from tools.tuning.search import run_trial

ROOT = Path(__file__).parent.parent.parent

QUICK = {"--hidden": 8, "--epochs": 4, "--learning-rate": 1, "--workers": 1}
LISTS = "hidden: [[5], [8, 6]]\nlearning_rate: [0.3, 1, 3]\n"
RANGES = """\
hidden: [[5], [8, 6]]
learning_rate: {log: [0.1, 10]}
dropout_hidden: {uniform: [0, 0.5]}
batch_size: {integer: [5, 50]}
"""
FILES = ("best.json", "trade_off.png", "trials.csv")


def quick(*options):
    """These options, with those of `QUICK` that are not among them."""
    rest = {name: value for name, value in QUICK.items() if name not in options}
    return [*(part for pair in rest.items() for part in pair), *options]


def in_this_process(count, data, tasks, done):
    """Run trials without worker processes, which take seconds to start."""
    for task in tasks:
        done(task, run_trial(data, task))


def options(rates):
    """Options of training for each learning rate, for a search without the command line."""
    others = vars(TrainingConfig(hidden=(8,), epochs=3)) | {"class_weight": "equal", "seed": 0}
    return [others | {"learning_rate": rate} for rate in rates]


def wait_for(condition, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def trials_done(folder):
    """How many trials a search has written to its log."""
    log = folder / "data/search/unfinished.json"
    return len(json.loads(log.read_text())) if log.exists() else 0
