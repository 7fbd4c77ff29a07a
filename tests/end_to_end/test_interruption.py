"""`dvc repro` stopped in every stage: the last one ends in the same bytes as an undisturbed one."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

STOPS = Path(__file__).parent.parent / "support" / "stops"

# What a stage has begun to write when the blow falls.
HALF_DONE = {
    "fetch": "data/raw/.*.part",
    "preprocess": "data/prepared/.*.part",
    "train": "data/training/plots/metrics/train/loss.tsv",
    "evaluate": "data/evaluation/.*.part",
}


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_interrupted_in_every_stage_and_run_again(blow, clone, reproduced):
    for name in ("dvc.lock", "metrics.json"):
        (clone.folder / name).unlink()
    shutil.rmtree(clone.folder / ".dvc" / "cache")
    for folder in ("raw", "prepared", "model", "training", "evaluation", "export"):
        shutil.rmtree(clone.folder / "data" / folder)
    for stage in HALF_DONE:
        interrupt(clone, stage, blow)
        assert not (clone.folder / "metrics.json").exists()
    assert clone.repro() == ["evaluate", "export"]
    for name in ("dvc.lock", "metrics.json", "data/model/model.npz", "data/training/metrics.json"):
        assert clone.read(name) == reproduced.read(name), name


def interrupt(clone, stage, blow):
    """Run `dvc repro` up to the moment when the stage has begun to write."""
    with (clone.folder.parent / "log").open("w+") as log:
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=clone.folder,
            env=clone.environment | {"PYTHONPATH": str(STOPS), "STOPS": f"stages.{stage}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group, which the terminal's Ctrl-C would hit
        )
        while not any(clone.folder.glob(HALF_DONE[stage])):
            assert process.poll() is None, "it was over before it could be interrupted"
            time.sleep(0.05)
        os.killpg(process.pid, blow)
        process.wait()
        log.seek(0)
        output = log.read()
    assert process.returncode != 0, stage
    assert f"Running stage '{stage}'" in output
    assert "Traceback" not in output, stage
