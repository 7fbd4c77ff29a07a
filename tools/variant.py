"""Command `variant`: train a variant of the accuracy ladder in the main pipeline."""

import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import click
import yaml
from ruamel.yaml import YAML

from stages.common.command_line.command import stage
from stages.common.files.artifacts import Artifacts
from stages.training.options import SECTIONS

_LADDER, _PARAMS = Path("experiments/ladder/params.yaml"), Path("params.yaml")
_VARIANTS = yaml.safe_load(_LADDER.read_text("utf-8"))["variants"] if _LADDER.exists() else {}


@stage("variant")
@click.argument("name", type=click.Choice(list(_VARIANTS)))
def main(name: str) -> None:
    """Run the main pipeline with the parameters of the variant NAME of the accuracy ladder.

    They are written to params.yaml, whose comments and layout stay. `git restore params.yaml &&
    dvc repro` goes back.

    \b
    Example:
      python -m tools.variant fast
    """
    variant = _VARIANTS[name]
    parameters = {(SECTIONS[key], key): value for key, value in variant["options"].items()}
    parameters["preprocess", "deslant"] = variant["images"] == "deslanted"
    text = _with(_PARAMS.read_text("utf-8"), parameters)
    with Artifacts() as artifacts, artifacts.open(_PARAMS) as file:
        file.write(text.encode())
    # The first `python` in PATH, which DVC runs, must be that of this environment.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # DVC takes the place of this process, so that Ctrl-C reaches it alone, and it can clean up.
    os.execvpe("dvc", ["dvc", "repro"], os.environ | {"PATH": path})


def _with(text: str, parameters: dict[tuple[str, str], Any]) -> str:
    """The text of params.yaml with other values of some parameters, by section and key."""
    document = YAML()
    document.width = 1000  # comments stay on their lines
    content = document.load(text)
    for (section, key), value in parameters.items():
        if isinstance(value, list):
            content[section][key][:] = value  # remains `[100]`, in one line
        else:
            content[section][key] = value
    changed = io.StringIO()
    document.dump(content, changed)
    # Comments begin in one column; a long value moves its own by two blanks.
    return re.sub(r"(?m)^(  \w+: .*?) +#", lambda line: f"{line[1]:21}  #", changed.getvalue())


if __name__ == "__main__":
    main()
