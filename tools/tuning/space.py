"""Search space: the hyperparameters that vary, as in experiments/search/space.yaml."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from stages.common.errors import ParameterError
from stages.common.parameter_types import Number


@dataclass(frozen=True)
class Distribution:
    """A distribution (log, uniform or integer) of numbers between two bounds, both included."""

    kind: str
    low: float
    high: float

    def rvs(self, random_state: np.random.RandomState) -> int | float:
        """Draw an integer if the bounds are integers, else a number of four significant digits."""
        if self.kind == "integer":
            return int(random_state.randint(int(self.low), int(self.high) + 1))
        is_log = self.kind == "log"
        low, high = (math.log(x) if is_log else x for x in (self.low, self.high))
        number = random_state.uniform(low, high)
        number = float(f"{math.exp(number) if is_log else number:.4g}")
        number = min(max(number, self.low), self.high)
        return round(number) if isinstance(self.low, int) else number


def read_space(
    path: Path, options: Mapping[str, click.Parameter]
) -> dict[str, list | Distribution]:
    """Read a YAML file; the options of training, by name, convert and check its values.

    Raises:
        ParameterError: If the file is not YAML, or a name or a value is invalid.
    """
    try:
        text = path.read_bytes()
        space, node = yaml.safe_load(text), yaml.compose(text)
        # A dict keeps the last of two equal keys; the node has both.
        if not isinstance(space, dict) or not space or len(node.value) > len(space):  # type: ignore[union-attr]
            raise yaml.YAMLError("expected parameters, each once, such as learning_rate: [1, 3]")
    except yaml.YAMLError as error:
        raise ParameterError(f"{path}: {' '.join(str(error).split())}.") from error
    for name, written in space.items():
        if name not in options:
            near = " or ".join(difflib.get_close_matches(str(name), options, n=1) or options)
            raise ParameterError(f"{path}: {name}: no such parameter; did you mean {near}?")
        try:
            space[name] = _values(written, options[name])
        except click.BadParameter as error:
            raise ParameterError(f"{path}: {name}: {error.message.rstrip('.')}.") from error
    return space


def _values(written: Any, option: Any) -> list | Distribution:
    kinds: tuple[str, ...] = ()
    if isinstance(option.type, Number) and not option.multiple:
        kinds = ("log", "integer" if option.type.values.integers else "uniform")
    if isinstance(written, list) and written:
        values = [_convert(value, option) for value in written]
        if len(set(values)) == len(values):
            return values
    for kind in kinds:
        if isinstance(written, dict) and [*written] == [kind] and isinstance(written[kind], list):
            bounds = [_convert(bound, option) for bound in written[kind]]
            if len(bounds) == 2 and bounds[0] < bounds[1] and (kind != "log" or bounds[0] > 0):
                return Distribution(kind, *bounds)
    ranges = "".join(f" or {{{kind}: [low, high]}}" for kind in kinds)
    raise click.BadParameter(f"expected a list of different values{ranges}, got {written!r}")


def _convert(value: Any, option: Any) -> Any:
    if not option.multiple:
        return option.type.convert(str(value), option, None)
    if not isinstance(value, list) or not value:
        example = list(option.default)
        raise click.BadParameter(f"expected a list such as {example}, got {value!r}")
    return tuple(option.type.convert(str(element), option, None) for element in value)
