"""The network as a scikit-learn classifier: for pipelines, cross-validation and searches.

A thin skin: labels become one-hot rows, arguments become a `Recipe`, and `Run` does the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
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
    not. Weights are used relative to their mean. float32 samples make a float32 network, all others
    float64.
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
        """As `fit`, but yield this classifier after every epoch: look at it, log, stop, save."""
        samples, validation = self._validated(X, y, sample_weight, X_val, y_val)
        if not self._going_on:
            self._start(samples)
        self._run.epoch = 0  # a warm start goes through the schedule once more
        self._run.recipe = self._recipe()
        self._run.recipe.validate()
        for _ in self._run.epochs(*samples):
            self._record(samples, validation)
            yield self
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
        early stopping.
        """
        dtype = self._run.network.dtype if hasattr(self, "_run") else None
        samples = self._encoded(X, y, sample_weight, labels=classes, dtype=dtype)
        if dtype is None:
            self._start(samples)
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

    @property
    def _going_on(self) -> bool:
        return self.warm_start and hasattr(self, "_run")

    def _recipe(self) -> Recipe:
        return Recipe(**{field.name: getattr(self, field.name) for field in fields(Recipe)})

    def _start(self, samples: Samples) -> None:
        features, classes = samples.images.shape[1], len(self.classes_)
        side = int(features**0.5)
        square = (side, side) if side * side == features else None
        self._run: Run = Run(
            self._recipe(),
            sizes=(features, classes),
            seed=int(check_random_state(self.random_state).randint(2**31)),
            classes=[str(label) for label in self.classes_],
            image_shape=self.image_shape or square,
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

    def _validated(
        self,
        x: ArrayLike,
        y: ArrayLike,
        weights: ArrayLike | None,
        x_val: ArrayLike | None,
        y_val: ArrayLike | None,
    ) -> tuple[Samples, Samples | None]:
        dtype = self._run.network.dtype if self._going_on else None
        samples = self._encoded(x, y, weights, dtype=dtype)
        if x_val is not None:
            return samples, self._encoded(x_val, y_val, None, dtype=samples.images.dtype)
        if not self.patience:
            return samples, None
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
        sample_weight: ArrayLike | None,
        *,
        labels: ArrayLike | None = None,
        dtype: np.dtype | None = None,
    ) -> Samples:
        """Samples with one-hot targets, and with weights unless all are 1.

        Without `dtype` they are the first: they decide it, and the number of features, and unless
        `labels` does, the classes.
        """
        first = dtype is None
        x, y = validate_data(self, x, y, dtype=dtype or _FLOATS, reset=first)
        check_classification_targets(y)
        if first:
            self.classes_: NDArray = np.unique(y if labels is None else labels)
        known = np.isin(y, self.classes_)
        if not known.all():
            raise ValueError(f"y has labels that are none of {self.classes_}: {set(y[~known])}")
        targets = np.eye(len(self.classes_), dtype=x.dtype)[np.searchsorted(self.classes_, y)]
        weights = None
        if sample_weight is not None or self.class_weight is not None:
            weights = _check_sample_weight(sample_weight, x, ensure_non_negative=True)
            weights = weights * compute_sample_weight(self.class_weight, y)
            weights = (weights / weights.mean()).astype(x.dtype)
        return Samples(x, targets, weights)
