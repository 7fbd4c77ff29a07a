"""What a search tries, and what became of each candidate."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nn import Recipe
from stages.searching.space import Range, Space

METHODS = ("grid", "random", "halving")
# The best third of the candidates goes on, with three times the epochs.
FACTOR = 3


@dataclass(frozen=True)
class Plan:
    """What is to be tried.

    Attributes:
        method: One of `METHODS`.
        space: The values of each knob that varies.
        trials: How many candidates are drawn; not for grid, which takes all.
        folds: Of cross-validation; 0 for the validation split.
        seed: Of the draw, and of the folds.
        epochs: Of a training, if they do not vary; with halving, at most.
    """

    method: str
    space: Space
    trials: int
    folds: int
    seed: int
    epochs: int

    def candidates(self) -> list[dict[str, Any]]:
        """The candidates to begin with, as scikit-learn's searches make them."""
        # Imported here: scikit-learn takes a second, and `--help` should not.
        from sklearn.model_selection import ParameterGrid, ParameterSampler

        if self.method == "grid":
            return list(ParameterGrid(self.space))
        return list(ParameterSampler(self.space, self.drawn, random_state=self.seed))

    @property
    def drawn(self) -> int:
        """How many candidates are drawn: no more than there are."""
        lists = [values for values in self.space.values() if not isinstance(values, Range)]
        if len(lists) < len(self.space):
            return self.trials
        return min(self.trials, math.prod(map(len, lists)))

    @property
    def rungs(self) -> list[tuple[int, int]]:
        """Candidates and epochs of each rung of halving, from the first."""
        steps = min(math.floor(math.log(n, FACTOR)) for n in (self.drawn, self.epochs))
        first = self.epochs // FACTOR**steps
        candidates, rungs = self.drawn, []
        for step in range(steps + 1):
            rungs.append((candidates, first * FACTOR**step))
            candidates = math.ceil(candidates / FACTOR)
        return rungs

    @property
    def total(self) -> int:
        """How many trials there will be."""
        if self.method == "halving":
            return sum(candidates for candidates, _ in self.rungs)
        return len(self.candidates())


@dataclass(frozen=True)
class Tried:
    """What became of a candidate.

    Attributes:
        knobs: The values of the parameters that vary; with halving, the epochs too.
        scores: Accuracy on each validation part; nan if training failed.
        rung: With halving, how often the candidate had gone on before; else 0.
        lost: Whether it killed its worker.
    """

    knobs: dict[str, Any]
    scores: tuple[float, ...]
    rung: int
    lost: bool

    @property
    def accuracy(self) -> float:
        """The mean; nan if one is nan."""
        return float(np.mean(self.scores))

    @property
    def deviation(self) -> float:
        """Standard deviation over the folds."""
        return float(np.std(self.scores))


def recipe_with(base: Recipe, knobs: dict[str, Any]) -> Recipe:
    """The recipe with some of its fields changed; knobs that are none of them are left out."""
    names = [field.name for field in fields(Recipe)]
    return Recipe(**{name: knobs.get(name, getattr(base, name)) for name in names})
