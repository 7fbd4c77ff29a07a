"""tune: invalid spaces and options raise an error before anything is trained."""

import pytest
from searches import RANGES, quick

from tools import tune


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": expected parameters, each once"),
        ("- 1", ": expected parameters, each once"),
        ("hidden: [", ": while parsing a flow node expected the node content"),
        ("l2: [0]\nl2: [1]", ": expected parameters, each once"),
        (
            "learnig_rate: [1]",
            ": learnig_rate: no such parameter; did you mean learning_rate?",
        ),
        ("workers: [1]", ": workers: no such parameter; did you mean hidden or "),
        ("7: [1]", ": 7: no such parameter; did you mean hidden or "),
        ("l2: []", ": l2: expected a list of different values, or log, uniform or int"),
        ("l2: 0.1", ": l2: expected a list of different values, or log, "),
        ("l2: {log: [1, 2], uniform: [1, 2]}", ": l2: expected a list of different values, or"),
        ("l2: [0, 0.0]", ": l2: expected a list of different values"),
        ("l2: [[0]]", ": l2: expected a number from 0 to 1e+06, got '[0]'"),
        ("l2: [true]", ": l2: expected a number from 0 to 1e+06, got 'True'"),
        ("l2: [.nan]", ": l2: expected a number from 0 to 1e+06, got 'nan'"),
        ("hidden: [50, 100]", ": hidden: expected a list such as [100], got 50"),
        ("hidden: [[]]", ": hidden: expected a list such as [100], got []"),
        ("hidden: [[0]]", ": hidden: expected an integer from 1 to 65536, got '0'"),
        (
            "hidden: {integer: [1, 9]}",
            ": hidden: expected a list such as [100], got 1",
        ),
        ("loss: [square]", ": loss: 'square' is not one of"),
        ("loss: {log: [1, 2]}", ": loss: '1' is not one of"),
        ("epochs: [1.5]", ": epochs: expected an integer from 1 to 1000000000, got '1.5'"),
        (
            "epochs: {uniform: [1, 9]}",
            ": epochs: expected a list of different values, or log",
        ),
        (
            "learning_rate: {integer: [1, 9]}",
            ": learning_rate: expected a list of different values",
        ),
        (
            "learning_rate: {log: [10, 0.1]}",
            ": learning_rate: expected a list of different values",
        ),
        ("learning_rate: {log: [1, 1]}", ": learning_rate: expected a list of different values"),
        ("learning_rate: {log: [0, 1]}", ": learning_rate: expected a number from 1e-08"),
        ("learning_rate: {log: 1}", ": learning_rate: expected a list of different values"),
        (
            "learning_rate: {normal: [0, 1]}",
            ": learning_rate: expected a list of different values",
        ),
        ("l2: {log: [0, 1]}", ": l2: expected a list of different values, or"),
        ("dropout_hidden: [0.5, 1]", ": dropout_hidden: expected a number from 0 to below"),
        ("[" * 3000, ": maximum recursion depth exceeded"),
    ],
)
def test_spaces_that_make_no_sense(text, message, refused, space, prepared, tmp_path):
    space(text)
    line = refused(tune, *quick())
    assert line.startswith(f"experiments/search/space.yaml{message}")
    assert not (tmp_path / "data/search").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--method", "grid"),
            "experiments/search/space.yaml: learning_rate: method grid takes lists only",
        ),
        (("--method", "bayes"), "tune.method: 'bayes' is not one of"),
        (("--trials", 0), "tune.trials: expected an integer from 1 to 100000, got '0'"),
        (
            ("--scheduler", "tcp://127.0.0.1:1"),
            "tune.scheduler: expected a Dask scheduler with workers at 'tcp://127.0.0.1:1'",
        ),
        (
            ("--scheduler", "x:y:z"),
            "tune.scheduler: expected a Dask scheduler with workers at 'x:y:z', got",
        ),
        (("--workers", -1), "tune.workers: expected an integer from 0 to 10000, got '-1'"),
        (("--momentum", 1), "train.momentum: expected a number from 0 to below 1, got '1'"),
        (("--space-path", "nowhere.yaml"), "nowhere.yaml: No such file"),
    ],
)
def test_options_that_make_no_sense(
    options, message, refused, space, prepared, tmp_path, monkeypatch
):
    monkeypatch.setattr("tools.tuning.workers.TIMEOUT", 0.5)
    space(RANGES)
    assert refused(tune, *quick(*options)).startswith(message)
    assert not (tmp_path / "data/search").exists()


def test_halving_and_epochs(refused, space, prepared):
    space("epochs: [1, 9]")
    line = refused(tune, *quick("--method", "halving"))
    assert line.startswith("experiments/search/space.yaml: epochs: method halving sets it")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("batch_size: [10, 141]", (), "train.batch_size: expected at most the 140 training im"),
        ("warmup: [0, 1]", ("--epochs", 1), "schedule.warmup: expected fewer than the 1 epochs"),
        (
            "warmup: [0, 0.5, 2]",
            ("--method", "halving"),
            "schedule.warmup: expected fewer than the 1 ",
        ),
        ("hidden: [[5], [65536, 65536, 65536, 65536]]", (), "train.hidden: layers of 65536, 6553"),
    ],
)
@pytest.mark.usefixtures("_without_workers")
def test_a_trial_that_makes_no_sense_is_a_row(text, options, message, tuned, space):
    space(text)
    output, rows, _ = tuned(*options)
    assert rows[0]["outcome"] == "trained"
    assert rows[-1]["outcome"].startswith(message)
    assert rows[-1]["accuracy"] == ""
    assert "(1 failed): " in output


@pytest.mark.usefixtures("_without_workers")
def test_nothing_but_failures(refused, space, prepared):
    space("l2: [1.0e+6]")
    line = refused(tune, *quick("--method", "grid"))
    assert line.startswith("experiments/search/space.yaml: all 1 trials failed: diverged")
