"""Gradients and steps, against numerical ones, closed forms and a network worked by hand."""

from itertools import chain, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training import Steps

from nn import ACTIVATIONS, LOSSES, Network, Optimizer
from nn.backpropagation import gradients

SIZES = [[5, 3], [5, 4, 3], [6, 5, 4, 3], [4, 3, 5, 3, 2]]


def problem(sizes, m, *, seed=0, dtype=np.float64, **options):
    rng = np.random.default_rng(seed)
    network = Network.initialize(sizes, rng, dtype=dtype, **options)
    for b in network.biases:
        b[...] = 0.5 * rng.standard_normal(len(b))
    images = rng.random((m, sizes[0])).astype(dtype)
    targets = np.eye(sizes[-1], dtype=dtype)[rng.integers(0, sizes[-1], m)]
    return network, images, targets


# Without the rounding of the library's own: numerical gradients need every digit.
FORMULAS = {
    "quadratic": lambda a, y: 0.5 * (a - y) ** 2,
    "cross_entropy": lambda a, y: -y * np.log(a) - (1 - y) * np.log(1 - a),
    "softmax_cross_entropy": lambda a, y: -y * np.log(a),
}


def mean_loss(network, images, targets):
    return FORMULAS[network.loss](network.scores(images), targets).sum(axis=1).mean()


def numerical_gradient(loss, array, step=1e-3):
    """Central differences of fourth order of a function of nothing that depends on `array`."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        values = []
        for k in (-2, -1, 1, 2):
            array[index] = kept + k * step
            values.append(loss())
        array[index] = kept
        gradient[index] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    return gradient


def assert_close(found, expected, tolerance=1e-7):
    assert np.linalg.norm(found - expected) <= tolerance * max(1e-9, np.linalg.norm(expected))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize(("activation", "loss"), [*product(ACTIVATIONS, LOSSES)])
def test_gradients_equal_numerical_ones(sizes, activation, loss):
    network, images, targets = problem(sizes, m=7, activation=activation, loss=loss)
    found = chain.from_iterable(gradients(network, images, targets))
    for array, gradient in zip([*network.weights, *network.biases], found, strict=True):
        # A smaller step keeps ReLU's kinks out of the way.
        expected = numerical_gradient(lambda: mean_loss(network, images, targets), array, step=2e-4)
        assert_close(gradient, expected)


def one_step(network, images, targets, *, rate, name="sgd", seed=0, **regularization):
    """The layers after a step with all samples."""
    optimizer, rng = Optimizer(network, name), np.random.default_rng(seed)
    steps = Steps(network, images, targets, rng=rng, optimizer=optimizer, **regularization)
    steps.take(np.arange(len(images)), rate)
    return steps.layers


@pytest.mark.parametrize(("activation", "loss"), [*product(ACTIVATIONS, LOSSES)])
@pytest.mark.parametrize(
    "regularization",
    [
        {"l2": 0.3},
        {"dropout_input": 0.3, "dropout_hidden": 0.5},
        {"l2": 0.1, "dropout_hidden": 0.4},
    ],
    ids=str,
)
def test_regularized_steps_follow_the_numerical_gradient(activation, loss, regularization):
    network, images, targets = problem([6, 5, 4, 3], m=7, activation=activation, loss=loss)
    before = [p.copy() for p in (*network.weights, *network.biases)]
    layers = one_step(network, images, targets, rate=1.0, **regularization)
    after = [p.copy() for p in (*network.weights, *network.biases)]
    for p, old in zip((*network.weights, *network.biases), before, strict=True):
        p[...] = old

    def penalized_loss():
        # The forward pass written anew, with the masks that the step had drawn.
        a = images
        parts = zip(network.weights, network.biases, network.units, layers, strict=True)
        for w, b, unit, layer in parts:
            mask = layer._mask
            a = unit.apply((a if mask is None else a * mask) @ w.T + b)
        penalty = sum((w**2).sum() for w in network.weights) * regularization.get("l2", 0.0) / 2
        return FORMULAS[loss](a, targets).sum(axis=1).mean() + penalty

    for p, old, new in zip((*network.weights, *network.biases), before, after, strict=True):
        assert_close(old - new, numerical_gradient(penalized_loss, p, step=2e-4))


def test_one_step_of_a_network_worked_by_hand():
    # One input, one hidden unit, one output, all weights and biases 0, x = 1, y = 1:
    # both activations are σ(0) = ½, so δ² = (½ - 1)·¼ = -⅛ and δ¹ = δ²·w²·¼ = 0.
    network = Network([np.zeros((1, 1)), np.zeros((1, 1))], [np.zeros(1), np.zeros(1)], ("a",))
    x, y = np.ones((1, 1)), np.ones((1, 1))
    (w1, w2), (b1, b2) = gradients(network, x, y)
    assert (w1.item(), b1.item(), w2.item(), b2.item()) == (0, 0, -1 / 16, -1 / 8)
    one_step(network, x, y, rate=8.0)
    assert network.weights[1].item() == 0.5
    assert network.biases[1].item() == 1.0
    assert (network.weights[0].item(), network.biases[0].item()) == (0, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=90, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    m=st.integers(1, 12),
    seed=st.integers(0, 99),
    rate=st.floats(0.01, 3),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    # The first step of momentum is that of gradient descent.
    name=st.sampled_from(["sgd", "momentum"]),
    black=st.sampled_from([0.0, 0.8, 1.0]),
    exact=st.booleans(),
)
def test_training_step_equals_the_plain_form(
    dtype, sizes, m, seed, rate, activation, loss, name, black, exact
):
    network, images, targets = problem(
        sizes, m, seed=seed, dtype=dtype, activation=activation, loss=loss
    )
    images[np.random.default_rng(seed).random(images.shape) < black] = 0.0
    exact = exact and dtype == np.float32
    expected = [
        array - rate * gradient
        for array, gradient in zip(
            [*network.weights, *network.biases],
            chain.from_iterable(gradients(network, images, targets)),
            strict=True,
        )
    ]
    steps = Steps(
        network, images, targets, optimizer=Optimizer(network, name), learning_rate=rate,
        exact=exact,
    )  # fmt: skip
    outputs = network.scores(images)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    if exact:
        tolerance = 1e-2 if activation == "sigmoid" else 1e-3
    found = steps.take(np.arange(m), rate)
    np.testing.assert_allclose(found, outputs, rtol=tolerance, atol=tolerance)
    for found, wanted in zip([*network.weights, *network.biases], expected, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
