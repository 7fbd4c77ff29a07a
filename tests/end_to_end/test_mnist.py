"""The whole pipeline on real MNIST, as committed, from an empty `data/`."""

import hashlib
import json

import numpy as np
import pytest
import yaml
from clones import ROOT, clone_of_this_repository

from nn import load


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    base = tmp_path_factory.mktemp("mnist")
    clone = clone_of_this_repository(base / "clone", base / "home")
    assert clone.repro() == ["fetch", "preprocess", "train", "evaluate", "export"]
    return clone


def test_accuracy_of_the_default_configuration(mnist):
    metrics = json.loads(mnist.read("metrics.json"))
    assert metrics["test"]["accuracy"] >= 0.975
    assert metrics["validation"]["accuracy"] >= 0.975
    assert metrics["train"]["accuracy"] > metrics["test"]["accuracy"]
    assert metrics["test"]["calibration_error"] < 0.05


def test_the_data_are_mnist_in_its_official_order(mnist):
    images = np.load(mnist.folder / "data/prepared/test_images.npy")
    labels = np.load(mnist.folder / "data/prepared/test_labels.npy")
    raw = np.round(images * 255).astype(np.uint8)
    # The last 10 000 of the pinned 70 000 images, worked out from the raw file.
    all_images = np.load(mnist.folder / "data/raw/images.npy")
    digest = hashlib.sha256(all_images.tobytes()).hexdigest()
    assert digest == "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96"
    np.testing.assert_array_equal(raw, all_images[60_000:])
    assert labels[-5:].argmax(axis=1).tolist() == [2, 3, 4, 5, 6]


def test_the_committed_lock_and_metrics_are_true(mnist):
    committed = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    made = yaml.safe_load(mnist.read("dvc.lock"))["stages"]
    # Weights depend on how the kind of processor rounds; all else must be equal.
    for stage in ("fetch", "preprocess"):
        assert committed[stage] == made[stage]
    for stage in ("train", "evaluate", "export"):
        assert committed[stage]["cmd"] == made[stage]["cmd"]
        assert committed[stage]["params"] == made[stage]["params"]
        code = [dep for dep in committed[stage]["deps"] if dep["path"].endswith(".py")]
        assert code == [dep for dep in made[stage]["deps"] if dep["path"].endswith(".py")]
    old, new = (
        json.loads((ROOT / "metrics.json").read_text()),
        json.loads(mnist.read("metrics.json")),
    )
    for part in ("test", "validation", "train"):
        assert new[part]["accuracy"] == pytest.approx(old[part]["accuracy"], abs=0.005)


def test_the_model_can_be_taken_away(mnist):
    network = load(mnist.folder / "data/model/model.npz")
    raw = np.load(mnist.folder / "data/raw/images.npy")[60_000:]
    labels = np.load(mnist.folder / "data/raw/labels.npy")[60_000:]
    metrics = json.loads(mnist.read("metrics.json"))
    accuracy = (network.predict(network.scale(raw)) == labels).mean()
    assert accuracy == metrics["test"]["accuracy"]
    assert network.classes == tuple("0123456789")
