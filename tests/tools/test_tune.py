"""tune: the trials are those of `train`, by any method."""

import json
import shlex

import numpy as np
import pytest
from searches import LISTS, RANGES
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, ParameterSampler

from nn import Trainer, TrainingConfig, load, score
from nn.images.info import DatasetInfo
from stages import train
from stages.training.data import TrainingData
from tools.tuning.search import rounds, run_search
from tools.tuning.space import Distribution

pytestmark = pytest.mark.usefixtures("_without_workers")


def part(prepared, name):
    return tuple(np.load(prepared / f"{name}_{kind}.npy") for kind in ("images", "labels"))


def by_hand(images, labels, validation, **params):
    trainer = Trainer(TrainingConfig(**params), sizes=(16, 3), seed=0, image_shape=(4, 4))
    for _ in trainer.train_epochs(images, labels):
        pass
    return score(trainer.result, *validation).accuracy


@pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")  # few steps
def test_a_grid_is_a_loop_over_runs(tuned, space, prepared):
    space(LISTS)
    output, rows, _ = tuned("--method", "grid")
    expected = {
        (shown, str(rate)): by_hand(
            *part(prepared, "train"),
            part(prepared, "validation"),
            hidden=hidden,
            learning_rate=rate,
            epochs=4,
        )
        for shown, hidden in (("5", (5,)), ("8-6", (8, 6)))
        for rate in (0.3, 1.0, 3.0)
    }
    found = {(row["hidden"], row["learning_rate"]): float(row["accuracy"]) for row in rows}
    assert found == pytest.approx(expected, abs=1e-6)
    accuracies = [float(row["accuracy"]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    cost = {row["hidden"]: int(row["multiplications"]) for row in rows}
    assert cost == {"5": 3 * (16 * 5 + 5 * 3) * 140 * 4, "8-6": 3 * (128 + 48 + 18) * 140 * 4}
    # Two lines, and no bar where there is no terminal.
    assert len(output.splitlines()) == 2
    assert "\r" not in output


@pytest.mark.parametrize(
    "options", [(), ("--patience", 2, "--epochs", 30), ("--class-weight", "balanced")]
)
def test_the_printed_line_gives_train_what_the_search_has_found(
    options, tuned, run, space, prepared, tmp_path
):
    space(RANGES)
    output, rows, _ = tuned("--trials", 5, "--seed", 3, *options)
    best = json.loads((tmp_path / "data/search/best.json").read_text())
    line = output.splitlines()[-1]
    assert best["command"] == line
    words = shlex.split(line)
    assert words[:3] == ["dvc", "exp", "run"]
    given = []
    for option in words[4::2]:
        name, value = option.partition(".")[2].split("=")
        parts = json.loads(value) if value.startswith("[") else [value]
        given += [word for part in parts for word in (f"--{name}", part)]
    if "--epochs" not in options:
        given += ["--epochs", 4]
    assert run(train, "--seed", 3, *options, *given).exit_code == 0
    network = load(tmp_path / "data/model/model.npz")
    assert score(network, *part(prepared, "validation")).accuracy == best["accuracy"]
    assert float(rows[0]["accuracy"]) == pytest.approx(best["accuracy"], abs=1e-6)


def test_random_draws_within_the_ranges_and_no_list_twice(tuned, space):
    space(RANGES)
    _, rows, _ = tuned("--trials", 12)
    assert len(rows) == 12
    for row in rows:
        assert 0.1 <= float(row["learning_rate"]) <= 10
        assert 0 <= float(row["dropout_hidden"]) <= 0.5
        assert 5 <= int(row["batch_size"]) <= 50
    space(LISTS)
    _, rows, _ = tuned("--trials", 12)
    assert len({(row["hidden"], row["learning_rate"]) for row in rows}) == len(rows) == 6


def test_halving_lets_the_best_third_go_on(tuned, space):
    space(RANGES)
    _, rows, _ = tuned("--method", "halving", "--trials", 9, "--epochs", 9)
    epochs = [row["epochs"] for row in rows]
    assert epochs == ["9"] + ["3"] * 3 + ["1"] * 9
    names = ("hidden", "learning_rate", "batch_size")
    rounds = {
        number: [tuple(row[name] for name in names) for row in rows if row["epochs"] == number]
        for number in ("1", "3", "9")
    }
    # As scikit-learn does, whose choice among equals is its own.
    worst = min(float(row["accuracy"]) for row in rows if row["epochs"] == "1")
    assert set(rounds["3"]) < set(rounds["1"])
    assert set(rounds["9"]) < set(rounds["3"])
    assert all(float(row["accuracy"]) >= worst for row in rows)


class Instant(BaseEstimator):
    """An estimator whose score is its learning rate."""

    def __init__(self, learning_rate=1.0, epochs=1):
        self.learning_rate, self.epochs = learning_rate, epochs

    def fit(self, X, y):  # noqa: N803
        return self

    def score(self, X, y):  # noqa: N803
        return self.learning_rate


@pytest.mark.parametrize(("trials", "epochs"), [(1, 1), (2, 9), (9, 1), (30, 8), (81, 81), (3, 5)])
def test_the_rounds_of_halving_are_those_of_scikit_learn(trials, epochs, tmp_path):
    space = {"learning_rate": Distribution(0.001, 1.0)}
    candidates = list(ParameterSampler(space, trials, random_state=0))
    options = vars(TrainingConfig(epochs=epochs))
    part = np.zeros((4, 2), np.float32), np.eye(4, dtype=np.float32)
    data = TrainingData(DatasetInfo(tuple("abcd"), (0.0, 1.0)), *part, part, [])
    plan = rounds(trials, epochs, True)

    def run(data, tasks, done):
        for task in reversed(tasks):
            done(task, (task["learning_rate"], "trained"))

    found = run_search(data, [options | c for c in candidates], plan, run, tmp_path / "log")
    theirs = HalvingRandomSearchCV(
        Instant(), space, n_candidates=trials, factor=3, resource="epochs", cv=2, refit=False,
        min_resources=plan[0][1]["epochs"], max_resources=epochs, random_state=0,
    ).fit(np.zeros((8, 2)), np.repeat([0, 1], 4)).cv_results_  # fmt: skip
    assert sum(count for count, _ in plan) == len(found) == len(theirs["params"])
    assert {(t.options["epochs"], t.options["learning_rate"]) for t in found} == {
        (params["epochs"], params["learning_rate"]) for params in theirs["params"]
    }


def test_a_trial_that_diverges_comes_last(tuned, space, prepared, tmp_path):
    space("l2: [1.0e+6, 0]")
    output, rows, _ = tuned("--method", "grid")
    assert [row["outcome"] for row in rows] == ["trained", "diverged"]
    assert rows[1]["accuracy"] == ""
    assert "best of 2 trials (1 failed): " in output


def test_the_test_set_is_not_read(tuned, space, prepared):
    for path in prepared.glob("test_*"):
        path.unlink()
    space(LISTS)
    tuned("--trials", 2)


def test_ranges_include_both_bounds():
    rng = np.random.RandomState(0)
    assert {Distribution(1, 3).rvs(rng) for _ in range(50)} == {1, 2, 3}
    assert {Distribution(1, 3, log=True).rvs(rng) for _ in range(50)} == {1, 2, 3}
    drawn = np.array([Distribution(1e-4, 1.0, log=True).rvs(rng) for _ in range(2000)])
    assert drawn.min() >= 1e-4
    assert drawn.max() <= 1.0
    assert np.mean(drawn < 1e-2) == pytest.approx(0.5, abs=0.05)
    drawn = [Distribution(0.123456, 0.123457).rvs(rng) for _ in range(9)]
    assert all(0.123456 <= number <= 0.123457 for number in drawn)
