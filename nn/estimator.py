"""The network as a scikit-learn classifier: for pipelines, cross-validation and searches.

A thin skin: labels become one-hot rows, arguments become a `Recipe`, and `Run` does the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from nn.loading import Samples
from nn.recipe import Recipe
from nn.run import Run
from nn.scoring import Score, score
from nn.training import DivergedError

_FLOATS = (np.float64, np.float32)


@dataclass(eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, BaseEstimator, Recipe):
    """A multi-layer perceptron with scikit-learn's interface.

    Every field of `Recipe` is an argument; see there. The defaults are not the article's but suit
    data of any kind, if its features are scaled (put a `StandardScaler` before it).

    Args:
        image_shape: Height and width of an image, to deform images that are not square.
        class_weight: None; "balanced"; or a dict from label to weight.
        validation_fraction: Part of the samples that is kept from training for early stopping, if
            `patience` is set and `fit` is given no validation samples.
        warm_start: Whether `fit` goes on from the network and the optimizer's state of the last.
        random_state: Seed of everything random.

    Attributes:
        classes_: The labels, sorted.
        network_: The trained `Network`; `nn.save` keeps it.
        n_iter_: Epochs done.
        loss_curve_: Loss on the training samples after each epoch.
        validation_curve_: `Score` on the validation samples after each epoch, if there are any.

    A sample of weight 2 counts as two: exactly, if a minibatch holds all samples; on average, if
    not. `fit` uses weights relative to their mean. float32 samples make a float32 network, all
    others float64.
    """

    loss: str = "softmax_cross_entropy"
    initialization: str = "glorot"
    optimizer: str = "adam"
    learning_rate: float = 0.003
    batch_size: int = 200
    epochs: int = 200
    image_shape: tuple[int, int] | None = None
    class_weight: str | dict | None = None
    validation_fraction: float = 0.1
    warm_start: bool = False
    random_state: Any = None

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,  # noqa: N803
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Train on (n, features) samples with (n,) labels.

        `X_val` and `y_val` are for the validation curve and for early stopping.

        Raises:
            ValueError: If arguments or samples make no sense.
            DivergedError: If the weights stop being finite.
        """
        for _ in self.iterate(X, y, sample_weight, X_val=X_val, y_val=y_val):
            pass
        return self

    def iterate(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,  # noqa: N803
        y_val: ArrayLike | None = None,
    ) -> Iterator[Self]:
        """As `fit`, but yield this classifier after every epoch: look at it, log, stop, save.

        Until the last epoch `network_` is updated in place; copy what is to be kept.
        """
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val: give both or neither")
        going_on = self.warm_start and hasattr(self, "_run")
        samples = self._encoded(X, y, dtype=self._run.network.dtype if going_on else None)
        weights = self._weights(samples, sample_weight)
        if weights is not None:
            weights /= weights.mean()
        samples = samples._replace(weights=weights)
        validation = None
        if X_val is not None:
            validation = self._encoded(X_val, y_val, dtype=samples.images.dtype)
        elif self.patience:
            samples, validation = self._split_off_validation(samples)
        self._prepare(samples, self._recipe() if going_on else None)
        try:
            for _ in self._run.epochs(*samples):
                self._record(samples, validation)
                yield self
        except DivergedError:
            self.__dict__.pop("network_", None)  # its weights are worthless
            raise
        finally:
            if self._run.epoch:
                self.network_ = self._run.result

    def partial_fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch; `epochs` calls with the same samples are what `fit` does.

        The first call must say all `classes` that will ever come, if its labels do not. There is no
        early stopping. Weights are used as they are, since other samples may follow.

        Raises:
            ValueError: If the samples or a changed argument do not fit what came before, or if the
                learning rate has reached the end of its schedule.
        """
        if self.class_weight == "balanced":
            raise ValueError("class_weight: balanced needs all samples at once; give a dict")
        first = not hasattr(self, "_run")
        if (
            not first
            and classes is not None
            and not np.array_equal(np.unique(classes), self.classes_)
        ):
            raise ValueError(f"classes: {classes} are not those of the first call, {self.classes_}")
        dtype = None if first else self._run.network.dtype
        samples = self._encoded(X, y, labels=classes, dtype=dtype)
        samples = samples._replace(weights=self._weights(samples, sample_weight))
        recipe = replace(self._recipe(), patience=0)
        if recipe.learning_rate_schedule.ends and not first and self._run.epoch >= recipe.epochs:
            whole = f"all {recipe.epochs} of the schedule {recipe.schedule}"
            raise ValueError(f"epochs: {whole} are done")
        self._prepare(samples, None if first else recipe, from_the_start=False)
        for _ in self._run.epochs(*samples, until=self._run.epoch + 1):
            self._record(samples, None)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray:  # noqa: N803
        """Logarithms of the probabilities, (n, classes); of two classes the difference, (n,)."""
        logarithms = np.log(self.predict_proba(X) + np.finfo(self.network_.dtype).tiny)
        return logarithms[:, 1] - logarithms[:, 0] if len(self.classes_) == 2 else logarithms

    def predict_proba(self, X: ArrayLike) -> NDArray:  # noqa: N803
        """Probability of each class, (n, classes), of the network's dtype."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False)  # noqa: N806
        return self.network_.probabilities(X)

    def predict(self, X: ArrayLike) -> NDArray:  # noqa: N803
        """The most probable label of each sample, (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False)  # noqa: N806
        return self.classes_[self.network_.predict(X)]

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a network to ask."""
        return hasattr(self, "network_")

    def _recipe(self) -> Recipe:
        return Recipe(**{field.name: getattr(self, field.name) for field in fields(Recipe)})

    def _prepare(
        self, samples: Samples, going_on_by: Recipe | None, *, from_the_start: bool = True
    ) -> None:
        """Make a run for such samples, or let the one there is go on by a recipe."""
        if going_on_by is not None:
            self._run.follow(going_on_by, from_the_start=from_the_start)
            return
        self._run: Run = Run(
            self._recipe(),
            sizes=(samples.images.shape[1], len(self.classes_)),
            seed=int(check_random_state(self.random_state).randint(2**31)),
            classes=[str(label) for label in self.classes_],
            image_shape=self.image_shape,
            dtype=samples.images.dtype.type,
        )
        self.loss_curve_: list[float] = []
        self.validation_curve_: list[Score] = []

    def _record(self, samples: Samples, validation: Samples | None) -> None:
        self.network_, self.n_iter_ = self._run.current, self._run.epoch
        self.loss_curve_.append(score(self.network_, samples.images, samples.targets).loss)
        if validation is not None:
            self.validation_curve_.append(
                score(self.network_, validation.images, validation.targets)
            )
            self._run.judge(self.validation_curve_[-1])

    def _split_off_validation(self, samples: Samples) -> tuple[Samples, Samples]:
        if not 0.0 < self.validation_fraction < 1.0:
            raise ValueError(
                f"validation_fraction: {self.validation_fraction} is not between 0 and 1"
            )
        chosen, kept = train_test_split(
            np.arange(len(samples.images)),
            test_size=self.validation_fraction,
            random_state=check_random_state(self.random_state).randint(2**31),
            stratify=samples.targets.argmax(axis=1),
        )
        return samples.rows(chosen), samples.rows(kept)

    def _encoded(
        self,
        x: Any,
        y: Any,
        *,
        labels: ArrayLike | None = None,
        dtype: np.dtype | None = None,
    ) -> Samples:
        """Samples with one-hot targets.

        Without `dtype` they are the first: they decide it, and the number of features, and unless
        `labels` does, the classes.
        """
        first = dtype is None
        # In C order: rows are picked from it thousands of times.
        x, y = validate_data(self, x, y, dtype=dtype or _FLOATS, reset=first, order="C")
        check_classification_targets(y)
        if first:
            self.classes_: NDArray = np.unique(y if labels is None else labels)
        known = np.isin(y, self.classes_)
        if not known.all():
            unknown = np.unique(y[~known]).tolist()
            raise ValueError(f"y has labels {unknown} that are none of {self.classes_.tolist()}")
        targets = np.eye(len(self.classes_), dtype=x.dtype)[np.searchsorted(self.classes_, y)]
        return Samples(x, targets)

    def _weights(self, samples: Samples, sample_weight: ArrayLike | None) -> NDArray | None:
        """How much each sample counts, (n,); None if all count 1."""
        if sample_weight is None and self.class_weight is None:
            return None
        x, y = samples.images, self.classes_[samples.targets.argmax(axis=1)]
        if isinstance(self.class_weight, dict) and min(self.class_weight.values(), default=0) < 0:
            raise ValueError(f"class_weight: {self.class_weight} has a weight below 0")
        weights = _check_sample_weight(sample_weight, x, ensure_non_negative=True)
        weights = weights * compute_sample_weight(self.class_weight, y)
        return weights.astype(x.dtype)
