"""`dvc repro` stopped in any stage: the next one ends in the same bytes as an undisturbed one."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

SLOW = Path(__file__).parent.parent / "support" / "slow"

# What a stage has begun to write when the blow falls.
HALF_DONE = {
    "fetch": "data/raw/.*.part",
    "preprocess": "data/prepared/.*.part",
    "train": "data/training/plots/metrics/train/loss.tsv",
    "evaluate": "data/evaluation/.*.part",
}


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
@pytest.mark.parametrize("stage", HALF_DONE)
def test_interrupted_and_run_again(stage, blow, clone, reproduced):
    for name in ("dvc.lock", "metrics.json"):
        (clone.folder / name).unlink()
    shutil.rmtree(clone.folder / ".dvc" / "cache")
    for folder in ("raw", "prepared", "model", "training", "evaluation", "export"):
        shutil.rmtree(clone.folder / "data" / folder)

    with (clone.folder.parent / "log").open("w+") as log:
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=clone.folder,
            env=clone.environment | {"PYTHONPATH": str(SLOW)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group, which the terminal's Ctrl-C would hit
        )
        while not any(clone.folder.glob(HALF_DONE[stage])):
            assert process.poll() is None, "it was over before it could be interrupted"
            time.sleep(0.0005)
        os.killpg(process.pid, blow)
        process.wait()
        log.seek(0)
        assert "Traceback" not in log.read()
    assert process.returncode != 0
    assert not (clone.folder / "metrics.json").exists()

    clone.repro()
    for name in ("dvc.lock", "metrics.json", "data/model/model.npz", "data/training/metrics.json"):
        assert clone.read(name) == reproduced.read(name), name
