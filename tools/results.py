"""Command `results`: print the metrics of the last run, its files, and what to try next."""

import sys
from pathlib import Path

import click

from stages.common.command_line.command import path_option, stage
from stages.common.files.artifacts import invalid_artifact, read_json

_TEXT = """\
test accuracy {test[accuracy]:.2%}, loss {test[loss]:.4f}, macro F1 {test[macro_f1]:.4f}
accuracy {train[accuracy]:.2%} on training images, {validation[accuracy]:.2%} on validation images

draw a digit:  open data/export/page.html in a browser
pictures:      data/evaluation/overview.png and others beside it
model:         data/model/model.npz, data/export/model.onnx, data/export/README.md
more accurate: {bin}/python -m tools.variant fast    (99 %, a few minutes)
next:          change learning_rate in params.yaml, then: make && {bin}/dvc metrics diff
               the commands of README.md need, once per shell: source {bin}/activate"""


@stage("results")
@path_option("metrics", "metrics.json", "File written by `evaluate`.")
def main(metrics_path: str) -> None:
    """Print the metrics of the last run in a few lines, and where its files are.

    \b
    Example:
      python -m tools.results
    """
    path = Path(metrics_path)
    try:
        click.echo(_TEXT.format(**read_json(path, "evaluate"), bin=_bin()))
    except (KeyError, TypeError, ValueError) as error:
        fault = "expected metrics of test, validation and training images"
        raise invalid_artifact(path, fault, "evaluate") from error


def _bin() -> Path:
    """Folder of this environment's commands, which need not be in PATH."""
    found = Path(sys.executable).parent
    return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found


if __name__ == "__main__":
    main()
