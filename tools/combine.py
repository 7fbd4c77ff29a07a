"""Command `combine`: make an ensemble of several models."""

from pathlib import Path

import click

from nn import Ensemble, save
from stages.common.command_line.command import path_option, stage
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts
from stages.common.models.model_files import read_model


@stage("combine")
@click.argument("models", type=click.Path(), nargs=-1, required=True)
@path_option("model", "data/model/ensemble.npz", "File for the ensemble.")
def main(models: tuple[str, ...], model_path: str) -> None:
    """Write an ensemble of MODELS, files that `train` or `combine` wrote.

    `evaluate`, `export` and `predict` accept an ensemble like a network; its probabilities are the
    means of those of its members.

    \b
    Example:
      python -m tools.combine a/model.npz b/model.npz --model-path ensemble.npz
    """
    members = [network for path in models for network in read_model(Path(path)).members]
    try:
        ensemble = Ensemble(members)
    except ValueError as error:
        raise StageError(f"combine.models: {error}; choose models of one data set.") from error
    with Artifacts() as artifacts, artifacts.open(Path(model_path)) as file:
        save(ensemble, file)
    click.echo(f"{model_path}: an ensemble of {len(members)} networks")


if __name__ == "__main__":
    main()
