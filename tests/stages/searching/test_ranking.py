"""ranking: who comes first, what it costs, and the line to copy."""

import math

import pytest

from nn import Recipe
from stages.searching.plan import Tried
from stages.searching.ranking import experiment, pareto_front, ranked, table


def tried(accuracy, hidden=(2,), rung=0, lost=False):
    return Tried({"hidden": hidden}, (accuracy,), rung, lost)


def order(*trials):
    return ranked(trials, Recipe(epochs=5), sizes=(4, 3), images=10)


def test_failures_last_then_the_last_rung_then_accuracy_then_cost_then_the_draw():
    trials = [
        tried(0.8),
        tried(math.nan, rung=2),
        tried(0.9, hidden=(3,)),
        tried(0.9),
        tried(0.9, hidden=(2,)),
        tried(0.7, rung=1),
        tried(math.nan, lost=True),
    ]
    found = order(*trials)
    assert [trials.index(trial.tried) for trial in found] == [5, 3, 3, 2, 0, 1, 6]
    assert [trial.rank for trial in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [trial.outcome for trial in found[-2:]] == ["diverged", "lost"]
    assert found[0].cost == 3 * (4 * 2 + 2 * 3) * 10 * 5


def test_the_front_is_whom_nobody_beats_at_their_price():
    found = order(
        tried(0.5, (1,)), tried(0.4, (2,)), tried(0.6, (3,)), tried(0.6, (4,)), tried(math.nan)
    )
    assert [trial.tried.knobs["hidden"] for trial in pareto_front(found)] == [(1,), (3,)]


def test_the_table_has_no_number_where_there_is_none():
    header, rows = table(order(tried(0.5), tried(math.nan)), folds=3)
    assert header == ["rank", "hidden", "accuracy", "deviation", "multiplications", "outcome"]
    assert rows == [
        [1, "2", "0.500000", "0.000000", 2100, "trained"],
        [2, "2", "", "", 2100, "diverged"],
    ]


@pytest.mark.parametrize(
    ("knobs", "line"),
    [
        ({"l2": 1e-05}, "dvc exp run -S 'train.l2=1.0e-05'"),
        ({"l2": 1.5e-05}, "dvc exp run -S 'train.l2=1.5e-05'"),
        (
            {"loss": "quadratic", "hidden": (300, 100)},
            "dvc exp run -S 'train.hidden=[300,100]' -S 'train.loss=quadratic'",
        ),
    ],
)
def test_the_line_to_copy(knobs, line):
    assert experiment(knobs) == line
