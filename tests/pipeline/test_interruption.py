"""`dvc repro` stopped in any stage: the next one ends in the same bytes as an undisturbed one."""

import os
import shutil
import signal
import subprocess
import time

import pytest


@pytest.mark.parametrize(
    ("stage", "blow", "seconds"),
    [
        ("fetch", signal.SIGINT, 0.8),
        ("fetch", signal.SIGKILL, 1.2),
        ("preprocess", signal.SIGKILL, 0.9),
        ("train", signal.SIGINT, 1.2),
        ("train", signal.SIGKILL, 1.4),
        ("evaluate", signal.SIGINT, 1.2),
        ("evaluate", signal.SIGKILL, 1.8),
    ],
)
def test_interrupted_and_run_again(stage, blow, seconds, clone, reproduced):
    for name in ("dvc.lock", "metrics.json"):
        (clone.folder / name).unlink()
    shutil.rmtree(clone.folder / ".dvc" / "cache")
    for folder in ("raw", "prepared", "model", "training", "evaluation"):
        shutil.rmtree(clone.folder / "data" / folder)

    process = subprocess.Popen(
        ["dvc", "repro"],
        cwd=clone.folder,
        env=clone.environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a process group, as the terminal's Ctrl-C would hit it
    )
    with process:
        for line in process.stdout:
            if line.startswith(f"Running stage '{stage}'"):
                break
        time.sleep(seconds)
        os.killpg(process.pid, blow)
        output = process.stdout.read()
    assert process.returncode != 0, output
    assert "Traceback" not in output

    clone.repro()
    for name in ("dvc.lock", "metrics.json", "data/model/model.npz", "data/training/metrics.json"):
        assert clone.read(name) == reproduced.read(name), name
