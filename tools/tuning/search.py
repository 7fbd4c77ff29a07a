"""Grid search, random search and successive halving over the hyperparameters of `train`."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import scipy

import nn
from nn import DivergedError, Trainer, TrainingConfig, score
from stages import training
from stages.common.errors import ParameterError
from stages.training.data import TrainingData
from stages.training.options import config_from_options
from tools import tuning
from tools.tuning.space import Distribution
from tools.tuning.workers import Run


@dataclass(frozen=True)
class Trial:
    """A candidate after training; `round` counts the rounds of successive halving from 0."""

    params: dict[str, Any]  # values of what varies; with halving, also the epochs
    round: int
    cost: int  # multiplications of one training
    outcome: str  # trained, diverged or lost (the worker died)
    accuracy: float  # mean over the folds; nan if not trained
    deviation: float


def ranked(trials: list[Trial]) -> list[Trial]:
    """Sort trials: failed ones last, then by round of halving, accuracy and cost, best first."""
    return sorted(
        trials, key=lambda t: (t.outcome != "trained", -t.round, -np.nan_to_num(t.accuracy), t.cost)
    )


@dataclass(frozen=True)
class Search:
    """What all trials share: the options of `tune`, the values of those that vary, the data."""

    options: dict[str, Any]
    space: dict[str, list | Distribution]
    data: TrainingData

    def config(self, params: dict[str, Any]) -> TrainingConfig:
        """The configuration of a trial; raises `ParameterError` if its values do not fit."""
        options = self.options | params
        return config_from_options({name: options[name] for name in vars(TrainingConfig())})

    def candidates(self) -> list[dict[str, Any]]:
        """The values that are tried, one dict per candidate."""
        # Imported here: scikit-learn takes a second, and `--help` does not need it.
        from sklearn.model_selection import ParameterGrid, ParameterSampler

        if self.options["method"] == "grid":
            return list(ParameterGrid(self.space))
        count = self.options["trials"]
        if all(isinstance(values, list) for values in self.space.values()):
            count = min(count, len(ParameterGrid(self.space)))
        return list(ParameterSampler(self.space, count, random_state=self.options["search_seed"]))

    def rounds(self) -> list[tuple[int, dict[str, int]]]:
        """Number of candidates and, with halving, the epochs of each round, as scikit-learn's."""
        count, epochs = len(self.candidates()), self.options["epochs"]
        if self.options["method"] != "halving":
            return [(count, {})]
        last = min(math.floor(math.log(n, 3)) for n in (count, epochs))
        first = epochs // 3**last
        return [(math.ceil(count / 3**k), {"epochs": first * 3**k}) for k in range(last + 1)]

    def check(self, path: str) -> None:
        """Raise `ParameterError` for what cannot be searched; `path` is the file of the space."""
        method, folds = self.options["method"], self.options["folds"]
        for name, values in self.space.items():
            if method == "grid" and isinstance(values, Distribution):
                raise ParameterError(f"{path}: {name}: method grid takes lists only, got a range.")
            if method == "halving" and name == "epochs":
                raise ParameterError(f"{path}: epochs: method halving sets it; remove it.")
        rarest = int(min(filter(None, self.data.labels.sum(axis=0))))
        if folds == 1 or folds > rarest:
            raise ParameterError(
                f"tune.folds: expected 0, or 2 to {rarest} (training images of the rarest class), "
                f"got {folds}."
            )
        if folds and (self.options["patience"] or "patience" in self.space):
            raise ParameterError(f"tune.folds: expected 0 with early stopping, got {folds}.")
        epochs = self.rounds()[0][1]
        for params in self.candidates():
            try:
                self.data.check(self.config(params | epochs))
            except ParameterError as error:
                fault = error.message.rstrip(".")
                where = ", ".join(f"{name} {v}" for name, v in sorted((params | epochs).items()))
                raise ParameterError(f"{path}: {fault} (in the trial with {where}).") from error

    def splits(self) -> Iterator[TrainingData]:
        """The data to train on and to validate with, for each fold."""
        data, folds = self.data, self.options["folds"]
        if not folds:
            yield data
            return
        from sklearn.model_selection import StratifiedKFold

        kfold = StratifiedKFold(folds, shuffle=True, random_state=self.options["search_seed"])
        for rows, rest in kfold.split(data.images, data.labels.argmax(axis=1)):
            validation = data.images[rest], data.labels[rest]
            images, labels = data.images[rows], data.labels[rows]
            yield data._replace(images=images, labels=labels, validation=validation)

    def trial(self, params: dict[str, Any], number: int, scores: list[float] | None) -> Trial:
        """A trial of round `number`, from its accuracy on each fold; None if the worker died."""
        config, n, folds = self.config(params), len(self.data.images), self.options["folds"]
        layers = [self.data.sizes[0], *config.hidden, self.data.sizes[1]]
        images = n * (folds - 1) // folds if folds else n
        # Each weight is used for the outputs, for the errors and for its gradient.
        cost = 3 * sum(a * b for a, b in pairwise(layers)) * images * config.epochs
        accuracy, deviation = (float(f(scores or math.nan)) for f in (np.mean, np.std))
        outcome = "lost" if not scores else "diverged" if math.isnan(accuracy) else "trained"
        return Trial(params, number, cost, outcome, accuracy, deviation)


def run_trial(search: Search, params: dict[str, Any]) -> list[float] | None:
    """Train as `train` would; return the accuracy on the validation images of each fold.

    nan if training diverges, None if memory does not suffice.
    """
    options, config, scores = search.options | params, search.config(params), list[float]()
    try:
        for data in search.splits():
            weights = data.sample_weights(options["class_weight"])
            shape = data.about.image_shape
            trainer = Trainer(config, sizes=data.sizes, seed=options["seed"], image_shape=shape)
            for _ in trainer.train_epochs(data.images, data.labels, weights):
                if config.patience:
                    trainer.record_validation(score(trainer.current, *data.validation))
            scores.append(score(trainer.result, *data.validation).accuracy)
    except DivergedError:
        return [math.nan]
    except MemoryError:
        return None
    return scores


def run_search(search: Search, run: Run, log: Path, report: Callable[[int], Any]) -> list[Trial]:
    """Run all trials; call `report` with the number of trials that have been finished.

    The scores of each trial are appended to the file `log` at once, as JSON. A later search with
    the same parameters, data and code reads them and continues; lost trials are tried again.
    """
    packages = [Path(str(package.__file__)).parent for package in (nn, training, tuning)]
    code = [path.read_bytes() for p in packages for path in sorted(p.rglob("*.py"))]
    key = joblib.hash([search, code, np.__version__, scipy.__version__], coerce_mmap=True)
    known: dict[str, list[float] | None] = {}
    for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
        with suppress(ValueError, TypeError):  # an incomplete line
            key_of_line, name, scores = json.loads(line)
            known |= {name: scores} if key_of_line == key else {}
    trials, survivors = list[Trial](), search.candidates()
    for number, (count, epochs) in enumerate(search.rounds()):
        candidates = {json.dumps(p | epochs): p | epochs for p in survivors[:count]}
        left = [params for name, params in candidates.items() if name not in known]
        report(count - len(left))
        for params, scores in run(run_trial, search, left):
            report(1)
            known[name := json.dumps(params)] = scores
            if scores:
                log.parent.mkdir(parents=True, exist_ok=True)
                with log.open("a") as file:
                    file.write("\n" + json.dumps([key, name, scores]))
        done = ranked([search.trial(p, number, known[name]) for name, p in candidates.items()])
        trials += done
        survivors = [trial.params for trial in done if trial.outcome == "trained"]
    return ranked(trials)
