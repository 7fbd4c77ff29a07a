"""variant: the values that it writes to params.yaml, and the layout that stays."""

import sys
from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML
from searches import ROOT

from tools import variant

VARIANTS = yaml.safe_load((ROOT / "experiments/ladder/params.yaml").read_text())["variants"]
ORIGINAL = (ROOT / "params.yaml").read_text()


@pytest.fixture
def put(run, monkeypatch, tmp_path):
    """Put a variant into params.yaml without running the pipeline; returns the text."""
    (tmp_path / "params.yaml").write_text(ORIGINAL)

    def pipeline(file, command, env):
        assert [file, *command] == ["dvc", "dvc", "repro"]
        assert env["PATH"].startswith(str(Path(sys.executable).parent))

    monkeypatch.setattr(variant.os, "execvpe", pipeline)

    def invoke(name):
        result = run(variant, name)
        assert result.exit_code == 0, result.output
        return (tmp_path / "params.yaml").read_text()

    return invoke


@pytest.mark.parametrize("name", VARIANTS)
def test_the_default_comes_back_to_the_byte(name, put):
    values = YAML(typ="safe").load(put(name))  # as DVC reads it
    written = {key: value for section in values.values() for key, value in section.items()}
    options = VARIANTS[name]["options"]
    assert {key: written[key] for key in options} == options
    assert values["preprocess"]["deslant"] == (VARIANTS[name]["images"] == "deslanted")
    assert put("scaled") == ORIGINAL


def test_only_lines_with_another_value_change(put):
    before, after = ORIGINAL.splitlines(), put("cosine").splitlines()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if old != new:
            assert yaml.safe_load(old) != yaml.safe_load(new)
            assert old.partition("#")[2] == new.partition("#")[2]


def test_without_a_name(refused):
    assert refused(variant) == (f"variant.name: expected one of {', '.join(VARIANTS)}, got none.")
