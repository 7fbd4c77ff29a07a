"""Descriptions of hyperparameters, kept in the metadata of dataclass fields.

Each hyperparameter is described once, as a field of a dataclass with name, type and default;
`hyperparameter` adds its valid values, its section of params.yaml and one sentence. Validation,
command-line options, the arguments of `NetworkClassifier` and docs/parameters.md are derived from
these descriptions.
"""

from collections.abc import Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from numbers import Integral, Real
from textwrap import fill
from typing import Any


@dataclass(frozen=True)
class Range:
    """Numbers between two ends; integers only if both ends are integers.

    Attributes:
        low, high: The ends.
        excluded: The ends that are not valid values.
    """

    low: float
    high: float
    excluded: tuple[float, ...] = ()

    @property
    def integers(self) -> bool:
        """Whether only integers are valid."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        kind = Integral if self.integers else Real
        if isinstance(value, bool) or not isinstance(value, kind):
            return False
        return bool(self.low <= value <= self.high) and value not in self.excluded  # type: ignore[operator]

    def __str__(self) -> str:
        low, high = (str(x) if self.integers else f"{x:g}" for x in (self.low, self.high))
        if self.low in self.excluded:
            limits = f"above {low} and at most {high}"
        else:
            limits = f"from {low} to {'below ' if self.high in self.excluded else ''}{high}"
        return f"{'an integer' if self.integers else 'a number'} {limits}"


Values = Range | tuple[str, ...]


def hyperparameter(default: Any, values: Values, description: str, section: str = "train") -> Any:
    """A dataclass field that describes a hyperparameter in one sentence.

    `values` are the valid ones, each element's if the default is a tuple, for a list of values;
    `section` is that of params.yaml.
    """
    about = {"values": values, "description": description, "section": section}
    return field(default=default, metadata=about)


def field_of(owner: type, name: str, default: Any = MISSING) -> Any:
    """A dataclass field as field `name` of `owner` is, with its default or another one."""
    original = next(f for f in fields(owner) if f.name == name)
    if default is MISSING:
        default = original.default
    return field(default=default, metadata=original.metadata)


def hyperparameters(owner: type) -> list[Field]:
    """The fields of a dataclass that describe hyperparameters, in order."""
    return [f for f in fields(owner) if "values" in f.metadata]


def validate(instance: Any) -> None:
    """Check every hyperparameter of a dataclass instance.

    Raises:
        ValueError: If one has an invalid value; the message begins with its name.
    """
    for described in hyperparameters(type(instance)):
        value, values = getattr(instance, described.name), described.metadata["values"]
        if isinstance(described.default, tuple):
            is_valid = isinstance(value, Sequence) and all(element in values for element in value)
        else:
            is_valid = value in values
        if not is_valid:
            raise ValueError(f"{described.name}: expected {_expected(described)}, got {value!r}")


def docstring_lines(owner: type) -> str:
    """The hyperparameters of a dataclass, their values and defaults, as an `Args` section has them.

    The lines are indented by eight spaces.
    """
    return "\n".join(
        fill(
            f"{f.name}: {f.metadata['description']} Expected: {_expected(f)} "
            f"(default {f.default!r}).",
            100,
            initial_indent=" " * 8,
            subsequent_indent=" " * 12,
        )
        for f in hyperparameters(owner)
    )


def _expected(described: Field) -> str:
    """The valid values of a hyperparameter, such as "one of sigmoid, tanh"."""
    values = described.metadata["values"]
    expected = str(values) if isinstance(values, Range) else f"one of {', '.join(values)}"
    return f"a list, each element {expected}" if isinstance(described.default, tuple) else expected
