"""adopt: the best of a search in params.yaml, and nothing else in it changed."""

import json
from pathlib import Path

import pytest
import yaml

from stages import adopt
from stages.adopt import with_value

ROOT = Path(__file__).parent.parent.parent
BEST = {"hidden": [300, 100], "learning_rate": 1e-05, "loss": "cross_entropy", "batch_size": 7}


@pytest.fixture
def best(tmp_path):
    """A search's result beside this project's params.yaml; the text of the latter."""
    folder = tmp_path / "data/search"
    folder.mkdir(parents=True)
    (folder / "best.json").write_text(json.dumps({"train": BEST}))
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text)
    return text


def test_values_change_and_comments_stay_in_their_columns(run, best, tmp_path):
    result = run(adopt)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("params.yaml: train has hidden 300-100, learning_rate 1e-05")
    found = (tmp_path / "params.yaml").read_text()
    expected = yaml.safe_load(best)
    expected["train"] |= BEST
    assert yaml.safe_load(found) == expected
    changed = [
        (old, new)
        for old, new in zip(best.splitlines(), found.splitlines(), strict=True)
        if old != new
    ]
    assert len(changed) == 4
    for old, new in changed:
        assert old.partition("#")[2] == new.partition("#")[2] != ""
    assert "  hidden: [300, 100]   # units of each" in found
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["params.yaml"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train:\n  x: 1", "train:\n  x: [2, 3]"),
        ("train: {x: 1, y: 2}  # z\n", "train: {x: [2, 3], y: 2}  # z\n"),
        ("train:\n  x:\n    - 1\n    - 9\n  y: 2\n", "train:\n  x: [2, 3]\n  y: 2\n"),
        ("train:\n  x:\n  - 1\n  - 9\n  y: 2\n", "train:\n  x: [2, 3]\n  y: 2\n"),  # DVC's way
        ("train:\n  x:  # z\n  - 1\n  - 9\n", "train:\n  x: [2, 3] # z\n"),
        ("train:\n  x:\n  y: 2\n", "train:\n  x: [2, 3]\n  y: 2\n"),
        ("train:\n  x:  # z\n  y: 2\n", "train:\n  x: [2, 3] # z\n  y: 2\n"),
        ("train:\n  x:", "train:\n  x: [2, 3]"),
        ("a:\n  x: 1\ntrain:\n  x: 'é' # z\n", "a:\n  x: 1\ntrain:\n  x: [2, 3] # z\n"),
        ("train:\r\n  x: [1,\r\n   2]  # z\r\n", "train:\r\n  x: [2, 3]  # z\r\n"),
    ],
)
def test_however_it_was_written(before, after):
    found = with_value(Path("p.yaml"), before, "train", "x", (2, 3))
    assert yaml.safe_load(found) == yaml.safe_load(after)
    assert found.replace("  #", " #") == after.replace("  #", " #")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train:\n  hidden: [1]\n", "params.yaml: train.learning_rate: it is not there"),
        ("tune:\n  hidden: [1]\n", "params.yaml: train.hidden: it is not there"),
        ("", "params.yaml: train.hidden: it is not there"),
        ("train: [", "params.yaml: it is no YAML"),
        ("a: &h [3]\ntrain:\n  hidden: *h\n", "params.yaml: train.hidden: it shares its value"),
        ("train:\n  hidden: &h [3]\nb: *h\n", "params.yaml: train.hidden: it shares its value"),
    ],
)
def test_other_params_are_refused_and_left_alone(text, message, refused, best, tmp_path):
    (tmp_path / "params.yaml").write_text(text)
    assert refused(adopt).startswith(message)
    assert (tmp_path / "params.yaml").read_text() == text


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"train": 1}'])
def test_other_results_are_refused(content, refused, best, tmp_path):
    path = tmp_path / "data/search/best.json"
    path.unlink() if content is None else path.write_text(content)
    line = refused(adopt)
    assert line.startswith("data/search/best.json: ")
    assert line.endswith("dvc repro --force --single-item search/dvc.yaml:tune")
