"""Command `summarize`: test accuracies of several runs, and their mean and standard deviation."""

import statistics
from pathlib import Path

import click

from stages.common.command_line.command import path_option, stage
from stages.common.command_line.terminal import echo
from stages.common.files.artifacts import Artifacts, invalid_artifact, read_json


@stage("summarize")
@click.argument("metrics", type=click.Path(), nargs=-1, required=True)
@path_option("summary", None, "File for mean and standard deviation; without it, print a table.")
def main(metrics: tuple[str, ...], summary_path: str | None) -> None:
    """Print the test accuracy in each file METRICS, or write their mean to a summary.

    METRICS is a file written by `evaluate`, or a summary of such files.

    \b
    Example:
      python -m tools.summarize a/metrics.json b/metrics.json --summary-path summary.json
      python -m tools.summarize experiments/ladder/metrics/*.json
    """
    found = {path: _test_metrics(Path(path)) for path in metrics}
    if summary_path is None:
        width = max(map(len, found))
        echo("\n".join(f"{path:{width}}  {_text(test)}" for path, test in found.items()))
        return
    values = [test["accuracy"] for test in found.values()]
    summary = {"accuracy": statistics.mean(values)}
    if len(values) > 1:
        summary["deviation"] = statistics.stdev(values)
    with Artifacts() as artifacts:
        artifacts.write_json(Path(summary_path), {"test": summary, "runs": len(values)})
    echo(f"accuracy {_text(summary)} on the test images, {len(values)} runs")


def _test_metrics(path: Path) -> dict[str, float]:
    """The group `test` of the metrics in a file."""
    content = read_json(path, "evaluate")
    try:
        test = dict(content["test"])
        is_valid = all(
            0.0 <= value <= 1.0 for value in (test["accuracy"], test.get("deviation", 0))
        )
    except (KeyError, TypeError, ValueError):
        is_valid = False
    if not is_valid:
        raise invalid_artifact(path, "expected a test.accuracy from 0 to 1, got none", "evaluate")
    return test


def _text(test: dict[str, float]) -> str:
    return f"{test['accuracy']:.2%}" + (
        f" ± {test['deviation']:.2%}" if "deviation" in test else ""
    )


if __name__ == "__main__":
    main()
