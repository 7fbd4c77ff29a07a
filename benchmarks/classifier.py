"""Accuracy and time of `NetworkClassifier` and scikit-learn's `MLPClassifier` with their defaults.

The data sets are those that come with scikit-learn, and some of its generators. The features are
standardized. Each repetition is a 5-fold cross-validation with another seed, which chooses the
folds, the initial weights and the minibatches; both classifiers get the same. The noise is the
standard deviation of MLPClassifier's mean accuracy over the repetitions. Time is the processor time
of `fit`, in all threads; the median counts.
"""

import time
import warnings
from collections.abc import Callable
from functools import partial
from statistics import mean, median, stdev

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks.common import benchmark, record
from benchmarks.processes import Competitor, runs
from nn import NetworkClassifier

_FOLDS = 5
# Accuracy in each repetition, and seconds of each fit.
Result = tuple[list[float], list[float]]


def _xor() -> tuple[NDArray, NDArray]:
    points = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    return points, (points.prod(axis=1) > 0).astype(int)


_classes = partial(datasets.make_classification, random_state=0)
DATA: dict[str, Callable[[], tuple[NDArray, NDArray]]] = {
    "iris": partial(datasets.load_iris, return_X_y=True),
    "wine": partial(datasets.load_wine, return_X_y=True),
    "breast_cancer": partial(datasets.load_breast_cancer, return_X_y=True),
    "digits": partial(datasets.load_digits, return_X_y=True),
    "moons, noise 0.3": partial(datasets.make_moons, 500, noise=0.3, random_state=0),
    "circles, noise 0.2": partial(
        datasets.make_circles, 500, noise=0.2, factor=0.5, random_state=0
    ),
    "XOR": _xor,
    "classification": partial(_classes, 1000),
    "classification, 4 classes": partial(
        _classes, 1000, n_informative=10, n_classes=4, flip_y=0.1, random_state=1
    ),
    "classification, 100 features": partial(_classes, 2000, 100, n_informative=30, n_classes=5),
    "gaussian_quantiles": partial(
        datasets.make_gaussian_quantiles, n_samples=1000, n_features=5, n_classes=3, random_state=0
    ),
    "hastie_10_2": partial(datasets.make_hastie_10_2, 2000, random_state=0),
    "blobs": partial(datasets.make_blobs, 500, centers=5, cluster_std=3.0, random_state=0),
}
CLASSIFIERS = {"NetworkClassifier": NetworkClassifier, "MLPClassifier": MLPClassifier}


def _cross_validation(classifier: type[ClassifierMixin], repeats: int) -> Callable[[], dict]:
    """Prepare the work of a process: the result of each data set."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    classifier().fit(*DATA["iris"]())  # compiles or loads what all fits need

    def work() -> dict[str, Result]:
        return {name: measure(classifier, *load(), repeats) for name, load in DATA.items()}

    return work


def measure(
    classifier: type[ClassifierMixin], samples: NDArray, labels: NDArray, repeats: int
) -> Result:
    """Accuracy in each repetition, and seconds of each fit."""
    accuracies, seconds = [], []
    for seed in range(repeats):
        right = 0
        for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(
            samples, labels
        ):
            scaler, model = StandardScaler().fit(samples[train]), classifier(random_state=seed)
            inputs = scaler.transform(samples[train])
            start = time.process_time()
            model.fit(inputs, labels[train])
            seconds.append(time.process_time() - start)
            right += int((model.predict(scaler.transform(samples[test])) == labels[test]).sum())
        accuracies.append(right / len(labels))
    return accuracies, seconds


@benchmark(5)
def main(repeats: int, kernel: str | None) -> None:
    """Accuracy and time of NetworkClassifier and MLPClassifier with their defaults."""
    found = {}
    for name, classifier in CLASSIFIERS.items():
        competitor = Competitor(partial(_cross_validation, classifier, repeats), threads=1)
        ran, (found[name],) = runs(competitor, 1, kernel)
    rows = []
    for name in DATA:
        (ours, our_seconds), (theirs, their_seconds) = (found[c][name] for c in CLASSIFIERS)
        noise = stdev(theirs) if repeats > 1 else float("nan")
        rows.append(
            (name, mean(ours), mean(theirs), noise, median(our_seconds), median(their_seconds))
        )
    columns = list(zip(*rows, strict=True))
    rows.append(
        ("mean", mean(columns[1]), mean(columns[2]), "", mean(columns[4]), mean(columns[5]))
    )
    shown = [
        (name, f"{ours:.1%}", f"{theirs:.1%}", noise if noise == "" else f"{noise:.1%}", *seconds)
        for name, ours, theirs, noise, *seconds in rows
    ]
    header = ("data set", *CLASSIFIERS, "noise", *(f"{name}, seconds" for name in CLASSIFIERS))
    record("classifier", ran, header, shown)


if __name__ == "__main__":
    main()
