"""Search space: the hyperparameters that vary, as in experiments/search/space.yaml."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from stages.common.command_line.errors import ParameterError


@dataclass(frozen=True)
class Distribution:
    """A uniform or log-uniform distribution from `low` to `high`; of integers if both are."""

    low: float
    high: float
    log: bool = False

    def rvs(self, random_state: np.random.RandomState) -> int | float:
        """Draw an integer, or a number of four significant digits."""
        integers, u = isinstance(self.low, int), random_state.random_sample()
        width = self.high + integers - self.low
        number = self.low * (1 + width / self.low) ** u if self.log else self.low + width * u
        number = int(number) if integers else float(f"{number:.4g}")
        return min(max(number, self.low), self.high)


def read_candidates(
    path: Path, options: dict[str, click.Parameter], method: str, trials: int, seed: int
) -> list[dict[str, Any]]:
    """Return the combinations of values to try: all for the method grid, else `trials` draws.

    The options of training, by name, convert and check the values in the YAML file.
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler  # takes a second

    where, space = f"{path}", dict[str, list | Distribution]()
    try:
        written, node = yaml.safe_load(text := path.read_bytes()), yaml.compose(text)
        # If a key occurs twice, the dict has the last one only; the node has both.
        if not isinstance(written, dict) or not written or len(node.value) > len(written):  # type: ignore[union-attr]
            raise click.BadParameter("expected parameters, each once, such as epochs: [10, 30]")
        for name, values in written.items():
            where = f"{path}: {name}"
            if name not in options:
                near = " or ".join(difflib.get_close_matches(str(name), options, n=1) or options)
                raise click.BadParameter(f"no such parameter; did you mean {near}?")
            space[name] = _values(values, options[name])
            if method == "grid" and isinstance(space[name], Distribution):
                raise click.BadParameter("method grid takes lists only, got a range")
            if method == "halving" and name == "epochs":
                raise click.BadParameter("method halving sets it; remove it")
    except (yaml.YAMLError, RecursionError, click.BadParameter) as error:
        raise ParameterError(f"{where}: {' '.join(str(error).split()).rstrip('.')}.") from error
    if all(isinstance(values, list) for values in space.values()):
        trials = min(trials, len(ParameterGrid(space)))
    draws = ParameterSampler(space, trials, random_state=seed)
    return list(ParameterGrid(space) if method == "grid" else draws)


def _values(written: Any, option: click.Parameter) -> list | Distribution:
    match written:
        case [_, *_]:
            values = [_convert(value, option) for value in written]
            if len(set(values)) == len(values):
                return values
        case {"log": [low, high]} | {"uniform": [low, high]} | {"integer": [low, high]}:
            low, high = _convert(low, option), _convert(high, option)
            fits = low > 0 if "log" in written else isinstance(low, int) == ("integer" in written)
            if fits and low < high and len(written) == 1:
                return Distribution(low, high, "log" in written)
    wanted = "expected a list of different values, or log, uniform or integer: [low, high]"
    raise click.BadParameter(f"{wanted}, got {written!r}")


def _convert(value: Any, option: Any) -> Any:
    if not option.multiple:
        return option.type.convert(str(value), option, None)
    if isinstance(value, list) and value:
        return tuple(option.type.convert(str(element), option, None) for element in value)
    raise click.BadParameter(f"expected a list such as {[*option.default]}, got {value!r}")
