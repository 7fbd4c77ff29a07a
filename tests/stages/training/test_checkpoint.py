"""A training that was interrupted goes on, and ends in the same bytes."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stages import train
from stages.training.checkpoint import CheckpointFile
from stages.training.options import SECTIONS

# Nothing that has a state is left out: momenta, averages, early stopping, every use of chance.
RICH = (
    "--hidden", 7, "--optimizer", "adam", "--learning-rate", 0.02, "--epochs", 6,
    "--schedule", "cosine", "--warmup", 1, "--ema-decay", 0.9, "--patience", 3,
    "--dropout-hidden", 0.2, "--shift", 0.5, "--elastic", 0.3, "--smoothness", 1,
    "--pictures-path", "data/training/plots/images/units",
    "--snapshots-path", "data/model/snapshots.npz",
)  # fmt: skip
PLAIN = ("--hidden", 7, "--epochs", 6)
GOING_ON = "train: resuming after epoch"


def artifacts(folder=Path("data")):
    paths = [*(folder / "model").glob("*.npz"), *(folder / "training").rglob("*")]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture
def interrupted(run, prepared, monkeypatch):
    """Run `train`, interrupted right after it has put away so many epochs."""

    def invoke(epochs, *options):
        write = CheckpointFile.write

        def then_stop(self, current, history, **options):
            write(self, current, history, **options)
            if current.epoch == epochs:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(CheckpointFile, "write", then_stop)
            result = run(train, *options)
        assert result.output.strip() == "Aborted!"
        assert not Path("data/model/model.npz").exists()

    return invoke


@pytest.mark.parametrize("options", [RICH, PLAIN], ids=["everything", "default"])
@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5])
def test_interrupted_after_any_epoch_it_ends_in_the_same_bytes(options, epochs, run, interrupted):
    interrupted(epochs, *options)
    result = run(train, *options)
    assert f"{GOING_ON} {epochs}" in result.output
    found = artifacts()
    Path("data/checkpoint.npz").unlink()
    result = run(train, *options)
    assert GOING_ON not in result.output
    assert artifacts() == found


def test_a_finished_training_is_done_again(run, prepared):
    assert GOING_ON not in run(train, *PLAIN).output
    assert GOING_ON not in run(train, *PLAIN).output


def test_more_epochs_continue_a_finished_training(run, prepared):
    assert run(train, *PLAIN).exit_code == 0
    assert f"{GOING_ON} 6" in run(train, "--hidden", 7, "--epochs", 9).output
    found = artifacts()
    Path("data/checkpoint.npz").unlink()
    run(train, "--hidden", 7, "--epochs", 9)
    assert artifacts() == found


def test_not_where_the_schedule_depends_on_their_number(run, interrupted):
    interrupted(3, *PLAIN, "--schedule", "cosine")
    changed = ("--hidden", 7, "--epochs", 9, "--schedule", "cosine")
    assert GOING_ON not in run(train, *changed).output


@pytest.mark.parametrize(
    "change",
    [("--seed", 1), ("--hidden", 3), ("--l2", 0.1), ("--pictures-path", "pictures")],
    ids=str,
)
def test_other_parameters_start_anew(change, run, interrupted):
    interrupted(3, *PLAIN)
    assert GOING_ON not in run(train, *PLAIN, *change).output


# Another valid value of each parameter, for runs of 4 epochs.
CHANGED = {
    "hidden": 5, "activation": "tanh", "loss": "cross_entropy", "initialization": "glorot",
    "optimizer": "momentum", "learning_rate": 0.5, "batch_size": 7, "epochs": 2,
    "arithmetic": "float32", "momentum": 0.5, "beta2": 0.9, "schedule": "cosine", "warmup": 1,
    "lr_decay": 0.1, "lr_decay_epochs": 1, "l2": 0.01, "weight_decay": 0.01, "max_norm": 1,
    "dropout_input": 0.2, "dropout_hidden": 0.2, "label_smoothing": 0.1, "ema_decay": 0.9,
    "patience": 1, "monitor": "accuracy", "rotation": 5, "scaling": 0.1, "shear": 0.1, "shift": 1,
    "elastic": 0.5, "smoothness": 2, "final_strength": 0.5, "seed": 1, "class_weight": "balanced",
}  # fmt: skip
# With these, the parameters of one method have an effect too.
ADAM = {"optimizer": "adam", "learning_rate": 0.02}
STEPS = {"schedule": "step", "lr_decay_epochs": 2}
CONTEXT = {
    "momentum": ADAM, "beta2": ADAM, "lr_decay": STEPS, "lr_decay_epochs": STEPS,
    "monitor": {"patience": 2}, "smoothness": {"elastic": 1},
    "final_strength": {"elastic": 1},
}  # fmt: skip


@pytest.mark.parametrize("changes_back", [False, True], ids=["changed", "changed back"])
@pytest.mark.parametrize("name", list(SECTIONS))
def test_any_parameter_changed_after_an_interruption_ends_as_a_clean_run(
    name, changes_back, run, interrupted
):
    usual = {"hidden": 7, "epochs": 4} | CONTEXT.get(name, {})
    first, second = usual, usual | {name: CHANGED[name]}
    if changes_back:
        first, second = second, first
    options = [
        [word for key, value in values.items() for word in (f"--{key.replace('_', '-')}", value)]
        for values in (first, second)
    ]
    interrupted(min(3, first["epochs"]), *options[0])
    assert run(train, *options[1]).exit_code == 0
    found = artifacts()
    Path("data/checkpoint.npz").unlink()
    assert GOING_ON not in run(train, *options[1]).output
    assert artifacts() == found


def test_other_data_start_anew(run, interrupted, prepared):
    interrupted(3, *PLAIN)
    images = np.load(prepared / "train_images.npy")
    images[0, 0] = 0.5
    np.save(prepared / "train_images.npy", images)
    assert GOING_ON not in run(train, *PLAIN).output


def test_other_code_starts_anew(run, interrupted, tmp_path, monkeypatch):
    interrupted(3, *PLAIN)
    (tmp_path / "new.py").write_text("answer = 42\n")
    monkeypatch.setattr("stages.training.checkpoint._CODE", (tmp_path,))
    assert GOING_ON not in run(train, *PLAIN).output


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_file_is_ignored(damage, run, interrupted):
    interrupted(3, *PLAIN)
    path = Path("data/checkpoint.npz")
    path.write_bytes(path.read_bytes()[:-30] if damage is None else damage)
    result = run(train, *PLAIN)
    assert result.exit_code == 0
    assert GOING_ON not in result.output


# The process kills itself right before it renames a file to, or opens, this path for the nth time.
KILLED = """
import os, runpy, signal, sys
event, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
del sys.argv[1:4]

def kill(name, arguments):
    global count
    if name == event and str(arguments[name == "os.rename"]).endswith(path):
        count -= 1
        if not count:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
runpy.run_module("stages.train", run_name="__main__", alter_sys=True)
"""
CURVE = "plots/metrics/validation/loss.tsv"
# Event, path and n, and the epoch after which the process resumed.
KILLS = (
    ("os.rename", "data/checkpoint.npz", 1, 0),  # before anything is put away
    ("os.rename", "data/checkpoint.npz", 3, 0),  # with a part of a checkpoint
    ("open", CURVE, 4, 2),  # between the files of the log of epoch 4
    ("os.rename", "data/model/model.npz", 1, 3),  # with all artifacts to be moved into place
    ("os.rename", "data/model/snapshots.npz", 1, 6),  # with some of them in place
    ("os.rename", "data/checkpoint.npz", 1, 6),  # before the training is put away as finished
)


def test_killed_at_any_moment_it_ends_in_the_same_bytes(run, prepared):
    options = [str(option) for option in RICH]
    environment = os.environ | {"PYTHONPATH": str(Path(train.__file__).parents[1])}
    for event, path, count, epoch in KILLS:
        command = [sys.executable, "-c", KILLED, event, path, str(count), *options]
        process = subprocess.run(
            command, env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
        assert process.returncode == -signal.SIGKILL, process.stderr
        resumed = re.findall(rf"{GOING_ON} (\d+)", process.stderr)
        assert resumed == ([str(epoch)] if epoch else [])
    assert f"{GOING_ON} 6" in run(train, *options).output
    found = artifacts()
    Path("data/checkpoint.npz").unlink()
    assert GOING_ON not in run(train, *options).output
    assert artifacts() == found
