"""Options and spaces of quick searches, for the tests."""

from tools.tuning.search import run_trial

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
