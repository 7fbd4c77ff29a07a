"""evaluate: metrics against scikit-learn's, tables, pictures; what it refuses."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from nn import Network, load, save
from stages import evaluate
from stages.common.models.predictions import Predictions, predict, sample_mistakes
from stages.common.pictures.mosaics import image_shape
from stages.reporting import plots
from stages.reporting.learning_curves import read_curves

CURVES = {(part, metric): np.array([0.25, 0.5, 0.125])
          for part in ("train", "validation") for metric in ("accuracy", "loss")}  # fmt: skip


@pytest.fixture
def model(prepared, tmp_path):
    network = Network.initialize(
        [16, 6, 3],
        np.random.default_rng(0),
        initialization="normal",
        classes=["circle", "$\\foo$", "a, b"],
        pixel_range=(0.0, 255.0),
    )
    path = tmp_path / "data/model/model.npz"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        save(network, file)
    return path


def truth(prepared, model):
    images, labels = (np.load(prepared / f"test_{kind}.npy") for kind in ("images", "labels"))
    return labels.argmax(axis=1), load(model).predict(images)


def test_metrics_are_scikit_learns(run, model, prepared, tmp_path):
    result = run(evaluate)
    assert result.exit_code == 0, result.output
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    true, predicted = truth(prepared, model)
    assert metrics["test"]["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    assert metrics["test"]["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
    assert set(metrics) == {"test", "validation", "train"}
    assert set(metrics["test"]) == {"accuracy", "loss", "macro_f1", "calibration_error"}
    for part in ("validation", "train"):
        images, labels = (np.load(prepared / f"{part}_{kind}.npy") for kind in ("images", "labels"))
        right = load(model).predict(images) == labels.argmax(axis=1)
        assert metrics[part]["accuracy"] == pytest.approx(right.mean())


def test_tables(run, model, prepared, tmp_path):
    assert run(evaluate).exit_code == 0
    names = ["circle", "$\\foo$", "a, b"]
    true, predicted = truth(prepared, model)
    with (tmp_path / "data/evaluation/confusion.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["actual"] for row in rows] == [names[k] for k in true]
    assert [row["predicted"] for row in rows] == [names[k] for k in predicted]
    with (tmp_path / "data/evaluation/classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == names
    expected = precision_recall_fscore_support(true, predicted, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert [float(row[name]) for row in rows] == pytest.approx(values, abs=5e-5), name
    assert sum(int(row["support"]) for row in rows) == len(true)


def test_pictures_are_pictures_and_the_same_every_time(run, model, tmp_path):
    def drawn():
        assert run(evaluate, "--examples", 7, "--units", 3).exit_code == 0
        return {p.name: p.read_bytes() for p in (tmp_path / "data/evaluation").glob("*.png")}

    first = drawn()
    names = {
        "mistakes.png",
        "confident.png",
        "weights.png",
        "confusion.png",
        "overview.png",
    }
    assert first.keys() == names
    assert drawn() == first
    for name in names:
        with Image.open(tmp_path / "data/evaluation" / name) as image:
            pixels = np.asarray(image.convert("RGB"))
            assert min(pixels.shape[:2]) > 100
            assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10


def test_a_perfect_and_a_hopeless_network_can_be_drawn(prepared):
    images = np.load(prepared / "test_images.npy")
    labels = np.arange(30) % 3
    network = Network.initialize([16, 3], np.random.default_rng(0))
    for predicted in (labels, (labels + 1) % 3):
        predictions = Predictions(labels, predicted, np.linspace(0.3, 1, 30))
        drawn = dict(
            plots.draw_all(
                network,
                network.weights[0],
                images,
                predictions,
                (images[:3], images[:3]),
                {},
                examples=5,
                units=5,
            )
        )
        assert all(png.startswith(b"\x89PNG") for png in drawn.values())


def test_galleries_hold_what_they_promise():
    true = np.array([0, 0, 1, 1, 2, 2])
    predicted = np.array([0, 1, 1, 0, 2, 0])
    confidence = np.array([0.5, 0.9, 0.7, 0.6, 0.99, 0.8])
    predictions = Predictions(true, predicted, confidence)
    right, wrong = plots.most_confident(predictions, 2)
    assert (right.tolist(), wrong.tolist()) == ([4, 2], [1, 5])
    assert sample_mistakes(predictions, 2).tolist() == [1, 5]
    assert sample_mistakes(predictions, 99).tolist() == [1, 3, 5]


@given(st.integers(1, 5000))
def test_any_number_of_pixels_makes_an_image(d):
    assert np.prod(image_shape(d)) == d


def test_known_image_shapes():
    assert image_shape(784) == (28, 28)
    assert image_shape(3072) == (3, 32, 32)
    assert image_shape(20) == (4, 5)


def test_pictures_of_any_shape(prepared):
    network = Network.initialize([12, 5, 2], np.random.default_rng(0), image_shape=(2, 6))
    rows = np.random.default_rng(1).random((11, 12), np.float32)
    predictions = Predictions(np.zeros(11, int), np.zeros(11, int), np.full(11, 0.7))
    weights = network.weights[0]
    drawn = dict(
        plots.draw_all(
            network, weights, rows, predictions, (rows, rows / 2), CURVES, examples=12, units=5
        )
    )
    assert "training.png" in drawn  # the images were augmented
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())


def test_confidence_is_the_probability_of_the_prediction(prepared, model):
    images, labels = (np.load(prepared / f"test_{kind}.npy") for kind in ("images", "labels"))
    found = predict(load(model), images, labels)
    np.testing.assert_allclose(found.confidence, load(model).probabilities(images).max(axis=1))


def write_curves(folder):
    for (part, metric), values in CURVES.items():
        path = folder / "plots/metrics" / part / f"{metric}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{step}\t{value}" for step, value in enumerate(values, 1)]
        path.write_text("\n".join([f"step\t{metric}", *lines, ""]))


def test_the_overview_has_the_learning_curves(run, model, tmp_path):
    assert run(evaluate).exit_code == 0
    overview = tmp_path / "data/evaluation/overview.png"
    without = overview.read_bytes()
    write_curves(tmp_path / "data/training")
    found = read_curves(tmp_path / "data/training")
    assert {key: curve.tolist() for key, curve in found.items()} == {
        key: curve.tolist() for key, curve in CURVES.items()
    }
    assert run(evaluate).exit_code == 0
    assert overview.read_bytes() != without


@pytest.mark.parametrize("text", ["", "step\tloss\n", "step\tloss\n1\tnan\n", "\0", "a\n1\n2"])
def test_damaged_curves(text, refused, model, tmp_path):
    write_curves(tmp_path / "data/training")
    path = "data/training/plots/metrics/validation/loss.tsv"
    (tmp_path / path).write_text(text)
    line = refused(evaluate)
    assert line.startswith(f"{path}: expected a column loss of finite numbers")
    assert line.endswith("dvc repro --force --single-item train")


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "another network"])
def test_damaged_models(damage, refused, model, tmp_path):
    (tmp_path / "metrics.json").write_text("the old metrics")
    if damage == "missing":
        model.unlink()
    elif damage == "truncated":
        model.write_bytes(model.read_bytes()[:-50])
    elif damage == "foreign":
        model.write_bytes(b"hello")
    else:
        with model.open("wb") as file:
            save(Network.initialize([9, 3], np.random.default_rng(0)), file)
    line = refused(evaluate)
    assert line.startswith("data/model/model.npz: ")
    assert line.endswith("dvc repro --force --single-item train")
    assert (tmp_path / "metrics.json").read_text() == "the old metrics"
    assert not (tmp_path / "data" / "evaluation").exists()


def test_a_model_for_other_pixels(refused, model):
    network = load(model)
    network.pixel_range = (0.0, 16.0)
    with model.open("wb") as file:
        save(network, file)
    assert "expected a model with the classes, pixel values, image shape" in refused(evaluate)


def test_a_tampered_test_set(refused, model, prepared):
    np.save(prepared / "test_images.npy", np.full((30, 16), 2, np.float32))
    message = refused(evaluate)
    assert message.startswith("data/prepared/test_images.npy: expected values from 0 to 1")


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (("--examples", 0), "evaluate.examples: expected an integer from 1 to 400, got '0'"),
        (
            ("--examples", 10**6),
            "evaluate.examples: expected an integer from 1 to 400, got",
        ),
        (("--units", -1), "evaluate.units: expected an integer from 1 to 400, got '-1'"),
        (("--bins", "nan"), "evaluate.bins: expected an integer from 1 to 1000, got 'nan'"),
    ],
)
def test_impossible_parameters(options, start, refused, model):
    assert refused(evaluate, *options).startswith(start)
