"""summarize: the metrics of several runs → their mean and spread, in one file."""

import statistics
from pathlib import Path

import click

from stages.cli import path_option, stage
from stages.files import Artifacts, read_json, refuse


@stage("summarize")
@click.option(
    "--metrics-path",
    type=click.Path(),
    multiple=True,
    required=True,
    help="File that `evaluate` wrote; once for each run.",
)
@path_option("summary", "summary.json", "File for the summary.")
def main(metrics_path: tuple[str, ...], summary_path: str) -> None:
    """Take the mean and the standard deviation of the test accuracy of several runs.

    \b
    Example:
      python -m stages.summarize --metrics-path a/metrics.json --metrics-path b/metrics.json
    """
    values = [_accuracy(Path(path)) for path in metrics_path]
    test = {"accuracy": statistics.mean(values)}
    if len(values) > 1:
        test["deviation"] = statistics.stdev(values)
    with Artifacts() as artifacts:
        artifacts.write_json(Path(summary_path), {"test": test, "runs": len(values)})
    spread = f" ± {test['deviation']:.2%}" if len(values) > 1 else ""
    click.echo(f"accuracy {test['accuracy']:.2%}{spread} on the test images, {len(values)} runs")


def _accuracy(path: Path) -> float:
    metrics = read_json(path, "evaluate")
    try:
        accuracy = metrics["test"]["accuracy"]
        if isinstance(accuracy, bool) or not 0.0 <= float(accuracy) <= 1.0:
            raise ValueError(f"{accuracy} is no accuracy")
        return float(accuracy)
    except (KeyError, TypeError, ValueError) as error:
        raise refuse(path, "it has no test.accuracy from 0 to 1", "evaluate") from error


if __name__ == "__main__":
    main()
