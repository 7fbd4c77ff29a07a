"""Fixtures of the tests of the stages."""

import pytest


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache of scikit-learn's data sets."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit"))
    return tmp_path / "scikit"
