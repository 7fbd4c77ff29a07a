"""A search space: which knobs of `train` vary, and how.

In YAML that a person can read:

    hidden: [[50], [100], [300, 100]]    # a list: one of these
    learning_rate: {log: [0.1, 10]}      # as likely between 0.1 and 1 as between 1 and 10
    dropout_hidden: {uniform: [0, 0.5]}  # every number between is as likely
    batch_size: {integer: [5, 50]}       # every whole number between, both ends included

Values are checked by the options of `train` themselves, so a space can hold what params.yaml can.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.cli import BadParameter, Refusal

KINDS = ("log", "uniform", "integer")
# So many digits are enough to find a good value, and few enough to read and to copy.
_DIGITS = 4


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, in the way that scikit-learn's searches draw from.

    Attributes:
        kind: One of `KINDS`.
        low, high: The ends, both included.
        whole: Whether the numbers are whole ones.
    """

    kind: str
    low: float
    high: float
    whole: bool

    def rvs(self, random_state: np.random.RandomState) -> int | float:
        """Draw one number; rounded to four digits, so that it can be read and copied."""
        if self.kind == "integer":
            return int(random_state.randint(int(self.low), int(self.high) + 1))
        low, high = self.low, self.high
        if self.kind == "log":
            low, high = math.log(low), math.log(high)
        drawn = low + (high - low) * random_state.random_sample()
        number = float(f"{math.exp(drawn) if self.kind == 'log' else drawn:.{_DIGITS}g}")
        number = min(max(number, self.low), self.high)
        return round(number) if self.whole else number


Space = dict[str, list | Range]


def read_space(path: Path, knobs: Mapping[str, click.Option]) -> Space:
    """Read a search space.

    Args:
        path: The YAML file.
        knobs: The options of `train` by name; they say which values make sense.

    Returns:
        For each knob the list of its choices, or a `Range`.

    Raises:
        Refusal: With file and key, if something in it makes no sense.
    """
    try:
        written = YAML(typ="safe").load(path.read_bytes())
    except FileNotFoundError as error:
        raise Refusal(
            f"{path}: it is not there; write one, such as learning_rate: [1, 3]."
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())
        raise Refusal(f"{path}: it is no YAML ({what}); write learning_rate: [1, 3].") from error
    if not isinstance(written, dict) or not written:
        raise Refusal(f"{path}: it names no knob; write at least one, as learning_rate: [1, 3].")
    return {name: _values(path, name, value, knobs) for name, value in written.items()}


def _values(path: Path, name: Any, value: Any, knobs: Mapping[str, click.Option]) -> list | Range:
    where = f"{path}: {name}"
    if name not in knobs:
        near = difflib.get_close_matches(str(name), knobs, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(knobs)}."
        raise BadParameter(f"{where}: train has no such parameter; {hint}")
    knob = knobs[name]
    if isinstance(value, list):
        return _choices(where, value, knob)
    if isinstance(value, dict) and len(value) == 1:
        ((kind, ends),) = value.items()
        return _range(where, kind, ends, knob)
    raise BadParameter(
        f"{where}: {value!r} is neither a list of choices nor one of {', '.join(KINDS)}; write "
        f"{name}: {_example(knob)}."
    )  # fmt: skip


def _choices(where: str, values: list, knob: click.Option) -> list:
    if not values:
        raise BadParameter(f"{where}: the list is empty; give it a choice or two.")
    choices = []
    for value in values:
        if knob.multiple:
            if not isinstance(value, list) or not value:
                raise BadParameter(
                    f"{where}: {value!r} is no list; each choice is one, as in {_example(knob)}."
                )
            choice: Any = tuple(_convert(where, part, knob) for part in value)
        else:
            choice = _convert(where, value, knob)
        if choice in choices:
            raise BadParameter(f"{where}: {value!r} is there twice; once is enough.")
        choices.append(choice)
    return choices


def _range(where: str, kind: Any, ends: Any, knob: click.Option) -> Range:
    if kind not in KINDS:
        raise BadParameter(f"{where}: there is no {kind!r}; choose one of {', '.join(KINDS)}.")
    if not isinstance(ends, list) or len(ends) != 2:
        raise BadParameter(f"{where}: {kind} takes two numbers; write {kind}: [low, high].")
    default = knob.default
    if isinstance(default, str | tuple | list):
        raise BadParameter(f"{where}: it is no number; list the choices, as {_example(knob)}.")
    whole = isinstance(default, int)
    if kind == "integer" and not whole:
        raise BadParameter(f"{where}: it need not be whole; choose log or uniform.")
    if kind == "uniform" and whole:
        raise BadParameter(f"{where}: it is a whole number; choose integer or log.")
    low, high = (_convert(where, end, knob) for end in ends)
    if not -math.inf < low < high < math.inf:
        raise BadParameter(f"{where}: {low:g} is not below {high:g}; write {kind}: [low, high].")
    if kind == "log" and low <= 0:
        raise BadParameter(f"{where}: log starts above 0; choose more than {low:g}, or uniform.")
    return Range(kind, low, high, whole)


def _convert(where: str, value: Any, knob: click.Option) -> Any:
    """What the option makes of a value, given as it would be on the command line."""
    if isinstance(value, bool | list | dict) or value is None:
        raise BadParameter(f"{where}: {value!r} is not one value; write {_example(knob)}.")
    try:
        return knob.type.convert(str(value), knob, None)
    except click.BadParameter as error:
        raise BadParameter(f"{where}: {error.message}") from error


def _example(knob: click.Option) -> str:
    default = knob.default
    return f"[{list(default) if isinstance(default, tuple | list) else default}]"
