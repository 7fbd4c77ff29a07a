"""`dvc repro` stopped in every stage: the last one ends in the same bytes as an undisturbed one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

STOPS = Path(__file__).parent.parent / "support" / "stops"

# What a stage has begun to write when the blow falls.
HALF_DONE = {
    "fetch": "data/raw/.*.part",
    "preprocess": "data/prepared/.*.part",
    "train": "data/training/plots/metrics/train/loss.tsv",
    "evaluate": "data/evaluation/.*.part",
}


def test_interrupted_and_killed_in_every_stage_and_run_again(clone, reproduced):
    for name in ("dvc.lock", "metrics.json"):
        (clone.folder / name).unlink()
    shutil.rmtree(clone.folder / ".dvc" / "cache")
    for folder in ("raw", "prepared", "model", "training", "evaluation", "export"):
        shutil.rmtree(clone.folder / "data" / folder)
    for stage in HALF_DONE:
        for blow in (signal.SIGINT, signal.SIGKILL):  # Ctrl-C, and kill -9
            output = interrupt(clone, stage, blow)
            assert f"Running stage '{stage}'" in output
            assert not (clone.folder / "metrics.json").exists()
    assert clone.repro() == ["evaluate", "export"]
    for name in ("dvc.lock", "metrics.json", "data/model/model.npz", "data/training/metrics.json"):
        assert clone.read(name) == reproduced.read(name), name


def test_make_says_how_to_go_on_after_ctrl_c(clone):
    (clone.folder / ".venv").symlink_to(sys.prefix)
    clone.edit(train__epochs="3")
    make = ("make", "--no-print-directory", "--assume-old", ".venv/installed")
    output = interrupt(clone, "train", signal.SIGINT, make)
    assert "\nInterrupted; run make again to continue.\n" in output
    assert "says more" not in output
    assert "test accuracy" in clone.run(*make)


def interrupt(clone, stage, blow, command=("dvc", "repro")):
    """Run a command up to the moment when the stage has begun to write; its output."""
    before = half_done(clone, stage)
    with (clone.folder.parent / "log").open("w+") as log:
        process = subprocess.Popen(
            command,
            cwd=clone.folder,
            env=clone.environment | {"PYTHONPATH": str(STOPS), "STOPS": f"stages.{stage}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group, which the terminal's Ctrl-C would hit
        )
        while not half_done(clone, stage) - before:
            assert process.poll() is None, "it was over before it could be interrupted"
            time.sleep(0.05)
        os.killpg(process.pid, blow)
        process.wait()
        log.seek(0)
        output = log.read()
    assert process.returncode != 0, stage
    assert "Traceback" not in output, stage
    return output


def half_done(clone, stage):
    """Names and times of the files that the stage has begun to write."""
    found = set()
    for path in clone.folder.glob(HALF_DONE[stage]):
        with suppress(FileNotFoundError):
            found.add((path, path.stat().st_mtime_ns))
    return found
