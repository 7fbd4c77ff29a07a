"""Snapshots of training: what `train` writes, and what cannot be read."""

from pathlib import Path

import numpy as np
import pytest

from nn import Network, load, save, score
from stages import train
from stages.common.command_line.errors import StageError
from stages.common.models.snapshots import MAX_PARAMETERS, Snapshots, parameters_of

PATH = Path("data/model/snapshots.npz")
QUICK = ("--hidden", 7, "--learning-rate", 1, "--snapshots-path", PATH)


def validation(prepared):
    return [np.load(prepared / f"validation_{kind}.npy") for kind in ("images", "labels")]


def test_each_is_the_network_of_a_training_of_so_many_epochs(run, prepared):
    assert run(train, *QUICK, "--epochs", 8).exit_code == 0
    network = load("data/model/model.npz")
    found = Snapshots.read(PATH, network)
    assert found.epochs.tolist() == [0, 1, 2, 3, 5, 8]
    assert found.accuracies[-1] == score(network, *validation(prepared)).accuracy
    snapshots = found.networks(network)
    for epochs, accuracy, snapshot in zip(found.epochs, found.accuracies, snapshots, strict=False):
        assert accuracy == score(snapshot, *validation(prepared)).accuracy
        if epochs:
            assert run(train, *QUICK, "--epochs", epochs).exit_code == 0
            expected = load("data/model/model.npz")
            np.testing.assert_allclose(parameters_of(snapshot), parameters_of(expected), atol=1e-6)
    assert snapshots[0].predict(validation(prepared)[0]).shape == (30,)


def test_there_are_none_of_large_networks_and_without_the_option(run, prepared):
    units = MAX_PARAMETERS // 20 + 1
    assert run(train, "--epochs", 2, "--hidden", units, *QUICK[2:]).exit_code == 0
    found = Snapshots.read(PATH, load("data/model/model.npz"))
    assert found.epochs.tolist() == [2]
    assert found.networks(load("data/model/model.npz")) == []
    PATH.unlink()
    assert run(train, "--epochs", 2, "--hidden", 7).exit_code == 0
    assert not PATH.exists()


def test_with_early_stopping_the_last_accuracy_is_the_models(run, prepared):
    assert (
        run(train, *QUICK, "--epochs", 60, "--patience", 1, "--monitor", "accuracy").exit_code == 0
    )
    network = load("data/model/model.npz")
    found = Snapshots.read(PATH, network)
    assert found.epochs[-1] < 60
    assert found.accuracies[-1] == score(network, *validation(prepared)).accuracy


@pytest.fixture
def model():
    return Network.initialize([16, 7, 3], np.random.default_rng(0))


def test_damaged_files_are_refused(model, tmp_path):
    path, p = tmp_path / "snapshots.npz", parameters_of(model).size
    good = {
        "epochs": np.array([0, 1]),
        "accuracies": np.array([0.1, 0.9]),
        "parameters": np.zeros((1, p), np.float32),
    }
    np.savez(path, **good)
    assert len(Snapshots.read(path, model).networks(model)) == 1
    for name, bad in (
        ("epochs", np.array(0)),
        ("epochs", np.array([0.0, 1.0])),
        ("epochs", np.array(["0", "1"])),
        ("accuracies", np.array([0.1])),
        ("accuracies", np.array([0.1, np.nan])),
        ("parameters", np.zeros(p)),
        ("parameters", np.zeros((1, p - 1))),
        ("parameters", np.full((1, p), np.inf)),
        ("parameters", np.array([{}])),
    ):
        np.savez(path, **(good | {name: bad}))
        with pytest.raises(StageError, match="expected"):
            Snapshots.read(path, model)
    content = path.read_bytes()
    for damage in (b"", b"nonsense", content[:200], content[:-30]):
        path.write_bytes(damage)
        with pytest.raises(StageError, match="expected snapshots"):
            Snapshots.read(path, model)
    with path.open("wb") as file:
        save(model, file)
    with pytest.raises(StageError, match="expected snapshots"):
        Snapshots.read(path, model)
    path.unlink()
    with pytest.raises(StageError, match="does not exist"):
        Snapshots.read(path, model)
