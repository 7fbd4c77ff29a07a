"""results: a few lines at the end of `make`, and one line for metrics that it cannot read."""

import json

import pytest

from tools import results

METRICS = {
    "test": {"accuracy": 0.97784, "loss": 0.02, "macro_f1": 0.9775, "calibration_error": 0.005},
    "validation": {"accuracy": 0.98},
    "train": {"accuracy": 1.0},
}


def test_it_fits_ten_lines_and_names_the_metrics(run, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    lines = run(results).output.splitlines()
    assert lines[0] == "test accuracy 97.78%, loss 0.0200, macro F1 0.9775"
    assert lines[1] == "accuracy 100.00% on training images, 98.00% on validation images"
    assert len(lines) <= 10


@pytest.mark.parametrize("content", [{}, [], {**METRICS, "test": {"accuracy": "high"}}, 3])
def test_other_files_are_one_line(content, refused, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(content))
    assert "expected metrics of test" in refused(results)
