"""The command that docs/experiments.md gives restores the last commit from every state."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "experiments.md"


@pytest.fixture
def go_back(clone):
    """Run the command; all files must be as they were when the test began."""
    tracked = ("params.yaml", "metrics.json", "dvc.lock")
    before = {name: clone.read(name) for name in tracked} | outputs(clone)
    command = re.search(r"^\$ (git checkout params\.yaml .*)$", DOCS.read_text(), re.M)[1]

    def invoke():
        clone.run("sh", "-c", command)
        assert {name: clone.read(name) for name in tracked} | outputs(clone) == before
        assert clone.repro() == []

    return invoke


def outputs(clone):
    folders = ("raw", "prepared", "model", "training", "evaluation", "export")
    files = [path for name in folders for path in (clone.folder / "data" / name).rglob("*")]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def test_after_a_refused_parameter_of_a_late_stage(clone, go_back):
    clone.edit(evaluate__bins="0")
    code, output = clone.dvc("repro", check=False)
    assert code != 0
    assert "evaluate.bins: expected an integer from 1 to 1000, got '0'" in output
    go_back()


@pytest.mark.parametrize("end", ["diverged", "killed"])
def test_after_a_training_that_failed_on_new_data(end, clone, go_back):
    clone.edit(preprocess__test_size="250")
    if end == "diverged":
        clone.edit(train__learning_rate="1e6")
        code, output = clone.dvc("repro", check=False)
        assert code != 0
        assert "train.learning_rate: training diverged" in output
        assert not (clone.folder / "data" / "training").exists()
    else:
        clone.edit(train__epochs="100000")
        curve = clone.folder / "data/training/plots/metrics/train/loss.tsv"
        curve.unlink()  # so that it exists as soon as the new training writes it
        process = subprocess.Popen(
            ["dvc", "repro"], cwd=clone.folder, env=clone.environment, start_new_session=True
        )
        while not curve.exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    go_back()
