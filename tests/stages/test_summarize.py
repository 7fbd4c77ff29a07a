"""summarize: mean and spread, and what it refuses."""

import json
import statistics

import pytest

from stages import summarize


def runs(tmp_path, *accuracies):
    options = []
    for k, accuracy in enumerate(accuracies):
        path = tmp_path / f"{k}.json"
        path.write_text(json.dumps({"test": {"accuracy": accuracy}}))
        options += ["--metrics-path", path]
    return options


def test_mean_and_standard_deviation(run, tmp_path):
    values = (0.97, 0.98, 0.985)
    result = run(summarize, *runs(tmp_path, *values))
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "test": {
            "accuracy": pytest.approx(statistics.mean(values)),
            "deviation": pytest.approx(statistics.stdev(values)),
        },
        "runs": 3,
    }
    assert result.output == "accuracy 97.83% ± 0.76% on the test images, 3 runs\n"


def test_one_run_has_no_spread(run, tmp_path):
    assert run(summarize, *runs(tmp_path, 0.5)).exit_code == 0
    found = json.loads((tmp_path / "summary.json").read_text())
    assert found == {"test": {"accuracy": 0.5}, "runs": 1}


@pytest.mark.parametrize("content", ["{}", "[]", '{"test": {"accuracy": "high"}}', "{"])
def test_files_that_are_no_metrics_are_refused(content, refused, tmp_path):
    (tmp_path / "x.json").write_text(content)
    assert refused(summarize, "--metrics-path", "x.json").startswith("x.json: ")
    assert not (tmp_path / "summary.json").exists()


def test_a_missing_file_is_named(refused):
    assert refused(summarize, "--metrics-path", "nowhere.json").startswith("nowhere.json: ")
