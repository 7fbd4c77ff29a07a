"""Command `combine`, and what the other commands do with the ensemble that it writes."""

import json

import numpy as np
import onnxruntime
import pytest

from nn import Ensemble, Network, load, save, score
from stages import evaluate, export
from tools import combine

CLASSES = ["a", "b", "c"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Prepared images of 6×5 pixels and three networks for them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    prepared = tmp_path / "data" / "prepared"
    prepared.mkdir(parents=True)
    for part in ("train", "validation", "test"):
        np.save(prepared / f"{part}_images.npy", rng.random((30, 30), np.float32))
        labels = np.eye(3, dtype=np.float32)[np.arange(30) % 3]
        np.save(prepared / f"{part}_labels.npy", labels)
    about = {"classes": CLASSES, "image_shape": [6, 5], "pixel_range": [0, 1]}
    about |= {"deslanted": False, "framing": None}
    (prepared / "about.json").write_text(json.dumps(about))
    for seed in range(3):
        network(seed, (30, 8 + seed, 3))
    return tmp_path


def network(seed, sizes, **options):
    options = {"classes": CLASSES, "image_shape": (6, 5), "initialization": "normal"} | options
    made = Network.initialize(sizes, np.random.default_rng(seed), **options).on_grid()
    with open(f"{seed}.npz", "wb") as file:
        save(made, file)
    return made


def test_an_ensemble_is_evaluated_and_exported_like_a_network(run, folder):
    result = run(combine, "0.npz", "1.npz", "2.npz", "--model-path", "data/model/model.npz")
    assert result.output == "data/model/model.npz: an ensemble of 3 networks\n"
    members = [load(f"{k}.npz") for k in range(3)]
    ensemble = load("data/model/model.npz")
    assert isinstance(ensemble, Ensemble)
    images, labels = (np.load(f"data/prepared/test_{what}.npy") for what in ("images", "labels"))
    expected = np.mean([member.probabilities(images) for member in members], axis=0)
    np.testing.assert_allclose(ensemble.probabilities(images), expected, rtol=1e-6)

    assert run(evaluate).exit_code == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] == score(ensemble, images, labels).accuracy
    assert run(export).exit_code == 0
    session = onnxruntime.InferenceSession("data/export/model.onnx")
    np.testing.assert_allclose(session.run(None, {"images": images})[0], expected, atol=1e-5)
    card = (folder / "data/export/README.md").read_text()
    assert "layers of 30-8-3, 30-9-3, 30-10-3 units, averaged" in card


def test_an_ensemble_of_ensembles_has_all_their_members(run, folder):
    run(combine, "0.npz", "1.npz", "--model-path", "first.npz")
    run(combine, "first.npz", "2.npz", "--model-path", "second.npz")
    assert [member.sizes[1] for member in load("second.npz").members] == [8, 9, 10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ["x", "y", "z"]}, "combine.models: expected members with the same classes"),
        ({"image_shape": (5, 6)}, "combine.models: expected members with the same image_shape"),
    ],
    ids=str,
)
def test_models_of_different_data(options, message, refused, folder):
    network(7, (30, 4, 3), **options)
    assert refused(combine, "0.npz", "7.npz").startswith(message)
    assert not (folder / "data/model/ensemble.npz").exists()


def test_members_for_deslanted_images_and_for_others(run, refused, folder):
    deslanted = network(7, (30, 4, 3), deslanted=True)
    run(combine, "0.npz", "7.npz", "--model-path", "data/model/model.npz")
    ensemble = load("data/model/model.npz")
    assert not ensemble.deslanted
    images = np.load("data/prepared/test_images.npy")
    expected = load("0.npz").probabilities(images) + deslanted.probabilities(
        deslanted.prepare(images)
    )
    np.testing.assert_allclose(ensemble.probabilities(images), expected / 2, rtol=1e-6)
    np.testing.assert_array_equal(
        ensemble.probabilities(images[0]), ensemble.probabilities(images)[0]
    )
    assert run(evaluate).exit_code == 0
    assert "members that are all for deslanted images" in refused(export)
