"""summarize: the table, the mean and the standard deviation, and invalid files."""

import json
import statistics

import pytest

from tools import summarize

SUMMARY = ("--summary-path", "summary.json")


def runs(tmp_path, *accuracies):
    paths = []
    for k, accuracy in enumerate(accuracies):
        path = tmp_path / f"{k}.json"
        path.write_text(json.dumps({"test": {"accuracy": accuracy}}))
        paths.append(path.name)
    return paths


def test_mean_and_standard_deviation(run, tmp_path):
    values = (0.97, 0.98, 0.985)
    result = run(summarize, *runs(tmp_path, *values), *SUMMARY)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "test": {
            "accuracy": pytest.approx(statistics.mean(values)),
            "deviation": pytest.approx(statistics.stdev(values)),
        },
        "runs": 3,
    }
    assert result.output == "accuracy 97.83% ± 0.76% on the test images, 3 runs\n"


def test_one_run_has_no_standard_deviation(run, tmp_path):
    assert run(summarize, *runs(tmp_path, 0.5), *SUMMARY).exit_code == 0
    found = json.loads((tmp_path / "summary.json").read_text())
    assert found == {"test": {"accuracy": 0.5}, "runs": 1}


def test_the_table_has_a_row_for_each_file_and_nothing_is_written(run, tmp_path):
    summary = {"test": {"accuracy": 0.9942, "deviation": 0.0004}, "runs": 3}
    (tmp_path / "of-three.json").write_text(json.dumps(summary))
    result = run(summarize, *runs(tmp_path, 0.5), "of-three.json")
    assert result.output == "0.json         50.00%\nof-three.json  99.42% ± 0.04%\n"
    assert {path.name for path in tmp_path.iterdir()} == {"0.json", "of-three.json"}


@pytest.mark.parametrize("content", ["{}", "[]", '{"test": {"accuracy": "high"}}', "{"])
def test_files_without_metrics(content, refused, tmp_path):
    (tmp_path / "x.json").write_text(content)
    assert refused(summarize, "x.json", *SUMMARY).startswith("x.json: ")
    assert not (tmp_path / "summary.json").exists()


def test_a_missing_file_is_named(refused):
    assert refused(summarize, "nowhere.json").startswith("nowhere.json: ")
