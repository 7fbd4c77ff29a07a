"""tune: what makes no sense is refused before anything is trained."""

import pytest
from searches import RANGES, quick

from stages import tune


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
