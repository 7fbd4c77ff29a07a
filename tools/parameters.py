"""Command `parameters`: write the table of all parameters, `docs/parameters.md`."""

from pathlib import Path
from typing import Any

import click

from stages import evaluate, export, fetch, preprocess, train
from stages.common.command_line.command import is_parameter, stage
from stages.common.command_line.parameter_types import Number

_HEADER = """\
# Parameters

The keys of `params.yaml` by section, with their defaults. `make docs` generates this file from the
options of the stages, which `python -m stages.NAME --help` shows.
"""


@stage("parameters")
def main() -> None:
    """Write the table of all parameters to docs/parameters.md.

    \b
    Example:
      python -m tools.parameters
    """
    Path("docs/parameters.md").write_text(parameters_table(), "utf-8")


def parameters_table() -> str:
    """Return the table of all parameters, as Markdown."""
    sections: dict[str, str] = {}
    for module in (fetch, preprocess, train, evaluate, export):
        for option in filter(is_parameter, module.main.params):
            section = module.main.section(option.name)
            sections[section] = sections.get(section, "") + _row(option)
    return _HEADER + "".join(
        f"\n## {section}\n\n| key | default | values | description |\n|---|---|---|---|\n{rows}"
        for section, rows in sections.items()
    )


def _row(option: Any) -> str:
    default = list(option.default) if option.multiple else option.default
    shown = str(default).lower() if option.is_flag else default
    help_text = " ".join(option.help.split())
    return f"| `{option.name}` | `{shown}` | {_values(option)} | {help_text} |\n"


def _values(option: Any) -> str:
    if isinstance(option.type, Number):
        values = str(option.type.values)
        return f"a list, each {values}" if option.multiple else values
    if isinstance(option.type, click.Choice):
        return " · ".join(f"`{choice}`" for choice in option.type.choices)
    return "`true` · `false`" if option.is_flag else option.type.name.replace("|", " or ")


if __name__ == "__main__":
    main()
