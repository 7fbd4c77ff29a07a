"""Test-time augmentation: the mean of the predictions for an image and for augmented copies of it.

A network misclassifies other copies of an image than the image itself, and the mean of all
predictions has fewer errors (Krizhevsky, Sutskever & Hinton 2012, "ImageNet Classification with
Deep Convolutional Neural Networks", §4.1, for shifted and mirrored images).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nn.activations import Array
from nn.classifier import Classifier
from nn.images.info import DatasetInfo
from nn.network import Network
from nn.training.augmentation import Augmentation, Augmenter

# Images at a time, so that memory does not grow with their number.
_CHUNK = 1_000


@dataclass(frozen=True)
class TestTimeAugmentation(Classifier):
    """A classifier that averages the probabilities of each image and of its augmented copies.

    The deformations are drawn once, with a fixed seed, and are the same for all images, so that the
    prediction for an image does not depend on other images.

    Attributes:
        classifier: The classifier that predicts each copy.
        copies: Number of augmented copies of each image.

    Raises:
        ValueError: If height and width of the images are unknown.
    """

    classifier: Classifier
    copies: int
    __test__ = False  # pytest takes classes of such names for tests

    def __post_init__(self) -> None:
        if self.classifier.image_shape is None:
            raise ValueError("image_shape: expected height and width of the images, got None")

    @property
    def data(self) -> DatasetInfo:  # type: ignore[override]
        """Description of the inputs and outputs."""
        return self.classifier.data

    @property
    def members(self) -> Sequence[Network]:  # type: ignore[override]
        """The networks of the classifier."""
        return self.classifier.members

    def scores(self, images: ArrayLike) -> Array:
        """Mean of the probabilities; arguments, shapes and exceptions as `Network.scores`."""
        rows = np.asanyarray(images)
        if rows.ndim == 1:
            return self.scores(rows[None])[0]
        total = np.array(self.classifier.probabilities(rows))
        augmenter = self._augmenter()
        x, y = augmenter.sampling_positions(self.copies, np.random.default_rng(0))
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            for positions in zip(x, y, strict=True):
                copy = augmenter.deform(rows[part], *positions)
                total[part] += self.classifier.probabilities(copy)
        total /= self.copies + 1
        return total

    def _augmenter(self) -> Augmenter:
        shape = self.image_shape
        assert shape is not None  # __post_init__ requires it
        side = sum(shape) / 2
        # About half of the best strength in training, for images of 28×28 pixels and others.
        lengths = {"shift": 0.5 / 28 * side, "elastic": 0.6 / 28 * side}
        smoothness = max(1.0, 5.0 / 28 * side)
        strength = Augmentation(6.0, scaling=0.075, shear=0.06, smoothness=smoothness, **lengths)
        return Augmenter(strength, shape)
