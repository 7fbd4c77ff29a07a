"""Predictions of a classifier for labelled images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn import Classifier


@dataclass(frozen=True)
class Predictions:
    """Predicted and true classes of n images.

    Attributes:
        true: (n,) class indices.
        predicted: (n,) class indices.
        confidence: (n,) probability of the predicted class.
    """

    true: NDArray[np.intp]
    predicted: NDArray[np.intp]
    confidence: NDArray

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,) whether each prediction is right."""
        return self.true == self.predicted


def predict(classifier: Classifier, images: NDArray, labels: NDArray) -> Predictions:
    """Predictions for (n, d) images with (n, classes) one-hot labels."""
    predicted = classifier.predict(images)
    confidence = classifier.probabilities(images)[np.arange(len(predicted)), predicted]
    return Predictions(labels.argmax(axis=1), predicted, confidence)


def sample_mistakes(predictions: Predictions, count: int) -> NDArray[np.intp]:
    """Indices of up to `count` mistakes, spread over the pairs of true and predicted class."""
    wrong = np.flatnonzero(~predictions.correct)
    wrong = wrong[np.lexsort((predictions.predicted[wrong], predictions.true[wrong]))]
    picks = np.linspace(0, len(wrong) - 1, min(count, len(wrong))).round().astype(int)
    return wrong[picks]
