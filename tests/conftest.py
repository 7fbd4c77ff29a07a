"""Fixtures that several rooms share."""

import gc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nn.images.info import DatasetInfo
from stages.common.files.artifacts import Artifacts
from stages.common.files.prepared_data import write_info

ROOT = Path(__file__).parent.parent


def pytest_collection_finish():
    # The objects of the imported modules stay; without this, garbage collection looks at them again
    # and again.
    gc.freeze()


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    """No test may depend on who started it: DVC, a shell, a CI."""
    for name in ("DVC_STAGE", "DVC_ROOT", "SCIKIT_LEARN_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a stage through Click in an empty folder; options as on the command line."""
    monkeypatch.chdir(tmp_path)

    def invoke(stage, *options):
        return CliRunner().invoke(stage.main, [str(option) for option in options])

    return invoke


@pytest.fixture
def refused(run):
    """Run a stage that must refuse: one line, no traceback. Returns the line."""

    def invoke(stage, *options):
        result = run(stage, *options)
        assert result.exit_code != 0, result.output
        assert isinstance(result.exception, SystemExit), result.exception
        lines = [line for line in result.output.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, result.output
        return lines[0].removeprefix("Error: ")

    return invoke


@pytest.fixture
def prepared(tmp_path):
    """A folder as `preprocess` leaves it: 200 images of 4×4 pixels in 3 easy classes."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data" / "prepared"
    prototypes = rng.random((3, 16))
    with Artifacts() as artifacts:
        for part, n in (("train", 140), ("validation", 30), ("test", 30)):
            labels = np.arange(n) % 3
            images = np.clip(prototypes[labels] + 0.1 * rng.standard_normal((n, 16)), 0, 1)
            artifacts.write_array(folder / f"{part}_images.npy", images.astype(np.float32))
            artifacts.write_array(
                folder / f"{part}_labels.npy", np.eye(3, dtype=np.float32)[labels]
            )
        about = DatasetInfo(("circle", "$\\foo$", "a, b"), (0.0, 255.0), (4, 4))
        write_info(about, artifacts, folder)
    return folder
