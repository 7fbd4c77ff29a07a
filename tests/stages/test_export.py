"""The model for others: ONNX by ONNX's own runtime, the card by Hugging Face's reader."""

import json
import re

import numpy as np
import onnx
import onnxruntime
import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from nn import ACTIVATIONS, LOSSES, Ensemble, Network, load, save, scale
from stages import evaluate, export, train
from stages.exporting.model_card import model_card
from stages.exporting.onnx_model import to_onnx

FETCH = "stages.fetch --name mnist_784 --version 1 --source auto"
TRAIN = "stages.train --hidden 8"
MADE_BY = ("--", *FETCH.split(), "--", *TRAIN.split())


@pytest.fixture(scope="session")
def made():
    """The files that `train` and `evaluate` write, by their names."""
    return {}


@pytest.fixture
def measured(run, prepared, tmp_path, made):
    """A folder after `train` and `evaluate`, which run once for all tests."""
    if not made:
        assert run(train, "--hidden", 8, "--epochs", 3, "--learning-rate", 1).exit_code == 0
        assert run(evaluate).exit_code == 0
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        made |= {path.relative_to(tmp_path): path.read_bytes() for path in files}
    for name, content in made.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return prepared


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [[], [7], [9, 5]])
def test_onnx_runtime_computes_the_same(loss, activation, hidden):
    rng = np.random.default_rng(0)
    network = Network.initialize([12, *hidden, 4], rng, activation=activation, loss=loss)
    network.weights = [3 * w for w in network.weights]
    content = to_onnx(network, {"made_by": "a test"})
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content)
    for n in (1, 3, 200):
        images = rng.random((n, 12), np.float32)
        (found,) = session.run(["probabilities"], {"images": images})
        np.testing.assert_allclose(found, network.probabilities(images), rtol=0, atol=1e-5)
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["classes"]) == ["0", "1", "2", "3"]
    assert json.loads(properties["pixel_range"]) == [0.0, 1.0]
    assert properties["made_by"] == "a test"


def test_scores_of_zero_are_no_nan():
    network = Network([np.zeros((2, 3), np.float32)], [np.full(2, -1e3, np.float32)], ("a", "b"))
    (found,) = onnxruntime.InferenceSession(to_onnx(network, {})).run(
        None, {"images": np.zeros((1, 3), np.float32)}
    )
    np.testing.assert_array_equal(found, [[0.5, 0.5]])


def test_probabilities_agree_where_all_scores_are_near_zero():
    rng = np.random.default_rng(0)
    network = Network.initialize([12, 7, 4], rng)
    network.biases[-1] -= 12
    images = rng.random((200, 12), np.float32)
    assert network.scores(images).max() < 1e-3
    session = onnxruntime.InferenceSession(to_onnx(network, {}))
    (found,) = session.run(None, {"images": images})
    np.testing.assert_allclose(found, network.probabilities(images), rtol=0, atol=1e-5)


def test_all_files_the_same_every_time(run, measured, tmp_path):
    folder = tmp_path / "data" / "export"
    contents = []
    for _ in range(2):
        assert run(export, *MADE_BY).exit_code == 0
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"model.onnx", "README.md", "page.html"}
    session = onnxruntime.InferenceSession(contents[0]["model.onnx"])
    images = np.load(measured / "test_images.npy")
    (found,) = session.run(None, {"images": images})
    expected = load("data/model/model.npz").probabilities(images)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["made_by"]) == [
        f"python -m {FETCH}", f"python -m {TRAIN}"
    ]  # fmt: skip


def test_the_card_says_what_was_measured(run, measured, tmp_path):
    assert run(export, *MADE_BY).exit_code == 0
    card = ModelCard.load(tmp_path / "data/export/README.md", ignore_metadata_errors=False)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    found = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert found == metrics["test"]
    assert card.data.eval_results[0].dataset_name == "mnist_784, version 1 on OpenML"
    assert card.data.eval_results[0].task_type == card.data.pipeline_tag == "image-classification"
    for part in (
        "## Data",
        "## Metrics",
        "## Intended use",
        "## Limitations",
        "## How it was made",
    ):
        assert part in card.text
    assert f"| test | accuracy | {metrics['test']['accuracy']:.4f} |" in card.text
    assert f"$ python -m {TRAIN}\n" in card.text
    assert "16-8-3" in card.text
    assert card.data.license == "mit"


@pytest.mark.parametrize(
    ("words", "data", "shown"),
    [
        (["stages.fetch", "--name", "optdigits", "--version", "2", "--source", "openml"],
         "optdigits, version 2 on OpenML",
         "python -m stages.fetch --name optdigits --version 2 --source openml"),
        (["stages.fetch", "--name", "x", "--source", "/home/me/my 'own' digits"],
         "my 'own' digits",
         """python -m stages.fetch --name x --source 'my '"'"'own'"'"' digits'"""),
        (["something", "else"], "an unnamed data set", "python -m something else"),
        ([], "an unnamed data set", None),
    ],
)  # fmt: skip
def test_provenance(words, data, shown, run, measured, tmp_path):
    stages = export.provenance(words)
    assert export.data_set_name(stages) == data
    assert run(export, "--", *words).exit_code == 0
    card = (tmp_path / "data/export/README.md").read_text()
    assert f"# {data.split(',')[0]}: a network" in card
    assert ("Not recorded" if shown is None else f"$ {shown}\n") in card
    assert "/home/me" not in card


def test_names_have_no_meaning_in_the_markup_of_the_card():
    evil = "<script>x</script>\n```\x1b[31m [a](http://b) *c* | `d`"
    network = Network.initialize([4, 2], np.random.default_rng(0), classes=[evil, "a``b"])
    card = model_card(network, evil, {"test": {evil: 0.5}}, 9, [f"python -m {evil}"])
    assert "\x1b" not in card
    body = card.split("\n---\n", 1)[1]
    html = MarkdownIt("commonmark").enable("table").render(body)
    for tag in ("<script", "<a ", "<em"):
        assert tag not in html
    assert "<code>a``b</code>" in html
    assert html.count("<pre>") == 1
    assert [row.count("<td>") for row in html.split("<tr>")[2:]] == [3]


def test_images_of_unknown_shape_get_no_page(run, prepared, tmp_path):
    for part in ("train", "validation", "test"):
        path = prepared / f"{part}_images.npy"
        np.save(path, np.load(path)[:, :15])
    about = json.loads((prepared / "about.json").read_text()) | {"image_shape": None}
    (prepared / "about.json").write_text(json.dumps(about))
    assert run(train, "--hidden", 8, "--epochs", 1).exit_code == 0
    assert run(evaluate).exit_code == 0
    assert "no page to draw on" in run(export).output
    assert {p.name for p in (tmp_path / "data/export").iterdir()} == {"model.onnx", "README.md"}
    card = (tmp_path / "data/export/README.md").read_text()
    assert "page" not in card
    assert "The input is 15 pixels," in card


def test_damaged_inputs(refused, run, measured, tmp_path):
    metrics = tmp_path / "metrics.json"
    for text in ("{}", "[]", '{"test": {"accuracy": "high"}}', '{"test": 1}'):
        metrics.write_text(text)
        assert refused(export).startswith("metrics.json: expected numbers by data set and metric")
    metrics.unlink()
    assert refused(export).startswith("metrics.json: ")
    (tmp_path / "data/model/model.npz").write_bytes(b"x")
    assert refused(export).startswith("data/model/model.npz: expected a model (expected a")


def test_class_names_cannot_break_the_page(run, measured, tmp_path):
    names = ["</script><script>alert(1)</script>", "<b>", "ünï"]
    about = json.loads((measured / "about.json").read_text()) | {"classes": names}
    (measured / "about.json").write_text(json.dumps(about))
    assert run(train, "--hidden", 3, "--epochs", 1).exit_code == 0
    assert run(export).exit_code == 0
    page = (tmp_path / "data/export/page.html").read_text()
    assert page.count("</script>") == 1
    (data,) = re.findall(r"^const DATA = (.*);$", page, flags=re.MULTILINE)
    assert json.loads(data)["model"]["classes"] == names


def test_raw_pixels_are_scaled_by_what_the_properties_say(run, measured):
    network = load("data/model/model.npz")
    properties = onnx.load_from_string(to_onnx(network, {})).metadata_props
    low, high = json.loads({p.key: p.value for p in properties}["pixel_range"])
    np.testing.assert_array_equal(network.prepare([low, high]), scale([low, high], (low, high)))
    assert (low, high) == network.pixel_range


def test_snapshots_of_training_are_on_the_page(run, prepared, tmp_path):
    snapshots = tmp_path / "snapshots.npz"
    options = ("--hidden", 8, "--epochs", 4, "--snapshots-path", snapshots)
    assert run(train, *options).exit_code == 0
    assert run(evaluate).exit_code == 0
    for given, epochs in ((("--snapshots-path", snapshots), [0, 1, 2, 3, 4]), ((), [None])):
        assert run(export, *given).exit_code == 0
        page = (tmp_path / "data/export/page.html").read_text()
        (data,) = re.findall(r"^const DATA = (.*);$", page, flags=re.MULTILINE)
        assert [stage.get("epoch") for stage in json.loads(data)["training"]] == epochs


def test_snapshots_of_another_network_are_refused(run, refused, prepared, tmp_path):
    options = ("--epochs", 1, "--snapshots-path", "snapshots.npz")
    assert run(train, "--hidden", 5, *options).exit_code == 0
    assert run(train, "--hidden", 8, "--epochs", 1).exit_code == 0
    assert run(evaluate).exit_code == 0
    line = refused(export, "--snapshots-path", "snapshots.npz")
    assert line.startswith("snapshots.npz: expected finite snapshots of a network of 163 weights")
    ensemble = Ensemble([load("data/model/model.npz")] * 2)
    with open("ensemble.npz", "wb") as file:
        save(ensemble, file)
    line = refused(export, "--model-path", "ensemble.npz", "--snapshots-path", "snapshots.npz")
    assert line.startswith("snapshots.npz: expected snapshots of one network, got an ensemble")
    assert run(export, "--model-path", "ensemble.npz").exit_code == 0
