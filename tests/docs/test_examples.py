"""The Python examples of the documentation run as they are written."""

import ast
import gzip
import pickle
import re
import sys
import textwrap
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from documents import DOCUMENTS, ROOT, blocks
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nn import Network, save
from stages.exporting.onnx_model import to_onnx

EXAMPLES = [
    pytest.param(code, id=f"{name}-{number}")
    for name in DOCUMENTS
    if name != "docs/tour.md"  # whose blocks continue each other; see test_tour.py
    for number, code in enumerate(blocks(name, "python"))
]


@pytest.fixture
def _artifacts(tmp_path, monkeypatch):
    """The artifacts that examples read, with 40 random images."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for folder in ("raw", "prepared", "model", "export"):
        Path("data", folder).mkdir(parents=True)
    images = rng.integers(0, 256, (40, 784), dtype=np.uint8)
    np.save("data/raw/images.npy", images)
    np.save("data/prepared/train_images.npy", images.astype(np.float32) / 255)
    np.save("data/prepared/train_labels.npy", np.eye(10, dtype=np.float32)[np.arange(40) % 10])
    parts = [(images[k : k + 3] / 255, np.arange(3)) for k in range(3)]
    with gzip.open("mnist.pkl.gz", "wb") as file:
        pickle.dump(parts, file, 2)
    network = Network.initialize([784, 5, 10], rng, pixel_range=(0.0, 255.0))
    with Path("data/model/model.npz").open("wb") as file:
        save(network, file)
    Path("data/export/model.onnx").write_bytes(to_onnx(network, {}))


def test_there_are_examples():
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_block_imports_what_make_installs_or_what_the_text_before_it_installs(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installed = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    distributions = packages_distributions()
    for code in blocks(name, "python"):
        before = (ROOT / name).read_text().partition(code)[0].rpartition("\n## ")[2]
        extra = set(" ".join(re.findall(r"pip install ([^`]+)", before)).split())
        for node in ast.walk(ast.parse(textwrap.dedent(code))):
            imported = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module] if isinstance(node, ast.ImportFrom) else []
            for module in {text.split(".")[0] for text in imported} - sys.stdlib_module_names:
                found = {canonicalize_name(name) for name in distributions.get(module, [module])}
                assert module == "nn" or found & (installed | extra), f"{name}: {module}"


@pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")  # the images are random
@pytest.mark.usefixtures("_artifacts")
@pytest.mark.parametrize("code", EXAMPLES)
def test_it_runs(code):
    if "onnxruntime" in code:
        pytest.importorskip("onnxruntime")
    exec(compile(code, "example", "exec"), {"__name__": "example"})
