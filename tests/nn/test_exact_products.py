"""Products of exact training have no rounding error, or training ends."""

from fractions import Fraction

import numpy as np
import pytest
from exact_training import samples, trained

from nn import (
    ACTIVATIONS,
    DivergedError,
    Network,
    TrainingConfig,
    blas,
)
from nn.exact import grids
from nn.training import blocked_layer, training_step


def fraction_product(left, right):
    return [
        [sum(Fraction(a) * Fraction(b) for a, b in zip(row, column, strict=True))
         for column in right.T.tolist()]
        for row in left.tolist()
    ]  # fmt: skip


@pytest.fixture
def products(monkeypatch):
    """Check every product of training against fractions; the list counts them."""
    checked = []

    def bind(left, right, out):
        product = blas.bind_gemm(left, right, out)

        def call(alpha=1.0, beta=0.0):
            before = out.tolist() if beta else [[0.0] * out.shape[1]] * len(out)
            expected = fraction_product(left, right)
            product(alpha, beta)
            for found, terms, old in zip(out.tolist(), expected, before, strict=True):
                exactly = [Fraction(alpha) * t + Fraction(beta) * Fraction(b) for t, b in
                           zip(terms, old, strict=True)]  # fmt: skip
                assert [Fraction(value) for value in found] == exactly
            checked.append(out.shape)

        return call

    for module in (training_step, blocked_layer, grids):
        monkeypatch.setattr(module, "bind_gemm", bind)
    return checked


@pytest.mark.parametrize("pixels", [1, 255, 65535])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [1e-3, 1.0, 1e3, 1e6])
def test_no_product_is_rounded_however_much_the_weights_grow(pixels, activation, rate, products):
    images, targets = samples(12, (2, 3), 3, pixels)
    rng = np.random.default_rng(0)
    network = Network.initialize(
        [6, 4, 3], rng, activation=activation, loss="cross_entropy", initialization="normal",
        pixel_range=(0.0, pixels),
    )  # fmt: skip
    config = TrainingConfig(epochs=3, batch_size=3, learning_rate=rate)
    try:
        with np.errstate(all="ignore"):
            trained(network, images, targets, config)
    except DivergedError:
        assert rate > 1
    assert len(products) >= 3


@pytest.mark.parametrize("together", [1, 2])
def test_an_update_that_cancels_itself_is_noticed(together, products):
    # Equal images of different classes: the weights stay small, the terms of the sum do not.
    images, targets = np.ones((2, 3), np.float32), np.eye(2, dtype=np.float32)
    network = Network([np.zeros((2, 3), np.float32)], [np.zeros(2, np.float32)], ("a", "b"))
    config = TrainingConfig(hidden=(), epochs=1, batch_size=2, learning_rate=1e6)
    with pytest.raises(DivergedError, match="too large for exact arithmetic"):
        trained(network, images, targets, config, together=together)
