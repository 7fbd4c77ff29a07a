"""Results of a search: order, table, Pareto front, and the command to copy."""

import math

import pytest

from tools.tuning.results import command, pareto_front, table
from tools.tuning.search import Trial, ranked


def trial(score, cost=1, number=0, name=0):
    outcome = "lost" if score is None else "diverged" if math.isnan(score) else "trained"
    accuracy, deviation = (math.nan, math.nan) if outcome != "trained" else (score, 0.0)
    return Trial({"hidden": (name, 2)}, number, cost, outcome, accuracy, deviation)


def test_failures_last_then_the_last_round_then_accuracy_then_cost_then_the_draw():
    trials = [
        trial(0.8),
        trial(math.nan, number=2),
        trial(0.9, cost=3),
        trial(0.9),
        trial(0.9, name=1),
        trial(0.7, number=1),
        trial(None),
    ]
    found = ranked(trials)
    assert [trials.index(trial) for trial in found] == [5, 3, 4, 2, 0, 1, 6]
    assert [trial.outcome for trial in found[-2:]] == ["diverged", "lost"]


def test_the_pareto_front():
    found = ranked([trial(0.5, 1), trial(0.4, 2), trial(0.6, 3), trial(0.6, 4), trial(math.nan)])
    assert [trial.cost for trial in pareto_front(found)] == [1, 3]


def test_the_table_has_no_number_for_a_failed_trial():
    header, *rows = table([trial(0.5, 7), trial(math.nan, 8), trial(None, 9)], folds=3)
    assert header == ["rank", "hidden", "accuracy", "deviation", "multiplications", "outcome"]
    assert rows == [
        [1, "0-2", "0.500000", "0.000000", 7, "trained"],
        [2, "0-2", "", "", 8, "diverged"],
        [3, "0-2", "", "", 9, "lost"],
    ]


@pytest.mark.parametrize(
    ("params", "line"),
    [
        (
            {"regularization": {"l2": 1e-05}, "train": {"seed": 3}},
            "dvc exp run -S 'regularization.l2=1.0e-05' -S 'train.seed=3'",
        ),
        ({"regularization": {"l2": 1.5e-05}}, "dvc exp run -S 'regularization.l2=1.5e-05'"),
        (
            {"train": {"hidden": (300, 100), "loss": "quadratic"}},
            "dvc exp run -S 'train.hidden=[300,100]' -S 'train.loss=quadratic'",
        ),
    ],
)
def test_the_command_to_copy(params, line):
    assert command(params) == line
