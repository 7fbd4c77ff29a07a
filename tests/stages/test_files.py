"""Artifacts are whole or as they were before."""

import resource
import signal

import numpy as np
import pytest

from stages import files, preprocess, train
from stages.datasets import Raw


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "folder" / "file"
    with files.replacing(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_the_old_file_and_nothing_else(error, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail():
        with files.replacing(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_behind_does_not_matter(tmp_path):
    (tmp_path / ".file.part").write_bytes(b"half of something long")
    with files.replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_rows_written_in_pieces_are_a_plain_npy_file(tmp_path):
    whole = np.arange(35, dtype=np.float32).reshape(7, 5)
    pieces = iter([whole[:3], whole[3:].T.copy().T])
    files.write_rows(tmp_path / "a.npy", whole.shape, whole.dtype, pieces)
    np.save(tmp_path / "b.npy", whole)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


@pytest.fixture
def small_disk():
    """No file may grow beyond 2 000 bytes; writing fails as it does on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_one_line(refused, tmp_path, small_disk):
    images = np.tile(np.arange(64, dtype=np.uint8) * 4, (30, 1))
    Raw(images[:, :50].copy(), (np.arange(30) % 2).astype(np.uint8), ["a", "b"]).write(
        tmp_path / "data" / "raw"
    )
    line = refused(preprocess, "--test-size", 6, "--validation-size", 4)
    assert line == "data/prepared/train_images.npy: cannot be written: File too large."
    assert list((tmp_path / "data" / "prepared").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(refused, prepared, tmp_path):
    (tmp_path / "data" / "model").write_text("a file where the folder should be")
    line = refused(train, "--hidden", 3, "--epochs", 1)
    assert line.startswith("data/model")
    assert (tmp_path / "data" / "model").read_text() == "a file where the folder should be"
