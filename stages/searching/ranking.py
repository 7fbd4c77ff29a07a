"""The trials of a search, best first: a table, a line to copy, and who is best at what cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nn import Recipe
from stages.searching.plan import Tried, recipe_with


@dataclass(frozen=True)
class Ranked:
    """A trial in its place.

    Attributes:
        rank: From 1. Failures come last, halving's last rung first; then the more accurate, then
            the cheaper.
        tried: The trial.
        cost: Multiplications of one training that goes through all its epochs: 3 × weights × images
            × epochs, since a weight is used for the outputs, for the errors, for its gradient.
    """

    rank: int
    tried: Tried
    cost: int

    @property
    def outcome(self) -> str:
        """trained, diverged, or lost: it killed its worker."""
        if self.tried.lost:
            return "lost"
        return "diverged" if math.isnan(self.tried.accuracy) else "trained"


def ranked(
    tried: Sequence[Tried], base: Recipe, *, sizes: tuple[int, int], images: int
) -> list[Ranked]:
    """Put trials in order.

    Args:
        tried: The trials.
        base: What does not vary.
        sizes: Number of inputs and of classes.
        images: How many images a training sees in an epoch.
    """
    costs = [_multiplications(recipe_with(base, t.knobs), sizes, images) for t in tried]
    # Python's sort is stable: what is equal in all stays in the order of the draw.
    order = sorted(range(len(tried)), key=lambda k: (*_demerits(tried[k]), costs[k]))
    return [Ranked(rank, tried[k], costs[k]) for rank, k in enumerate(order, start=1)]


def table(trials: Sequence[Ranked], *, folds: int) -> tuple[list[str], list[list]]:
    """Header and rows of trials.csv."""
    knobs = sorted(trials[0].tried.knobs)
    header = ["rank", *knobs, "accuracy", *(["deviation"] if folds else [])]
    rows = []
    for trial in trials:
        scores = [trial.tried.accuracy, *([trial.tried.deviation] if folds else [])]
        rows.append([
            trial.rank,
            *(shown(trial.tried.knobs[name]) for name in knobs),
            *("" if math.isnan(score) else f"{score:.6f}" for score in scores),
            trial.cost,
            trial.outcome,
        ])  # fmt: skip
    return [*header, "multiplications", "outcome"], rows


def pareto_front(trials: Sequence[Ranked]) -> list[Ranked]:
    """Trials that no other beats at the same or a lower cost, the cheapest first."""
    front: list[Ranked] = []
    trained = [trial for trial in trials if trial.outcome == "trained"]
    for trial in sorted(trained, key=lambda t: (t.cost, -t.tried.accuracy, t.rank)):
        if not front or trial.tried.accuracy > front[-1].tried.accuracy:
            front.append(trial)
    return front


def experiment(knobs: dict[str, Any]) -> str:
    """The command that runs the pipeline with such parameters; for bash and zsh."""
    # Quoted, because brackets are patterns to a shell; without the blanks that Hydra would mind.
    values = {name: as_yaml(value).replace(" ", "") for name, value in sorted(knobs.items())}
    options = [f"-S 'train.{name}={value}'" for name, value in values.items()]
    return " ".join(["dvc exp run", *options])


def as_yaml(value: Any) -> str:
    """A value as it stands in params.yaml."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    # A number without a dot, such as 1e-05, is text to some readers of YAML.
    text = str(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text


def shown(value: Any) -> str:
    """A value as people read it; layers as 300-100."""
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _multiplications(recipe: Recipe, sizes: tuple[int, int], images: int) -> int:
    layers = [sizes[0], *recipe.hidden, sizes[1]]
    return 3 * sum(a * b for a, b in pairwise(layers)) * images * recipe.epochs


def _demerits(tried: Tried) -> tuple[bool, int, float]:
    failed = math.isnan(tried.accuracy)
    return failed, -tried.rung, 0.0 if failed else -tried.accuracy
