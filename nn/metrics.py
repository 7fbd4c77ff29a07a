"""Loss and accuracy of a classifier."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn.classifier import Classifier
from nn.losses import LOSSES

# Samples per call, so that memory does not grow with the number of samples.
_CHUNK = 5_000


@dataclass(frozen=True)
class Score:
    """Loss and accuracy on a set of samples.

    Attributes:
        loss: Mean loss of the samples, without penalties.
        accuracy: Fraction of the samples whose highest score is that of the true class, 0 to 1.
    """

    loss: float
    accuracy: float


def score(classifier: Classifier, images: NDArray, targets: NDArray) -> Score:
    """Loss and accuracy of a network or an ensemble.

    Args:
        classifier: The model.
        images: (n, d) floats in [0, 1]; may be memory-mapped, since it is read in chunks.
        targets: (n, classes), one-hot.

    Raises:
        ValueError: If the shapes do not fit the classifier or each other, or n is 0.
    """
    classifier.require_samples(images, targets)
    loss, right = 0.0, 0
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        outputs, expected = classifier.scores(images[part]), targets[part]
        loss += float(LOSSES[classifier.loss].of_samples(outputs, expected).sum(dtype=np.float64))
        right += int(np.count_nonzero(outputs.argmax(axis=1) == expected.argmax(axis=1)))
    return Score(loss / len(images), right / len(images))
