"""Results of a search: order, table, and the command to copy."""

import csv
import json

import numpy as np
import pytest
from texts import all_texts, overlapping, record_figures, tick_labels

from nn.images.info import DatasetInfo
from stages.training.data import TrainingData
from tools.tuning.results import write
from tools.tuning.search import Trial, run_search


def test_failures_last_then_the_last_round_then_accuracy_then_cost_then_the_draw(tmp_path):
    part = np.zeros((4, 2), np.float32), np.eye(4, dtype=np.float32)
    data = TrainingData(DatasetInfo(tuple("abcd"), (0.0, 1.0)), *part, part, [])
    # (units, first round, second round); None: the worker died.
    trials = [(1, 0.8, 0.7), (5, 0.9, (0.0, "diverged")), (2, 0.9, 0.1), (2, 0.9, 0.1), (3, None)]
    candidates = [{"hidden": (u[0],), "seed": k} for k, u in enumerate(trials)]

    def run(data, tasks, done):
        for task in tasks:
            result = trials[task["seed"]][task["epochs"]]
            if result is not None:
                done(task, result if isinstance(result, tuple) else (result, "trained"))

    plan = [(5, {"epochs": 1}), (4, {"epochs": 2})]
    found = run_search(data, candidates, plan, run, tmp_path / "log")
    assert [(t.options["epochs"], t.options["seed"]) for t in found] == [
        (2, 0), (2, 2), (2, 3), (1, 2), (1, 3), (1, 1), (1, 0), (2, 1), (1, 4),
    ]  # fmt: skip
    assert [trial.outcome for trial in found[-2:]] == ["diverged", "lost"]


def test_the_table_has_no_number_for_a_failed_trial(tmp_path):
    options = {"hidden": (8, 2), "seed": 0}
    found = [(7, 0.5, "trained"), (8, 0.0, "diverged"), (9, 0.0, "lost")]
    write(tmp_path, ["hidden"], [Trial(options, *values) for values in found])
    assert list(csv.reader((tmp_path / "trials.csv").open())) == [
        ["rank", "hidden", "accuracy", "multiplications", "outcome"],
        ["1", "8-2", "0.500000", "7", "trained"],
        ["2", "8-2", "", "8", "diverged"],
        ["3", "8-2", "", "9", "lost"],
    ]


@pytest.mark.parametrize(
    ("params", "line"),
    [
        (
            {"l2": 1e-05, "seed": 3},
            "dvc exp run -S 'regularization.l2=1.0e-05' -S 'train.seed=3'",
        ),
        ({"l2": 1.5e-05}, "dvc exp run -S 'regularization.l2=1.5e-05'"),
        (
            {"hidden": (300, 100), "loss": "quadratic"},
            "dvc exp run -S 'train.hidden=[300,100]' -S 'train.loss=quadratic'",
        ),
    ],
)
def test_the_command_to_copy(params, line, tmp_path):
    output = write(tmp_path, list(params), [Trial(params, 1, 0.9, "trained")])
    assert output == f"best of 1 trials (0 failed): accuracy 90.00%\n{line}"
    assert json.loads((tmp_path / "best.json").read_text())["command"] == line


@pytest.mark.parametrize(
    "trials",
    [
        [(10**9, 0.9)],
        [(20_000_000_000 + 10**9 * k, 0.97 + 0.002 * k) for k in range(3)],
        [(2 * 10**10, 0.97)] * 4,
        [(10 ** (5 + k), 1 - 10.0 ** -(k / 2)) for k in range(9)],
        [(10**9 * (k + 1), 0.9 + k / 2000) for k in range(200)],
        [(10**9, 0.9), (10**10, 1.0)],
    ],
)
def test_the_axes_of_the_plot_have_numbers(trials, tmp_path, monkeypatch):
    figures = record_figures(monkeypatch)
    write(tmp_path, ["hidden"], [Trial({"hidden": (8,)}, *trial, "trained") for trial in trials])
    (figure,) = figures
    assert overlapping(figure) == []
    assert not any("\\" in text for text in all_texts(figure))
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        labels = tick_labels(axis)
        assert 1 <= len(labels) <= 6
        assert [float(label.get_text()) for label in labels] == axis.get_majorticklocs().tolist()
