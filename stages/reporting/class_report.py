"""Precision, recall and F1 score of each class."""

from typing import NamedTuple

import numpy as np

from stages.common.models.predictions import Predictions


class ClassReport(NamedTuple):
    """Metrics of one class, as `sklearn.metrics` defines them."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def class_reports(predictions: Predictions, classes: tuple[str, ...]) -> list[ClassReport]:
    """The metrics of each class; the precision of a class that is never predicted is 0."""
    # Imported here, so that `--help` need not wait a second for scikit-learn.
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
