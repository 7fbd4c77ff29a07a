"""A scikit-learn classifier that trains a `Network`.

Labels are encoded one-hot, the arguments form a `TrainingConfig`, and a `Trainer` trains.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from nn.checks.hyperparameters import docstring_lines, field_of
from nn.exact.grids import DivergedError
from nn.losses import LOSSES
from nn.metrics import Score, score
from nn.models.samples import split_off_validation, weights_of
from nn.training.config import TrainingConfig
from nn.training.inputs import Samples
from nn.training.trainer import Trainer

_FLOATS = (np.float64, np.float32)
# More epochs than these without progress end training, as in scikit-learn's MLPClassifier.
_EPOCHS_WITHOUT_PROGRESS = 10


@dataclass(eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, BaseEstimator, TrainingConfig):
    """A multi-layer perceptron with scikit-learn's interface.

    The defaults are not the article's; they suit scaled features of any kind, for example those of
    a `StandardScaler`.

    Args:
    {hyperparameters}
        tol: `fit` ends before `epochs` if the loss was not more than this below its minimum in 11
            epochs in a row, and gives a `ConvergenceWarning` if it did not come to that. 0 to train
            for all epochs, without this warning. With `patience` early stopping decides instead,
            and a schedule that ends (cosine, one_cycle, final_strength) has all its epochs (default
            0.002).
        image_shape: Height and width of an image in pixels, to augment images that are not square
            (default None).
        class_weight: None, "balanced", or a dict from label to weight (default None).
        validation_fraction: Fraction of the samples that is held out for early stopping if
            `patience` is set and `fit` gets no validation samples (default 0.1).
        warm_start: Whether `fit` continues with the network and the optimizer state of the last
            call (default False).
        random_state: Seed, `RandomState` or None (default None).

    Attributes:
        classes_: The labels, sorted, (classes,).
        network_: The trained `Network`.
        n_iter_: Number of epochs done.
        loss_curve_: Loss on the training samples after each epoch.
        validation_curve_: `Score` on the validation samples after each epoch, if there are any.

    A sample of weight 2 counts as two samples: exactly if a minibatch holds all samples, on average
    otherwise. `fit` divides the weights by their mean. float32 samples give a float32 network, all
    others a float64 network, unless arithmetic is exact: then it is always float32.
    """

    # Defaults that differ from those of `TrainingConfig`; benchmarks/classifier.py measures them.
    hidden: tuple[int, ...] = field_of(TrainingConfig, "hidden", (200,))
    activation: str = field_of(TrainingConfig, "activation", "relu")
    loss: str = field_of(TrainingConfig, "loss", "softmax_cross_entropy")
    initialization: str = field_of(TrainingConfig, "initialization", "glorot")
    optimizer: str = field_of(TrainingConfig, "optimizer", "adam")
    learning_rate: float = field_of(TrainingConfig, "learning_rate", 0.005)
    arithmetic: str = field_of(TrainingConfig, "arithmetic", "float32")
    batch_size: int = field_of(TrainingConfig, "batch_size", 100)
    epochs: int = field_of(TrainingConfig, "epochs", 200)
    l2: float = field_of(TrainingConfig, "l2", 0.005)
    ema_decay: float = field_of(TrainingConfig, "ema_decay", 0.98)
    tol: float = 2e-3
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

        `X_val` and `y_val` are used for the validation curve and for early stopping.

        Raises:
            ValueError: If an argument or the samples are invalid.
            DivergedError: If a weight is no longer finite.

        Warns:
            ConvergenceWarning: If the loss was still decreasing after the last epoch; see `tol`.
            NotLearningWarning: If the network has not learned; see `Trainer.train_epochs`.
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
        """Train as `fit` does, and yield this classifier after every epoch.

        The caller may log, save or stop. `network_` is updated in place until the last epoch, so
        copy it to keep it.
        """
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val: expected both or neither, got one")
        continues = self.warm_start and hasattr(self, "_trainer")
        samples = self._encoded(X, y, dtype=self._trainer.network.dtype if continues else None)
        weights = self._weights_of(samples, sample_weight)
        if weights is not None:
            weights /= weights.mean()
        samples = samples._replace(weights=weights)
        validation = None
        if X_val is not None:
            validation = self._encoded(X_val, y_val, dtype=samples.images.dtype)
        elif self.patience:
            samples, validation = split_off_validation(
                samples, self.validation_fraction, self.random_state
            )
        if continues:
            self._trainer.reconfigure(self._config(), from_the_start=True)
        else:
            self._start(samples)
        best, epochs_since = np.inf, 0
        try:
            for _ in self._trainer.train_epochs(*samples):
                loss = self._record(samples, validation)
                yield self
                epochs_since = 0 if loss < best - self.tol else epochs_since + 1
                best = min(best, loss)
                converged = epochs_since > _EPOCHS_WITHOUT_PROGRESS and not self.patience
                if converged and self._should_converge:
                    self._trainer.warn_if_not_learning(samples, ended=True)
                    return
        except DivergedError:
            self.__dict__.pop("network_", None)  # its weights are not finite
            raise
        finally:
            if self._trainer.epoch:
                self.network_ = self._trainer.result
        if self._should_converge and not self._trainer.stopped:
            warnings.warn(
                f"NetworkClassifier has not converged after {self.n_iter_} epochs; choose more "
                "epochs, or tol=0 to train for so many",
                ConvergenceWarning,
                stacklevel=3,
            )

    @property
    def _should_converge(self) -> bool:
        """Whether training should end before all epochs are done."""
        return bool(self.tol) and not self._trainer.config.ends

    def partial_fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch; `n_iter_` calls with the same samples are equivalent to `fit`.

        The first call needs all `classes` that later calls use, unless its labels contain them.
        There is no early stopping. Sample weights are not divided by their mean.

        Raises:
            ValueError: If the samples or a changed argument do not fit the earlier calls, or if the
                learning rate or the augmentation has decreased to its end.
        """
        if self.class_weight == "balanced":
            raise ValueError("class_weight: balanced needs all samples at once; use a dict")
        first = not hasattr(self, "_trainer")
        given = None if first or classes is None else np.unique(classes)
        if given is not None and not np.array_equal(given, self.classes_):
            raise ValueError(
                f"classes: expected those of the first call, {self.classes_}, got {given}"
            )
        dtype = None if first else self._trainer.network.dtype
        samples = self._encoded(X, y, labels=classes, dtype=dtype)
        samples = samples._replace(weights=self._weights_of(samples, sample_weight))
        config = replace(self._config(), patience=0)
        if first:
            self._start(samples)
        elif config.ends and self._trainer.epoch >= config.epochs:
            raise ValueError(
                f"epochs: all {config.epochs} epochs are done, over which the learning rate or the "
                "augmentation decreases"
            )
        else:
            self._trainer.reconfigure(config, from_the_start=False)
        for _ in self._trainer.train_epochs(*samples, until=self._trainer.epoch + 1):
            self._record(samples, None)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray:  # noqa: N803
        """Return log-probabilities, (n, classes); for two classes their difference, (n,)."""
        logarithms = np.log(self.predict_proba(X) + np.finfo(self.network_.dtype).tiny)
        return logarithms[:, 1] - logarithms[:, 0] if len(self.classes_) == 2 else logarithms

    def predict_proba(self, X: ArrayLike) -> NDArray:  # noqa: N803
        """Return the probability of each class, (n, classes), in the dtype of the network."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False)  # noqa: N806
        return self.network_.probabilities(X)

    def predict(self, X: ArrayLike) -> NDArray:  # noqa: N803
        """Return the most probable label of each sample, (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False)  # noqa: N806
        return self.classes_[self.network_.predict(X)]

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether the classifier has a network."""
        return hasattr(self, "network_")

    def _config(self) -> TrainingConfig:
        return TrainingConfig(
            **{field.name: getattr(self, field.name) for field in fields(TrainingConfig)}
        )

    def _start(self, samples: Samples) -> None:
        """Create a trainer for the samples."""
        self._trainer: Trainer = Trainer(
            self._config(),
            sizes=(samples.images.shape[1], len(self.classes_)),
            seed=int(check_random_state(self.random_state).randint(2**31)),
            classes=[str(label) for label in self.classes_],
            image_shape=self.image_shape,
            dtype=samples.images.dtype.type,
        )
        self.loss_curve_: list[float] = []
        self.validation_curve_: list[Score] = []

    def _record(self, samples: Samples, validation: Samples | None) -> float:
        """Extend the curves; return the mean loss on the weighted samples."""
        self.network_, self.n_iter_ = self._trainer.current, self._trainer.epoch
        self.loss_curve_.append(score(self.network_, samples.images, samples.targets).loss)
        if validation is not None:
            self.validation_curve_.append(
                score(self.network_, validation.images, validation.targets)
            )
            self._trainer.record_validation(self.validation_curve_[-1])
        if samples.weights is None:
            return self.loss_curve_[-1]
        losses = LOSSES[self.loss].of_samples(self.network_.scores(samples.images), samples.targets)
        return float(np.average(losses, weights=samples.weights))

    def _encoded(
        self, x: Any, y: Any, *, labels: ArrayLike | None = None, dtype: np.dtype | None = None
    ) -> Samples:
        """Validate samples and encode their labels one-hot.

        Without `dtype` these are the first samples, which set the dtype, the number of features
        and, unless `labels` is given, the classes.
        """
        first = dtype is None
        if self.arithmetic == "exact":
            dtype = np.dtype(np.float32)
        # C order, because minibatches take rows.
        x, y = validate_data(self, x, y, dtype=dtype or _FLOATS, reset=first, order="C")
        check_classification_targets(y)
        if first:
            self.classes_: NDArray = np.unique(y if labels is None else labels)
        known = np.isin(y, self.classes_)
        if not known.all():
            unknown = np.unique(y[~known]).tolist()
            raise ValueError(f"y: expected labels among {self.classes_.tolist()}, got {unknown}")
        targets = np.eye(len(self.classes_), dtype=x.dtype)[np.searchsorted(self.classes_, y)]
        return Samples(x, targets)

    def _weights_of(self, samples: Samples, sample_weight: ArrayLike | None) -> NDArray | None:
        labels = self.classes_[samples.targets.argmax(axis=1)]
        weights = weights_of(labels, self.class_weight, sample_weight)
        return None if weights is None else weights.astype(samples.images.dtype)


NetworkClassifier.__doc__ = str(NetworkClassifier.__doc__).replace(
    "    {hyperparameters}", docstring_lines(NetworkClassifier)
)
