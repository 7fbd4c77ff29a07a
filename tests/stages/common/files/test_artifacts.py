"""Artifacts are whole or as they were before."""

import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from stages import train
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts, read_array, restored_on_failure
from stages.common.files.raw_data import Raw

ROOT = Path(__file__).parents[4]


def test_files_appear_together_and_only_when_all_are_whole(tmp_path):
    paths = [tmp_path / "folder" / name for name in "ab"]
    with Artifacts() as artifacts:
        for path in paths:
            with artifacts.open(path) as file:
                file.write(b"new")
        assert not any(path.exists() for path in paths)
    assert [path.read_bytes() for path in paths] == [b"new", b"new"]
    assert sorted((tmp_path / "folder").iterdir()) == paths


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_all_old_files_and_nothing_else(error, tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_bytes(b"old")

    def fail():
        with Artifacts() as artifacts:
            artifacts.write_json(paths[0], "new")
            with artifacts.open(paths[1]) as file:
                file.write(b"new")
                raise error

    with pytest.raises(error):
        fail()
    assert [path.read_bytes() for path in paths] == [b"old", b"old"]
    assert sorted(tmp_path.iterdir()) == paths


def test_what_a_killed_run_left_behind_does_not_matter(tmp_path):
    (tmp_path / ".file.0123456789abcdef.part").write_bytes(b"half of something long")
    with Artifacts() as artifacts, artifacts.open(tmp_path / "file") as file:
        file.write(b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_link_planted_at_a_temporary_name_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size: "guessed")
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / ".file.guessed.part").symlink_to(tmp_path / "precious")
    with Artifacts() as artifacts, artifacts.open(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "precious").read_bytes() == b"old"
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_folder_comes_back_when_what_should_replace_it_fails(tmp_path):
    folder = tmp_path / "curves"
    folder.mkdir()
    (folder / "old").touch()
    (tmp_path / ".curves.old").mkdir()  # left behind by a killed run

    def write(name, error=None):
        with restored_on_failure(folder):
            folder.mkdir()
            (folder / name).touch()
            if error:
                raise error

    with pytest.raises(KeyboardInterrupt):
        write("half", KeyboardInterrupt)
    assert [p.name for p in folder.iterdir()] == ["old"]
    write("new")
    assert [p.name for p in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]

    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(KeyboardInterrupt):
        write("half", KeyboardInterrupt)
    assert not folder.exists()


def test_rows_written_in_pieces_are_a_plain_npy_file(tmp_path):
    whole = np.arange(35, dtype=np.float32).reshape(7, 5)
    pieces = [whole[:3], whole[3:].T.copy().T]
    with Artifacts() as artifacts:
        artifacts.write_rows(tmp_path / "a.npy", whole.shape, whole.dtype, pieces)
    np.save(tmp_path / "b.npy", whole)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_any_flipped_bit_of_a_header_is_one_line_or_harmless(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6, dtype=np.float32).reshape(2, 3))
    whole = path.read_bytes()
    refusals = 0
    for bit in range(8 * 128):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with suppress(StageError):
            read_array(path, "fetch")
            refusals -= 1
        refusals += 1
    assert refusals > 300


def test_an_npz_archive_under_the_name_of_an_array(tmp_path):
    np.savez(tmp_path / "a.npz", np.zeros(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(StageError, match=r"a\.npy: expected the header of a \.npy file"):
        read_array(tmp_path / "a.npy", "fetch")


def test_a_full_disk_is_one_line(tmp_path):
    images = np.tile(np.arange(50, dtype=np.uint8) * 4, (30, 1))
    Raw(images, (np.arange(30) % 2).astype(np.uint8), ["a", "b"]).write(tmp_path / "data" / "raw")
    # In a process of its own: the limit would hold for pytest's own output too.
    done = subprocess.run(
        [sys.executable, "-m", "stages.preprocess", "--test-size=6", "--validation-size=4"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=no_file_beyond_2000_bytes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: data/prepared/train_images.npy: File too large. "
        "Free some space on that disk, then run the command again.\n"
    )
    assert list((tmp_path / "data" / "prepared").iterdir()) == []


def test_a_full_disk_under_the_curves_is_one_line(prepared, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stages.train", "--hidden", "3", "--epochs", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "Error: data/training: File too large. "
        "Free some space on that disk, then run the command again."
    )
    assert not (tmp_path / "data" / "training").exists()


def no_file_beyond_2000_bytes():
    # Writing beyond it fails as it does on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))


def test_a_folder_that_cannot_be_written_is_one_line(refused, prepared, tmp_path):
    (tmp_path / "data" / "model").write_text("a file where the folder should be")
    line = refused(train, "--hidden", 3, "--epochs", 1)
    assert line.startswith("data/model")
    assert (tmp_path / "data" / "model").read_text() == "a file where the folder should be"
