"""Fixtures of a search, for the tests of `tune`."""

import csv

import pytest
from searches import FILES, in_this_process, quick

from tools import tune


@pytest.fixture
def space(tmp_path):
    """Write the search space."""
    (tmp_path / "experiments/search").mkdir(parents=True)
    return (tmp_path / "experiments/search/space.yaml").write_text


@pytest.fixture
def _without_workers(monkeypatch):
    monkeypatch.setattr(tune, "run_locally", in_this_process)


@pytest.fixture
def tuned(run, prepared, tmp_path):
    """Run a quick search; what it prints, its table, the bytes of its files."""

    def invoke(*options):
        result = run(tune, *quick(*options))
        assert result.exit_code == 0, (result.output, result.exception)
        folder = tmp_path / "data/search"
        rows = list(csv.DictReader((folder / "trials.csv").open()))
        return result.output, rows, [(folder / name).read_bytes() for name in FILES]

    return invoke
