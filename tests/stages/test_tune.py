"""tune: the trials are those of `train`, whoever does the work; what dies, and what is refused."""

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
from deadly import Deadly
from distributed import LocalCluster
from sklearn.model_selection import StratifiedKFold

from nn import Recipe, Run, load, score
from stages import train, tune
from stages.searching.engines import working_with
from stages.searching.plan import Plan
from stages.searching.search import Trial, search
from stages.searching.space import Range

QUICK = {"--hidden": 8, "--epochs": 4, "--learning-rate": 1, "--workers": 1}
LISTS = "hidden: [[5], [8, 6]]\nlearning_rate: [0.3, 1, 3]\n"
RANGES = """\
hidden: [[5], [8, 6]]
learning_rate: {log: [0.1, 10]}
dropout_hidden: {uniform: [0, 0.5]}
batch_size: {integer: [5, 50]}
"""
ROOT = Path(__file__).parent.parent.parent
FILES = ("best.json", "trade_off.png", "trials.csv")


def quick(*options):
    """These options, and whatever they do not say of a quick search in this process."""
    rest = {name: value for name, value in QUICK.items() if name not in options}
    return [*(part for pair in rest.items() for part in pair), *options]


@pytest.fixture
def space(tmp_path):
    """Write the search space."""
    (tmp_path / "search").mkdir()
    return (tmp_path / "search/space.yaml").write_text


@pytest.fixture
def tuned(run, prepared, tmp_path):
    """Run a quick search; what it prints, its table, the bytes of its files."""

    def invoke(*options):
        result = run(tune, *quick(*options))
        assert result.exit_code == 0, (result.output, result.exception)
        folder = tmp_path / "data/search"
        rows = list(csv.DictReader((folder / "trials.csv").open()))
        return result.output, rows, [(folder / name).read_bytes() for name in FILES]

    return invoke


def part(prepared, name):
    return tuple(np.load(prepared / f"{name}_{kind}.npy") for kind in ("images", "labels"))


def by_hand(images, labels, judged_by, **knobs):
    run = Run(Recipe(**knobs), sizes=(16, 3), seed=0, image_shape=(4, 4))
    for _ in run.epochs(images, labels):
        pass
    return score(run.result, *judged_by).accuracy


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


def test_folds(tuned, space, prepared):
    space(LISTS)
    _, rows, _ = tuned("--method", "grid", "--folds", 3, "--search-seed", 5)
    images, labels = part(prepared, "train")
    folds = StratifiedKFold(3, shuffle=True, random_state=5).split(images, labels.argmax(axis=1))
    expected = [
        by_hand(
            images[learnt],
            labels[learnt],
            (images[rest], labels[rest]),
            hidden=(5,),
            learning_rate=3.0,
            epochs=4,
        )
        for learnt, rest in folds
    ]
    row = next(row for row in rows if (row["hidden"], row["learning_rate"]) == ("5", "3.0"))
    assert float(row["accuracy"]) == pytest.approx(np.mean(expected), abs=1e-6)
    assert float(row["deviation"]) == pytest.approx(np.std(expected), abs=1e-6)


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
    for knob in words[4::2]:
        name, value = knob.removeprefix("train.").split("=")
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
    rungs = {
        rung: [tuple(row[name] for name in names) for row in rows if row["epochs"] == rung]
        for rung in ("1", "3", "9")
    }
    # As scikit-learn does, whose choice among equals is its own.
    worst = min(float(row["accuracy"]) for row in rows if row["epochs"] == "1")
    assert set(rungs["3"]) < set(rungs["1"])
    assert set(rungs["9"]) < set(rungs["3"])
    assert all(float(row["accuracy"]) >= worst for row in rows)


@pytest.mark.parametrize(("trials", "epochs"), [(1, 1), (2, 9), (9, 1), (30, 8), (81, 81), (3, 5)])
def test_the_rungs_of_halving_are_those_of_scikit_learn(trials, epochs):
    class Instant(Trial):
        def fit(self, X, y):  # noqa: N803
            self.network_ = None
            return self

        def score(self, X, y):  # noqa: N803
            return self.learning_rate

    plan = Plan("halving", {"learning_rate": Range("uniform", 0, 1, False)}, trials, 0, 0, epochs)
    data = np.zeros((4, 2), np.float32), np.arange(4)
    done = []
    with joblib.parallel_config("sequential"):
        tried = search(plan, Instant(), data, data, done.append)
    assert [(t.rung, t.knobs["epochs"]) for t in tried] == [
        (rung, epochs) for rung, (n, epochs) in enumerate(plan.rungs) for _ in range(n)
    ]
    assert sum(done) == plan.total == len(tried)
    for rung in range(1, len(plan.rungs)):
        before = sorted((t.accuracy for t in tried if t.rung == rung - 1), reverse=True)
        assert (
            sorted((t.accuracy for t in tried if t.rung == rung), reverse=True)
            == (before[: plan.rungs[rung][0]])
        )


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


def test_a_trial_that_diverges_comes_last(tuned, space, prepared, tmp_path):
    space("l2: [1.0e+6, 0]")
    output, rows, _ = tuned("--method", "grid")
    assert [row["outcome"] for row in rows] == ["trained", "diverged"]
    assert rows[1]["accuracy"] == ""
    assert "best of 2 trials, 1 of them without a result: " in output


def test_the_test_set_stays_closed(tuned, space, prepared):
    for path in prepared.glob("test_*"):
        path.unlink()
    space(LISTS)
    tuned("--trials", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": it names no knob"),
        ("- 1", ": it names no knob"),
        ("hidden: [", ": it is no YAML"),
        ("l2: [0]\nl2: [1]", ": it is no YAML"),
        (
            "learnig_rate: [1]",
            ": learnig_rate: train has no such parameter; did you mean learning_",
        ),
        ("workers: [1]", ": workers: train has no such parameter"),
        ("7: [1]", ": 7: train has no such parameter"),
        ("l2: []", ": l2: the list is empty"),
        ("l2: 0.1", ": l2: 0.1 is neither a list of choices nor one of log, uniform, integer"),
        ("l2: {log: [1, 2], uniform: [1, 2]}", ": l2: {'log': [1, 2], 'uniform': [1, 2]} is neith"),
        ("l2: [0, 0.0]", ": l2: 0.0 is there twice"),
        ("l2: [[0]]", ": l2: [0] is not one value"),
        ("l2: [true]", ": l2: True is not one value"),
        ("l2: [.nan]", ": l2: nan is not from 0"),
        ("hidden: [50, 100]", ": hidden: 50 is no list; each choice is one"),
        ("hidden: [[]]", ": hidden: [] is no list"),
        ("hidden: [[0]]", ": hidden: 0 is not in the range"),
        ("hidden: {integer: [1, 9]}", ": hidden: it is no number"),
        ("loss: [square]", ": loss: 'square' is not one of"),
        ("loss: {log: [1, 2]}", ": loss: it is no number"),
        ("epochs: [1.5]", ": epochs: '1.5' is not a valid integer"),
        ("epochs: {uniform: [1, 9]}", ": epochs: it is a whole number; choose integer or log"),
        ("learning_rate: {integer: [1, 9]}", ": learning_rate: it need not be whole"),
        ("learning_rate: {log: [10, 0.1]}", ": learning_rate: 10 is not below 0.1"),
        ("learning_rate: {log: [1, 1]}", ": learning_rate: 1 is not below 1"),
        ("learning_rate: {log: [0, 1]}", ": learning_rate: '0' is not a number above 0"),
        ("learning_rate: {log: 1}", ": learning_rate: log takes two numbers"),
        ("learning_rate: {normal: [0, 1]}", ": learning_rate: there is no 'normal'"),
        ("l2: {log: [0, 1]}", ": l2: log starts above 0"),
        ("dropout_hidden: [0.5, 1]", ": dropout_hidden: 1.0 is not from 0 to below 1 (in the"),
        ("batch_size: [10, 141]", ": batch_size: 141 is more than the 140 training images (in th"),
        (
            "epochs: [1, 9]\nwarmup: [0, 5]",
            ": warmup: 5.0 is not from 0 to fewer than the 1 epochs",
        ),
    ],
)
def test_spaces_that_make_no_sense(text, message, refused, space, prepared, tmp_path):
    space(text)
    line = refused(tune, *quick())
    assert line.startswith(f"search/space.yaml{message}")
    assert not (tmp_path / "data/search").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--method", "grid"), "search/space.yaml: learning_rate: a grid takes lists only"),
        (("--method", "bayes"), "tune.method: 'bayes' is not one of"),
        (("--trials", 0), "tune.trials: 0 is not in the range"),
        (("--folds", 1), "tune.folds: 1 is not 0, or from 2 to the 46 training images of the rar"),
        (("--folds", 47), "tune.folds: 47 is not 0, or from 2 to the 46 training images of the r"),
        (("--folds", 2, "--patience", 3), "tune.folds: a fold has no images to spare for patience"),
        (("--engine", "lok"), "tune.engine: joblib has no 'lok' here (Invalid backend: lok"),
        (("--engine", "dask"), "tune.scheduler: engine dask needs the address of a running"),
        (
            ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:1"),
            "tune.scheduler: no Dask scheduler answers at tcp://127.0.0.1:1",
        ),
        (("--engine", "dask", "--scheduler", "x:y:z"), "tune.scheduler: no Dask scheduler answers"),
        (("--workers", -1), "tune.workers: -1 is not in the range"),
        (("--momentum", 1), "train.momentum: 1.0 is not from 0 to below 1"),
        (("--space-path", "nowhere.yaml"), "nowhere.yaml: it is not there"),
    ],
)
def test_options_that_make_no_sense(
    options, message, refused, space, prepared, tmp_path, monkeypatch
):
    monkeypatch.setattr("stages.searching.cluster._PATIENCE", 0.5)
    space(RANGES)
    assert refused(tune, *quick(*options)).startswith(message)
    assert not (tmp_path / "data/search").exists()


def test_halving_and_epochs(refused, space, prepared):
    space("epochs: [1, 9]")
    line = refused(tune, *quick("--method", "halving"))
    assert line.startswith("search/space.yaml: epochs: they are what halving saves")
    space("warmup: [0, 0.5, 2]")
    line = refused(tune, *quick("--method", "halving", "--epochs", 4))
    assert line == (
        "search/space.yaml: warmup: 2.0 is not from 0 to fewer than the 1 epochs "
        "(in the trial with epochs 1, warmup 2.0)."
    )


def test_nothing_but_failures(refused, space, prepared):
    space("l2: [1.0e+6]")
    line = refused(tune, *quick("--method", "grid"))
    assert line.startswith("search/space.yaml: none of 1 trials came to a result; the first one di")


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


def test_ranges_draw_both_ends_and_nothing_beyond():
    rng = np.random.RandomState(0)
    assert {Range("integer", 1, 3, True).rvs(rng) for _ in range(50)} == {1, 2, 3}
    assert {Range("log", 1, 3, True).rvs(rng) for _ in range(50)} == {1, 2, 3}
    drawn = np.array([Range("log", 1e-4, 1.0, False).rvs(rng) for _ in range(2000)])
    assert drawn.min() >= 1e-4
    assert drawn.max() <= 1.0
    assert np.mean(drawn < 1e-2) == pytest.approx(0.5, abs=0.05)
    drawn = [Range("uniform", 0.123456, 0.123457, False).rvs(rng) for _ in range(9)]
    assert all(0.123456 <= number <= 0.123457 for number in drawn)
