"""The classifier trains until its loss no longer decreases, and says when it has not converged."""

import warnings

import numpy as np
import pytest
from classifiers import classifier
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nn import NetworkClassifier, NotLearningWarning


def converging(**options):
    return classifier(**{"tol": 1e-3, "epochs": 200, "learning_rate": 0.02} | options)


def test_training_ends_when_the_loss_no_longer_decreases(digits):
    fitted = converging().fit(*digits)
    assert 11 < fitted.n_iter_ < 200
    losses = np.array(fitted.loss_curve_)
    progress = losses[1:] < np.minimum.accumulate(losses)[:-1] - 1e-3
    assert not progress[-11:].any()
    assert progress[-12]
    # No eleven epochs before were without progress.
    assert max(np.diff(np.flatnonzero(progress))) <= 11
    coarse = converging(tol=0.1).fit(*digits)
    assert coarse.n_iter_ < fitted.n_iter_


def test_too_few_epochs_are_a_warning(digits):
    with pytest.warns(ConvergenceWarning, match="not converged after 3 epochs; choose more epochs"):
        converging(epochs=3).fit(*digits)
    assert converging(epochs=3, tol=0).fit(*digits).n_iter_ == 3


def test_a_schedule_that_ends_trains_for_all_epochs(digits):
    assert converging(epochs=60, schedule="cosine").fit(*digits).n_iter_ == 60
    assert converging(epochs=20, schedule="cosine", patience=20).fit(*digits).n_iter_ == 20


def test_early_stopping_decides_alone(digits):
    stopped = converging(patience=2).fit(*digits)
    curve = [score.loss for score in stopped.validation_curve_]
    assert stopped.n_iter_ == int(np.argmin(curve)) + 1 + 2
    with pytest.warns(ConvergenceWarning):
        converging(patience=40, epochs=20).fit(*digits)


def test_a_caller_who_ends_training_is_not_warned(digits):
    for fitted in converging(epochs=3).iterate(*digits):
        if fitted.n_iter_ == 2:
            break
    assert fitted.n_iter_ == 2


def test_samples_count_with_their_weights(digits):
    # The loss on the samples without weight, which have other labels, increases all the time.
    x, y = digits
    both, labels = np.concatenate([x, x]), np.concatenate([y, (y + 1) % 10])
    weights = np.repeat([1.0, 0.0], len(x))
    fitted = converging(learning_rate=0.005).fit(both, labels, weights)
    assert fitted.n_iter_ > 20
    assert fitted.score(x, y) > 0.98


def test_a_network_that_converged_without_learning_is_a_warning(digits):
    x, y = digits
    with pytest.warns(NotLearningWarning, match="fewer hidden layers|choose") as found:
        constant = converging().fit(np.full_like(x, 0.5), y)
    assert constant.n_iter_ < 200
    assert len(found) == 1
    with pytest.warns(NotLearningWarning, match="the inputs are not scaled .* StandardScaler"):
        converging(optimizer="sgd", learning_rate=1.0).fit(x * 1000, y)


@pytest.mark.parametrize("name", ["moons", "XOR"])
def test_defaults_are_as_accurate_as_those_of_scikit_learn(name):
    points = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    data = {
        "moons": make_moons(400, noise=0.3, random_state=0),
        "XOR": (points, points.prod(axis=1) > 0),
    }
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for model in (NetworkClassifier(random_state=0), MLPClassifier(random_state=0)):
            pipeline = make_pipeline(StandardScaler(), model)
            found.append(cross_val_score(pipeline, *data[name], cv=5).mean())
    assert found[0] > found[1] - 0.01
