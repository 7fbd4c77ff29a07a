"""Gradients, against numerical ones and against a network worked by hand."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import Network
from nn.backpropagation import gradients
from nn.losses import quadratic
from nn.minibatch import Minibatch
from nn.optimizers import GradientDescent

SIZES = [[5, 3], [5, 4, 3], [6, 5, 4, 3], [4, 3, 5, 3, 2]]


def problem(sizes, m, *, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    network = Network.initialize(sizes, rng, initialization="normal", dtype=dtype)
    images = rng.random((m, sizes[0])).astype(dtype)
    targets = np.eye(sizes[-1], dtype=dtype)[rng.integers(0, sizes[-1], m)]
    return network, images, targets


def mean_cost(network, images, targets):
    return quadratic(network.scores(images), targets).mean()


def numerical_gradient(network, array, images, targets, step=1e-3):
    """Central differences of fourth order: error of the order of step⁴."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        costs = []
        for k in (-2, -1, 1, 2):
            array[index] = kept + k * step
            costs.append(mean_cost(network, images, targets))
        array[index] = kept
        gradient[index] = (costs[0] - 8 * costs[1] + 8 * costs[2] - costs[3]) / (12 * step)
    return gradient


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gradients_equal_numerical_ones(sizes):
    network, images, targets = problem(sizes, m=7)
    weight_gradients, bias_gradients = gradients(network, images, targets)
    arrays = [*network.weights, *network.biases]
    for array, found in zip(arrays, weight_gradients + bias_gradients, strict=True):
        expected = numerical_gradient(network, array, images, targets)
        assert np.linalg.norm(found - expected) <= 1e-7 * np.linalg.norm(expected)


def test_one_step_of_a_network_worked_by_hand():
    # One input, one hidden unit, one output, all weights and biases 0, x = 1, y = 1:
    # both activations are σ(0) = ½, so δ² = (½ - 1)·¼ = -⅛ and δ¹ = δ²·w²·¼ = 0.
    network = Network([np.zeros((1, 1)), np.zeros((1, 1))], [np.zeros(1), np.zeros(1)], ("a",))
    x, y = np.ones((1, 1)), np.ones((1, 1))
    (w1, w2), (b1, b2) = gradients(network, x, y)
    assert (w1.item(), b1.item(), w2.item(), b2.item()) == (0, 0, -1 / 16, -1 / 8)

    batch = Minibatch(network, 1)
    step = GradientDescent(batch)
    batch.load(x, y, np.array([0]))
    batch.forward()
    batch.backward()
    step.update(learning_rate=8.0)
    assert network.weights[1].item() == 0.5
    assert network.biases[1].item() == 1.0
    assert (network.weights[0].item(), network.biases[0].item()) == (0, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    m=st.integers(1, 12),
    seed=st.integers(0, 99),
    learning_rate=st.floats(0.01, 10),
)
def test_training_step_equals_the_plain_form(dtype, sizes, m, seed, learning_rate):
    network, images, targets = problem(sizes, m, seed=seed, dtype=dtype)
    expected = [
        array - learning_rate * gradient
        for array, gradient in zip(
            [*network.weights, *network.biases],
            chain.from_iterable(gradients(network, images, targets)),
            strict=True,
        )
    ]
    batch = Minibatch(network, m)
    step = GradientDescent(batch)
    batch.load(images, targets, np.arange(m))
    batch.forward()
    batch.backward()
    step.update(learning_rate)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    for found, wanted in zip([*network.weights, *network.biases], expected, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
