"""One reproduced pipeline on a small data set; each test works on a copy of its own."""

import fcntl
import os

import pytest
from clones import Clone, quick_clone


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory):
    """The pipeline after `dvc repro`: the first worker that needs it makes it for all."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # which the workers have in common
    with (base / "reproduced.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        finished, clone = base / "reproduced", Clone(base / "unfinished", base / "home")
        if not finished.exists():
            clone = quick_clone(clone.folder, clone.home)
            assert clone.repro() == ["fetch", "preprocess", "train", "evaluate", "export"]
            clone.git("add", "--all")
            clone.git("commit", "--quiet", "--message", "baseline")
            clone.folder.rename(finished)
        return Clone(finished, clone.home)


@pytest.fixture
def clone(reproduced, tmp_path):
    return reproduced.copy(tmp_path / "clone")
