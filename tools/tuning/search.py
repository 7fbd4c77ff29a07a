"""Trials of a search, in one round, or in several with successive halving."""

import math
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from tqdm import tqdm

import nn
from nn import DivergedError, NotLearningWarning, Trainer, TrainingConfig, score
from stages.common.command_line.errors import ParameterError
from stages.common.files.artifacts import Artifacts, read_json
from stages.training.data import TrainingData
from stages.training.options import config_from_options


class Trial(NamedTuple):
    """A candidate after training."""

    options: dict[str, Any]  # all options of training
    cost: int  # multiplications of the training
    accuracy: float  # on the validation images; 0 if not trained
    outcome: str  # trained, lost (its worker died), or the reason of the failure


def run_trial(data: TrainingData, options: dict[str, Any]) -> tuple[float, str]:
    """Train as `train` does; return the accuracy, 0 if training fails, and the outcome."""
    try:
        config = config_from_options({name: options[name] for name in vars(TrainingConfig())})
        data.check(config)
        weights = data.sample_weights(options["class_weight"])
        shape = data.about.image_shape
        trainer = Trainer(config, sizes=data.sizes, seed=options["seed"], image_shape=shape)
        with warnings.catch_warnings():  # the accuracy of the trial says it
            warnings.simplefilter("ignore", NotLearningWarning)
            for _ in trainer.train_epochs(data.images, data.labels, weights):
                if config.patience:
                    trainer.record_validation(score(trainer.current, *data.validation))
        return score(trainer.result, *data.validation).accuracy, "trained"
    except ParameterError as error:
        return 0.0, error.message
    except DivergedError:
        return 0.0, "diverged"
    except MemoryError:
        return 0.0, "out of memory"


def cost(data: TrainingData, options: dict[str, Any]) -> int:
    """Multiplications of a training: three per weight, for outputs, errors and gradients."""
    layers = [data.sizes[0], *options["hidden"], data.sizes[1]]
    return 3 * sum(a * b for a, b in pairwise(layers)) * len(data.images) * options["epochs"]


def rounds(count: int, epochs: int, halving: bool) -> list[tuple[int, dict[str, int]]]:
    """Number of candidates and, with halving, epochs of each round, as scikit-learn has them."""
    last = min(math.floor(math.log(n, 3)) for n in (count, epochs))
    plan = [(math.ceil(count / 3**k), epochs // 3**last * 3**k) for k in range(last + 1)]
    return [(size, {"epochs": n}) for size, n in plan] if halving else [(count, {})]


def run_search(data: TrainingData, candidates: list, plan: list, run: Callable, log: Path) -> list:
    """Run the trials of a plan, from `rounds`, and return them, best first.

    All results are saved in the file `log`; a later search with the same options, data and code of
    `nn` reuses them. A trial whose worker died runs once more, alone.
    """
    code = [path.read_bytes() for path in sorted(Path(nn.__file__).parent.rglob("*.py"))]
    shared = joblib.hash([data, code], coerce_mmap=True)
    known = read_json(log, "tune") if log.exists() else {}

    def key(options: dict[str, Any]) -> str:
        return str(joblib.hash([shared, options]))

    def done(options: dict[str, Any], result: tuple[float, str]) -> None:
        known[key(options)] = result
        with Artifacts() as artifacts:
            artifacts.write_json(log, known)
        progress.update()

    trials, survivors, total = list[Trial](), candidates, sum(count for count, _ in plan)
    with tqdm(total=total, desc="tune", unit="trial", disable=None) as progress:
        for count, epochs in plan:
            chosen = [options | epochs for options in survivors[:count]]
            left = [options for options in chosen if key(options) not in known]
            progress.update(len(chosen) - len(left))
            run(data, left, done)
            for options in [options for options in left if key(options) not in known]:
                run(data, [options], done)
            found = [Trial(o, cost(data, o), *known.get(key(o), (0.0, "lost"))) for o in chosen]
            # Failed trials last, the others by accuracy and cost; those of the last round first.
            found.sort(key=lambda trial: (trial.outcome != "trained", -trial.accuracy, trial.cost))
            survivors = [trial.options for trial in found if trial.outcome == "trained"]
            trials = sorted(found + trials, key=lambda trial: trial.outcome != "trained")
    return trials
