"""Click types for the parameters of the stages."""

from typing import Any

import click

from nn.checks.hyperparameters import Range

MAX_SEED = 2**32 - 1
_MAX_COUNT = 1_000_000_000
_FRACTION = Range(0.0, 1.0, excluded=(0.0, 1.0))


class Number(click.FloatRange):
    """An integer or a float in a `Range`; unlike in `click.FloatRange`, nan is an error."""

    def __init__(self, values: Range) -> None:
        low, high, excluded = values.low, values.high, values.excluded
        super().__init__(low, high, low in excluded, high in excluded)  # for --help
        self.values = values
        self.name = "integer" if values.integers else "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return the number; raises `click.BadParameter` if it is not in the range."""
        number = _parse(int if self.values.integers else float, value)
        if number not in self.values:
            advice = f"; write {whole}" if (whole := _whole(value)) in self.values else ""
            self.fail(f"expected {self.values}, got {value!r}{advice}", param, ctx)
        return number


class Size(click.ParamType):
    """A number of samples (an integer) or a fraction of them (between 0 and 1)."""

    name = "count|fraction"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return the count or the fraction; raises `click.BadParameter` for anything else."""
        # "1.0" is an error, because it could mean one sample or all.
        for kind, values in ((int, Range(1, _MAX_COUNT)), (float, _FRACTION)):
            number = _parse(kind, value)
            if number in values:
                return number
        message = "expected a number of samples (1, 2, …) or a fraction between 0 and 1"
        return self.fail(f"{message}, got {value!r}", param, ctx)


def _parse(kind: type, value: Any) -> Any:
    try:
        return kind(value) if str(value).isascii() else None  # Python reads digits of all scripts
    except ValueError:
        return None


def _whole(value: Any) -> int | None:
    """The integer that 10.0 is equal to, as which DVC passes a 1e1 of params.yaml; or None."""
    number = _parse(float, value)
    return int(number) if number is not None and number.is_integer() else None


def integer(low: int, high: int) -> Number:
    """An integer from `low` to `high`."""
    return Number(Range(low, high))


def count(up_to: int = _MAX_COUNT) -> Number:
    """An integer from 1 to `up_to`."""
    return integer(1, up_to)
