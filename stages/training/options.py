"""The options of training: one for each hyperparameter, `--seed` and `--class-weight`."""

from collections.abc import Callable
from dataclasses import Field
from typing import Any

import click

from nn import TrainingConfig
from nn.checks.hyperparameters import Range, hyperparameters
from stages.common.command_line.command import seed_option
from stages.common.command_line.errors import ParameterError
from stages.common.command_line.parameter_types import Number

# The section of params.yaml that has each parameter.
SECTIONS = {field.name: field.metadata["section"] for field in hyperparameters(TrainingConfig)} | {
    "class_weight": "train",
    "seed": "train",
}


def training_options(command: Callable) -> Callable:
    """Decorate a command with the options of training, in the order of params.yaml."""
    options = {field.name: _option(field) for field in hyperparameters(TrainingConfig)}
    names = list(options)
    options["seed"] = seed_option()
    options["class_weight"] = click.option(
        "--class-weight",
        type=click.Choice(["equal", "balanced"]),
        default="equal",
        help="Weights of the samples: equal, or inversely proportional to the frequency of their "
        "class (balanced).",
    )
    names.insert(names.index("arithmetic") + 1, "seed")
    names.insert(names.index("beta2") + 1, "class_weight")
    for name in reversed(names):
        command = options[name](command)
    return command


def _option(field: Field) -> Callable:
    values, is_list = field.metadata["values"], isinstance(field.default, tuple)
    return click.option(
        f"--{field.name.replace('_', '-')}",
        type=Number(values) if isinstance(values, Range) else click.Choice(values),
        default=field.default,
        multiple=is_list,
        help=field.metadata["description"]
        + (" On the command line, repeat the option." if is_list else ""),
    )


def config_from_options(options: dict[str, Any]) -> TrainingConfig:
    """Return the configuration; raises `ParameterError` if values do not fit together."""
    config = TrainingConfig(**options)
    try:
        config.validate()
    except ValueError as error:
        section = SECTIONS[str(error).partition(":")[0]]
        raise ParameterError(f"{section}.{error}.") from error
    return config
