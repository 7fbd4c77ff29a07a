"""What trained models have in common: networks, ensembles and test-time augmentation."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.activations import Array
from nn.exact.portable import ordered_sum
from nn.images.framing import Framing
from nn.images.info import DatasetInfo

if TYPE_CHECKING:
    from nn.network import Network


def _of_data(name: str) -> Any:
    """The attribute `data.name`."""

    def assign(model: Any, value: object) -> None:
        model.data = replace(model.data, **{name: value})

    return property(attrgetter(f"data.{name}"), assign)


class Classifier(ABC):
    """A trained model that assigns images to classes, such as a `Network` or an `Ensemble`.

    Attributes:
        data: Description of the inputs and outputs, whose fields are attributes of the model too.
        members: The networks that it consists of.
    """

    data: DatasetInfo
    members: "Sequence[Network]"
    classes: tuple[str, ...] = _of_data("classes")
    pixel_range: tuple[float, float] = _of_data("pixel_range")
    image_shape: tuple[int, int] | None = _of_data("image_shape")
    deslanted: bool = _of_data("deslanted")
    framing: Framing | None = _of_data("framing")

    @property
    def loss(self) -> str:
        """Name of the loss that is reported for it, a key of `losses.LOSSES`."""
        return self.members[0].loss

    def prepare(self, pixels: ArrayLike) -> Array:
        """Turn raw pixels into inputs, in the dtype of the weights; see `DatasetInfo.prepare`."""
        return self.data.prepare(pixels, self.members[0].dtype)

    @abstractmethod
    def scores(self, images: ArrayLike) -> Array:
        """Score of each class, from 0 to 1: (classes,) for one image, (n, classes) for many."""

    def probabilities(self, images: ArrayLike) -> Array:
        """Scores divided by their sum; shapes as `scores`.

        Each sigmoid output estimates the probability of its class independently of the others
        (Bishop 1995, §6.6); divided by their sum, the outputs are a distribution over the classes.
        The outputs of a softmax layer are one already.
        """
        scores = self.scores(images)
        scores += np.finfo(scores.dtype).tiny  # scores that are all 0 give equal probabilities
        return scores / ordered_sum(scores)[..., None]

    def predict(self, images: ArrayLike) -> NDArray[np.intp]:
        """Index of the highest score: a scalar for one image, (n,) for many."""
        return self.scores(images).argmax(axis=-1)

    def require_samples(self, images: NDArray, targets: NDArray) -> None:
        """Raise ValueError unless the samples fit the model; see `Network.require_samples`."""
        self.members[0].require_samples(images, targets)
