"""Command `variant`: train a variant of the accuracy ladder in the main pipeline."""

import subprocess
import sys
from pathlib import Path

import click
import yaml

from stages.common.command_line.command import stage
from stages.training.options import SECTIONS
from tools.tuning.experiment import setting

_LADDER = Path("experiments/ladder/params.yaml")
_VARIANTS = yaml.safe_load(_LADDER.read_text("utf-8"))["variants"] if _LADDER.exists() else {}


@stage("variant")
@click.argument("name", type=click.Choice(list(_VARIANTS)))
def main(name: str) -> None:
    """Run the main pipeline with the parameters of the variant NAME of the accuracy ladder.

    They are written to params.yaml, whose comments stay. `git restore params.yaml && dvc repro`
    goes back.

    \b
    Example:
      python -m tools.variant fast
    """
    settings = [option for setting in _settings(name) for option in ("--set-param", setting)]
    sys.exit(subprocess.run(["dvc", "exp", "run", *settings], check=False).returncode)


def _settings(name: str) -> list[str]:
    """The parameters of a variant, as `dvc exp run --set-param` takes them."""
    variant = _VARIANTS[name]
    parameters = {f"{SECTIONS[key]}.{key}": value for key, value in variant["options"].items()}
    parameters["preprocess.deslant"] = variant["images"] == "deslanted"
    return [setting(key, value) for key, value in parameters.items()]


if __name__ == "__main__":
    main()
