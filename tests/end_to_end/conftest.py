"""One reproduced pipeline on a small data set; each test works on a copy of its own."""

import pytest
from clones import quick_clone


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory):
    base = tmp_path_factory.mktemp("pipeline")
    clone = quick_clone(base / "clone", base / "home")
    assert clone.repro() == ["fetch", "preprocess", "train", "evaluate", "export"]
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "baseline")
    return clone


@pytest.fixture
def clone(reproduced, tmp_path):
    return reproduced.copy(tmp_path / "clone")
