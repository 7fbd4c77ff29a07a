"""What a network says of some samples, and how good that is."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn import Network


@dataclass(frozen=True)
class Predictions:
    """What the network said of n samples.

    Attributes:
        true: (n,) class indexes.
        predicted: (n,) class indexes.
        confidence: (n,) probability that the network gave its prediction.
    """

    true: NDArray[np.intp]
    predicted: NDArray[np.intp]
    confidence: NDArray

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,) whether each prediction is right."""
        return self.true == self.predicted


def predict(network: Network, images: NDArray, labels: NDArray) -> Predictions:
    """Predictions for (n, d) images with (n, classes) one-hot labels."""
    predicted = network.predict(images)
    confidence = network.probabilities(images)[np.arange(len(predicted)), predicted]
    return Predictions(labels.argmax(axis=1), predicted, confidence)


def sample_of_mistakes(predictions: Predictions, count: int) -> NDArray[np.intp]:
    """Up to `count` mistakes, spread evenly over the pairs of true and predicted class."""
    wrong = np.flatnonzero(~predictions.correct)
    wrong = wrong[np.lexsort((predictions.predicted[wrong], predictions.true[wrong]))]
    picks = np.linspace(0, len(wrong) - 1, min(count, len(wrong))).round().astype(int)
    return wrong[picks]


def most_confident(
    predictions: Predictions, count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The surest right and the surest wrong predictions, up to `count` each, surest first."""
    by_confidence = np.argsort(-predictions.confidence, kind="stable")
    correct = predictions.correct[by_confidence]
    return by_confidence[correct][:count], by_confidence[~correct][:count]


class ClassReport(NamedTuple):
    """How well one class is told from the others; see `sklearn.metrics` for the definitions."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def measure_classes(predictions: Predictions, classes: tuple[str, ...]) -> list[ClassReport]:
    """One report for each class; a class that is never predicted has a precision of 0."""
    # Imported here: it takes a second, and `--help` should not.
    from sklearn.metrics import precision_recall_fscore_support

    table = precision_recall_fscore_support(
        predictions.true,
        predictions.predicted,
        labels=np.arange(len(classes)),
        zero_division=0.0,
    )
    return [
        ClassReport(name, float(p), float(r), float(f1), int(support))
        for name, p, r, f1, support in zip(classes, *table, strict=True)
    ]
