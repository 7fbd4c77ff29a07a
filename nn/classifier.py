"""The interface of trained models: networks, ensembles and test-time augmentation."""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.activations import Array
from nn.exact.portable import ordered_sum
from nn.images.info import DatasetInfo


class Classifier(Protocol):
    """A trained model that assigns images to classes, such as a `Network` or an `Ensemble`.

    Subclasses inherit `probabilities` and `predict`.
    """

    @property
    def data(self) -> DatasetInfo:
        """Description of the inputs and outputs."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each class, in the order of the scores."""

    @property
    def loss(self) -> str:
        """Name of the loss that is reported for it, a key of `losses.LOSSES`."""

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """Height and width of an image in pixels, None if unknown."""

    def scores(self, images: ArrayLike) -> Array:
        """Score of each class, from 0 to 1: (classes,) for one image, (n, classes) for many."""

    def probabilities(self, images: ArrayLike) -> Array:
        """Probability of each class: the scores divided by their sum; shapes as `scores`."""
        return normalize(self.scores(images))

    def predict(self, images: ArrayLike) -> NDArray[np.intp]:
        """Index of the most probable class: a scalar for one image, (n,) for many."""
        return self.scores(images).argmax(axis=-1)

    def require_samples(self, images: NDArray, targets: NDArray) -> None:
        """Raise ValueError unless the samples fit the model; see `Network.require_samples`."""


def normalize(scores: Array) -> Array:
    """Divide scores, (classes,) or (n, classes), by their sum over the classes.

    The smallest positive number is added to each score (in place) first, so that scores that are
    all 0 give equal probabilities instead of nan.
    """
    scores += np.finfo(scores.dtype).tiny
    return scores / ordered_sum(scores)[..., None]
