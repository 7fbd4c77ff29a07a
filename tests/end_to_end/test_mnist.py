"""The whole pipeline on real MNIST, as committed, from an empty `data/`."""

import hashlib
import json
import re
import sys

import nbformat
import numpy as np
import onnxruntime
import pytest
from clones import ROOT, clone_of_this_repository
from documents import commands
from page_figures import figures, opened

from nn import load

pytestmark = pytest.mark.xdist_group("mnist")  # one worker runs the pipeline


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


def test_the_committed_lock_and_metrics_come_out_byte_for_byte(mnist):
    assert mnist.read("dvc.lock") == (ROOT / "dvc.lock").read_bytes()
    assert mnist.read("metrics.json") == (ROOT / "metrics.json").read_bytes()


def test_onnx_runtime_agrees_on_all_test_images(mnist):
    images = np.load(mnist.folder / "data/prepared/test_images.npy")
    session = onnxruntime.InferenceSession(mnist.folder / "data/export/model.onnx")
    (found,) = session.run(["probabilities"], {"images": images})
    expected = load(mnist.folder / "data/model/model.npz").probabilities(images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_model_can_be_taken_away(mnist):
    network = load(mnist.folder / "data/model/model.npz")
    raw = np.load(mnist.folder / "data/raw/images.npy")[60_000:]
    labels = np.load(mnist.folder / "data/raw/labels.npy")[60_000:]
    metrics = json.loads(mnist.read("metrics.json"))
    accuracy = (network.predict(network.prepare(raw)) == labels).mean()
    assert accuracy == metrics["test"]["accuracy"]
    assert network.classes == tuple("0123456789")


def test_the_tour_ends_with_the_pipelines_model_and_the_outputs_that_its_notebook_has(mnist):
    committed = nbformat.read(ROOT / "docs/tour.ipynb", as_version=4)
    mnist.run(sys.executable, "-m", "tools.notebook")
    found = nbformat.read(mnist.folder / "docs/tour.ipynb", as_version=4)
    for cell in (*committed.cells, *found.cells):
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)  # drawn from unrounded weights
    assert found == committed, "run make docs"
    assert "[True, True, True, True]" in str(found)


def test_the_pictures_of_the_documentation_are_those_of_the_pipeline(mnist):
    for name in ("overview.png", "weights.png"):
        drawn = mnist.read(f"data/evaluation/{name}")
        assert (ROOT / "docs" / name).read_bytes() == drawn, "run make docs"


@pytest.mark.slow
def test_two_experiments_give_the_table_of_the_documentation(mnist):
    """The commands of docs/experiments.md, with `dvc exp run --run-all` instead of the queue."""
    documented = commands("docs/experiments.md")
    for command, _ in documented:
        if command.startswith("dvc exp run --queue"):
            mnist.run("bash", "-c", command)
    mnist.dvc("exp", "run", "--run-all")
    (show,) = (command for command, _ in documented if command.startswith("dvc exp show"))
    document = (ROOT / "docs/experiments.md").read_text()
    assert table(mnist.run("bash", "-c", show)) == table(document.partition("exp show --md")[2])


def table(text):
    """The cells of the first table in a text, without the digests of experiments."""
    rows = re.search(r"(?:^\|.*\|\n)+", text, re.M)[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [
        [re.sub(r"\b[0-9a-f]{7}\b", "", cell) for cell in row]
        for row in cells
        if "--" not in row[0]
    ]


@pytest.mark.slow
def test_the_figures_of_the_page_are_those_of_the_documentation(mnist):
    text = " ".join((ROOT / "docs/page.md").read_text().split())
    default, small = figures(mnist.folder / "data"), page_of(mnist)
    mnist.run(sys.executable, "-m", "tools.variant", "fast")
    fast, large = figures(mnist.folder / "data"), page_of(mnist)
    mnist.git("restore", "params.yaml", "metrics.json", "dvc.lock")
    assert small == [0, 1, 2, 3, 5, 10, 20, 30]
    assert large == [0, 1, 16]
    for words in (
        f"Of {default['drawings']} drawings",
        f"the page of the default network reads {default['read']}, and that of the ladder's "
        f"variant `fast` {fast['read']}",
        f"Of {default['slashed']} of them",
        f"the default network reads {default['slashed as 0']} and takes {default['slashed as 8']} "
        f"for an 8; `fast` reads {fast['slashed as 0']}",
        f"the default network reads {default['slashed far as 0']} and `fast` "
        f"{fast['slashed far as 0']}.",
        *(f"| {default[name]} | {fast[name]} |".replace("%", " %")
          for name in ("doubted right", "doubted wrong", "doubted drawings")),
    ):  # fmt: skip
        assert words in text
    assert default["tiny and misread"] == fast["tiny and misread"] == 0


def page_of(mnist):
    """The epochs of the slider of a page, which must be small."""
    path = mnist.folder / "data/export/page.html"
    assert path.stat().st_size < 1_000_000
    with opened(path) as page:
        return [int(text) for text in page.locator("#epochs b").all_inner_texts()]
