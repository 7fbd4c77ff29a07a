"""train: what it writes, what it never reads, what it refuses."""

import json
import os

import numpy as np
import pytest

from nn import Network, load, score
from stages import train
from stages.datasets import PARTS

QUICK = ("--hidden", 8, "--epochs", 4, "--learning-rate", 1)
DAMAGED = [(part, kind) for part in PARTS if part != "test" for kind in ("images", "labels")]


def test_model_and_live_curves(run, prepared, tmp_path):
    result = run(train, *QUICK, "--hidden", 5)
    assert result.exit_code == 0, result.output
    network = load(tmp_path / "data/model/model.npz")
    assert network.sizes == (16, 8, 5, 3)
    assert network.classes == ("circle", "$\\foo$", "a, b")
    assert network.pixel_range == (0, 255)

    training = tmp_path / "data" / "training"
    last = json.loads((training / "metrics.json").read_text())
    assert last["step"] == 4
    for part in ("train", "validation"):
        found = score(
            network,
            np.load(prepared / f"{part}_images.npy"),
            np.load(prepared / f"{part}_labels.npy"),
        )
        assert last[part] == pytest.approx({"loss": found.loss, "accuracy": found.accuracy})
        for metric in ("loss", "accuracy"):
            lines = (training / f"plots/metrics/{part}/{metric}.tsv").read_text().splitlines()
            assert lines[0] == f"step\t{metric}"
            assert [line.split("\t")[0] for line in lines[1:]] == ["1", "2", "3", "4"]


def content_of(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_same_seed_same_bytes_and_another_seed_another_network(run, prepared, tmp_path):
    def artifacts(*options):
        assert run(train, *QUICK, *options).exit_code == 0
        return content_of(tmp_path / "data/model") | content_of(tmp_path / "data/training")

    first = artifacts("--seed", 7)
    assert artifacts("--seed", 7) == first
    assert artifacts("--seed", 8) != first


def test_it_never_opens_the_test_set(run, prepared):
    for path in prepared.glob("test_*"):
        path.unlink()
    assert run(train, *QUICK).exit_code == 0


def test_an_untouched_terminal_log_stays_quiet(run, prepared):
    output = run(train, *QUICK).output
    assert len(output.splitlines()) == 1
    assert "\r" not in output


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (("--hidden", 0), "train.hidden: 0 is not in the range"),
        (("--hidden", -3), "train.hidden: -3 is not in the range"),
        (("--hidden", 10**12), "train.hidden: 1000000000000 is not in the range"),
        (("--hidden", "x"), "train.hidden: 'x' is not a valid integer"),
        (("--hidden", 2.5), "train.hidden: '2.5' is not a valid integer"),
        ((("--hidden", 65536) * 9), "train.hidden: layers of 8, 65536, 65536"),
        (("--learning-rate", 0), "train.learning_rate: '0' is not a number above 0"),
        (("--learning-rate", -1), "train.learning_rate: '-1' is not a number above 0"),
        (("--learning-rate", "nan"), "train.learning_rate: 'nan' is not a number above 0"),
        (("--learning-rate", "inf"), "train.learning_rate: 'inf' is not a number above 0"),
        (("--learning-rate", "1e-45"), "train.learning_rate: '1e-45' is not a number above 0"),
        (("--learning-rate", "1e300"), "train.learning_rate: '1e300' is not a number above 0"),
        (("--learning-rate", "fast"), "train.learning_rate: 'fast' is not a number above 0"),
        (("--batch-size", 0), "train.batch_size: 0 is not in the range"),
        (("--batch-size", 141), "train.batch_size: 141 is more than the 140 training images"),
        (("--batch-size", 10**15), "train.batch_size: 1000000000000000 is not in the range"),
        (("--epochs", 0), "train.epochs: 0 is not in the range"),
        (("--epochs", "1e3"), "train.epochs: '1e3' is not a valid integer"),
        (("--epochs", 10**30), "train.epochs: 1" + "0" * 30 + " is not in the range"),
        (("--activation", "relux"), "train.activation: 'relux' is not"),
        (("--loss", "None"), "train.loss: 'None' is not"),
        (("--initialization", ""), "train.initialization: '' is not one of"),
        (("--optimizer", "sdg"), "train.optimizer: 'sdg' is not"),
        (("--seed", -1), "train.seed: -1 is not in the range"),
        (("--learnig_rate", 1), "train.learnig_rate: there is no such parameter. Did you mean"),
    ],
)
def test_impossible_parameters(options, start, refused, prepared, tmp_path):
    model = tmp_path / "data/model/model.npz"
    model.parent.mkdir()
    model.write_bytes(b"the old model")
    quick = {"--epochs": 4, "--learning-rate": 1}
    rest = [part for pair in quick.items() if pair[0] not in options for part in pair]
    assert refused(train, "--hidden", 8, *rest, *options).startswith(start)
    assert model.read_bytes() == b"the old model"
    assert content_of(model.parent).keys() == {model.relative_to(model.parent)}


def test_training_that_diverges_says_so_and_keeps_the_old_model(
    refused, prepared, tmp_path, monkeypatch
):
    model = tmp_path / "data/model/model.npz"
    model.parent.mkdir()
    model.write_bytes(b"the old model")
    initialize = Network.initialize

    def unlucky(*args, **options):
        network = initialize(*args, **options)
        network.weights[0][0, 0] = np.inf
        return network

    monkeypatch.setattr(Network, "initialize", unlucky)
    curves = tmp_path / "data/training/metrics.json"
    curves.parent.mkdir()
    curves.write_text("the old curves")
    line = refused(train, *QUICK)
    assert line.startswith("train.learning_rate: training diverged, weights are no longer finite")
    assert model.read_bytes() == b"the old model"
    assert content_of(curves.parent) == {curves.relative_to(curves.parent): b"the old curves"}


@pytest.mark.parametrize(("part", "kind"), DAMAGED)
@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "tampered", "dtype"])
def test_damaged_inputs(part, kind, damage, refused, prepared, tmp_path):
    path = prepared / f"{part}_{kind}.npy"
    array = np.load(path)
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        os.truncate(path, path.stat().st_size - 7)
    elif damage == "foreign":
        path.write_bytes(b"\x93NUMPY nonsense")
    elif damage == "tampered":
        array[3, 1] = np.nan
        np.save(path, array)
    else:
        np.save(path, array.astype(np.float64))
    line = refused(train, *QUICK)
    assert line.startswith(f"data/prepared/{part}_{kind}.npy: ")
    assert line.endswith("Make it again: dvc repro --force --single-item preprocess")
    assert not (tmp_path / "data/model").exists()


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b'{"classes": ["a"]}',
        b"{",
        b"\xff",
        b'{"classes": ["a"], "pixel_range": [0, 0]}',
    ],
)
def test_damaged_description(content, refused, prepared):
    path = prepared / "about.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert refused(train, *QUICK).startswith("data/prepared/about.json: ")
