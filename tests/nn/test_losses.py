"""Losses, against scikit-learn's and SciPy's."""

import numpy as np
import pytest
from scipy.special import xlogy
from sklearn.metrics import log_loss

from nn import LOSSES


def example(n=50):
    rng = np.random.default_rng(0)
    outputs = rng.random((n, 4))
    return outputs / outputs.sum(axis=1, keepdims=True), np.eye(4)[rng.integers(0, 4, n)]


def test_softmax_cross_entropy_is_scikit_learns_log_loss():
    outputs, targets = example()
    found = LOSSES["softmax_cross_entropy"].of_samples(outputs, targets).mean()
    assert found == pytest.approx(log_loss(targets.argmax(axis=1), outputs))


def test_cross_entropy_is_the_sum_over_the_outputs():
    outputs, targets = example()
    expected = -(xlogy(targets, outputs) + xlogy(1 - targets, 1 - outputs)).sum(axis=1)
    np.testing.assert_allclose(LOSSES["cross_entropy"].of_samples(outputs, targets), expected)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_stay_finite_at_the_ends_and_are_least_when_right(name, dtype):
    targets = np.eye(3, dtype=dtype)
    right = LOSSES[name].of_samples(targets.copy(), targets)
    wrong = LOSSES[name].of_samples(targets[[1, 2, 0]], targets)
    assert np.isfinite(wrong).all()
    assert (right < wrong).all()
    assert right == pytest.approx(0, abs=1e-6)
    assert wrong.dtype == np.float64
