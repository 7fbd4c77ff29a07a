"""Two processes never write the same output, and a lock ends with its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stages import train

ROOT = Path(__file__).parents[4]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
QUICK = ("--hidden", "5", "--epochs", "20")
HOLD = """
import sys
from pathlib import Path
from stages.common.command_line.locking import locked
with locked(Path("data/training")):
    print("locked", flush=True)
    sys.stdin.read()
"""


def start(*command):
    return subprocess.Popen(
        [sys.executable, *command],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def holder(prepared, tmp_path, monkeypatch):
    """A process that has the lock of data/training."""
    monkeypatch.chdir(tmp_path)
    with start("-c", HOLD) as process:
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


@pytest.mark.parametrize("end", ["it ends", "it is killed"])
def test_the_second_process_names_the_first_and_waits_for_its_end(end, holder):
    with start("-m", "stages.train", *QUICK) as second:
        line = second.stderr.readline()
        assert line == f"waiting for process {holder.pid}, which writes data/training\n"
        assert not Path("data/model").exists()
        holder.stdin.close() if end == "it ends" else holder.send_signal(signal.SIGKILL)
        assert second.wait() == 0
    assert Path("data/model/model.npz").exists()


def test_two_trainings_at_once_give_the_bytes_of_one(run, prepared):
    processes = [start("-m", "stages.train", *QUICK) for _ in range(2)]
    for process in processes:
        with process:
            assert process.wait() == 0
    paths = [Path("data/model/model.npz"), *Path("data/training").rglob("*.tsv")]
    found = [path.read_bytes() for path in paths]
    assert len(found) == 5
    assert run(train, *QUICK).exit_code == 0
    assert [path.read_bytes() for path in paths] == found


def test_other_outputs_are_written_at_the_same_time(run, holder):
    result = run(train, *QUICK, "--training-path", "other", "--model-path", "model.npz")
    assert result.exit_code == 0
    assert "waiting" not in result.output
    assert np.load("model.npz")["weights_0"].shape == (5, 16)


def test_a_planted_link_is_not_followed(refused, prepared, tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "data" / ".training.lock").symlink_to(tmp_path / "file")
    refused(train, *QUICK)
    assert (tmp_path / "file").read_text() == "precious"
