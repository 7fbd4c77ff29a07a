"""A search over the knobs of training: scikit-learn's searches, with trials that may fail.

A trial trains as the stage `train` would with these parameters, to the bit, so its accuracy on the
validation split is the one that `train` will show. Who trains, and with how many workers, is
joblib's business (`engines`) and does not change a bit either.

A trial that kills its worker (for want of memory, say) takes with it what other workers were at.
Trials are therefore handed out in batches; a broken batch is done again, one by one, and the trial
whose worker dies when it is alone is the one that is lost.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    PredefinedSplit,
    RandomizedSearchCV,
    StratifiedKFold,
)
from sklearn.utils.class_weight import compute_sample_weight

from nn import DivergedError, Run, score
from nn.estimator import NetworkClassifier
from stages.searching.plan import FACTOR, Plan, Tried

# Trials of a batch for each worker: more waste less time waiting for a batch's last trial, and more
# when a batch breaks.
_BATCH = 4
# A trial is lost when its worker has died so often while it was alone. Once might be chance.
_DEATHS = 2


@dataclass(eq=False, repr=False)
class Trial(NetworkClassifier):
    """The network as `train` trains it, with that stage's parameters.

    Attributes:
        class_weight: equal or balanced.
        seed: As that of `train`, and unlike `random_state`.
        n_classes: How many classes there are, in a fold or not.
        lost: Number of the candidate that killed its worker, and which this one stands for; it is
            not trained. -1: it is trained.
    """

    class_weight: str | dict | None = "equal"
    seed: int = 0
    n_classes: int = 2
    lost: int = -1

    def fit(  # type: ignore[override]
        self,
        X: NDArray,  # noqa: N803
        y: NDArray,
        *,
        X_val: NDArray | None = None,  # noqa: N803
        y_val: NDArray | None = None,
    ) -> Self:
        """Train; if the weights stop being finite, there is no network and its score is nan."""
        self.network_ = None  # type: ignore[assignment]
        if self.lost >= 0:
            return self
        samples = self._encoded(X, y, labels=range(self.n_classes))
        weights = None
        if self.class_weight == "balanced":
            weights = compute_sample_weight("balanced", y).astype(samples.images.dtype)
        run = Run(
            self._recipe(),
            sizes=(samples.images.shape[1], self.n_classes),
            seed=self.seed,
            image_shape=self.image_shape,
        )
        try:
            for _ in run.epochs(samples.images, samples.targets, weights):
                if self.patience and X_val is not None:
                    run.judge(score(run.current, X_val, self._one_hot(y_val)))
        except DivergedError:
            return self
        self.network_ = run.result
        return self

    def score(self, X: NDArray, y: NDArray) -> float:  # noqa: N803
        """Fraction of the samples that are recognised; nan if there is no network."""
        if self.network_ is None:
            return math.nan
        return score(self.network_, X, self._one_hot(y)).accuracy

    def _one_hot(self, y: NDArray | None) -> NDArray:
        return np.eye(self.n_classes, dtype=np.float32)[y]


def search(
    plan: Plan,
    base: Trial,
    train: tuple[NDArray, NDArray],
    validation: tuple[NDArray, NDArray],
    done: Callable[[int], object],
) -> list[Tried]:
    """Try all candidates, with the engine of the surrounding `joblib.parallel_config`.

    Args:
        plan: What is to be tried.
        base: The parameters that do not vary.
        train: (n, d) float32 images and (n,) class indexes.
        validation: Likewise; used if the plan has no folds.
        done: Called with a number of trials when so many more are done.
    """
    images, labels = train
    options: dict[str, Any] = {}
    if plan.folds:
        cv = StratifiedKFold(plan.folds, shuffle=True, random_state=plan.seed)
    else:
        cv = PredefinedSplit(np.repeat([-1, 0], [len(images), len(validation[0])]))
        images, labels = (np.concatenate(both) for both in zip(train, validation, strict=True))
        if base.patience or "patience" in plan.space:
            options = {"X_val": np.asarray(validation[0]), "y_val": validation[1]}
    common = {"cv": cv, "refit": False, "error_score": "raise"}
    searching: Any
    if plan.method == "grid":
        searching = _Grid(base, plan.space, **common)
    elif plan.method == "random":
        drawn = {"n_iter": plan.drawn, "random_state": plan.seed}
        searching = _Random(base, plan.space, **drawn, **common)
    else:
        searching = _Halving(
            base,
            plan.space,
            n_candidates=plan.drawn,
            factor=FACTOR,
            resource="epochs",
            min_resources=plan.rungs[0][1],
            max_resources=plan.epochs,
            random_state=plan.seed,
            return_train_score=False,
            **common,
        )
    searching.done = done
    with warnings.catch_warnings():
        # Trials that failed are in the table.
        warnings.filterwarnings("ignore", message="One or more of the test scores are non-finite")
        searching.fit(images, labels, **options)
    return list(_tried(searching))


class _Patient:
    """For scikit-learn's searches: trials in batches, and lost ones. To be inherited first."""

    done: Callable[[int], object]

    def _run_search(self, evaluate_candidates: Callable, *, callback_ctx: Any = None) -> None:
        self.lost_: list[dict[str, Any]] = []

        def evaluate(
            candidates: Any, cv: Any = None, more_results: Any = None, **_: Any
        ) -> dict[str, Any]:
            rows = [
                (dict(candidate), {k: [values[row]] for k, values in (more_results or {}).items()})
                for row, candidate in enumerate(candidates)
            ]
            workers = joblib.effective_n_jobs(None)
            size = 1 if workers == 1 else math.ceil(_BATCH * workers / self.n_splits_)  # type: ignore[attr-defined]
            results: dict[str, Any] = {}
            for start in range(0, len(rows), size):
                results = self._evaluate(evaluate_candidates, rows[start : start + size], cv)
            return results

        super()._run_search(evaluate, callback_ctx=callback_ctx)  # type: ignore[misc]

    def _evaluate(self, evaluate_candidates: Callable, rows: list, cv: Any) -> dict[str, Any]:
        """Have candidates evaluated, whatever becomes of the workers; scikit-learn's results."""
        more = {key: [value for _, row in rows for value in row[key]] for key in rows[0][1]}
        deaths = 0
        while True:
            try:
                # Results are recorded in the end only, so a failed call leaves no trace.
                results = evaluate_candidates(
                    [candidate for candidate, _ in rows], cv, more_results=more
                )
            except (BrokenExecutor, MemoryError):
                if len(rows) > 1:
                    for row in rows:
                        results = self._evaluate(evaluate_candidates, [row], cv)
                    return results
                deaths += 1
                if deaths == _DEATHS:
                    # Not the candidate itself, which may be deadly to whoever takes it.
                    self.lost_.append(rows[0][0])
                    rows = [({"lost": len(self.lost_) - 1}, rows[0][1])]
                elif deaths == 2 * _DEATHS:
                    raise  # it is not the candidate
            else:
                self.done(len(rows))
                return results


class _Grid(_Patient, GridSearchCV):
    pass


class _Random(_Patient, RandomizedSearchCV):
    pass


class _Halving(_Patient, HalvingRandomSearchCV):
    pass


def _tried(searching: Any) -> Iterator[Tried]:
    results = searching.cv_results_
    scores = np.stack([results[f"split{k}_test_score"] for k in range(searching.n_splits_)], axis=1)
    rungs = results.get("iter", np.zeros(len(scores), int))
    for knobs, row, rung in zip(results["params"], scores, rungs, strict=True):
        lost = "lost" in knobs
        known = {**searching.lost_[knobs["lost"]], **knobs} if lost else dict(knobs)
        known.pop("lost", None)
        yield Tried(known, tuple(map(float, row)), int(rung), lost)
