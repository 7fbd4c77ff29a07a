"""Each optimizer against its formula, written out step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training import Steps

from nn import EMA, OPTIMIZERS, Network, Optimizer
from nn.backpropagation import gradients


def textbook(name, w, state, g, rate, t, *, l2, decay, mu=0.8, beta2=0.99):
    """One step on one parameter, as in the papers; `state` holds what is remembered."""
    g = g + l2 * w
    if name == "sgd":
        step = -rate * g
    elif name in ("momentum", "nesterov"):
        v = mu * state.get("v", 0.0) - rate * g
        state["v"] = v
        step = v if name == "momentum" else mu * v - rate * g
    else:
        state["m"] = mu * state.get("m", 0.0) + (1 - mu) * g
        state["s"] = beta2 * state.get("s", 0.0) + (1 - beta2) * g**2
        m, s = state["m"] / (1 - mu**t), state["s"] / (1 - beta2**t)
        step = -rate * m / (np.sqrt(s) + 1e-8)
    return w + step - rate * decay * w


@pytest.mark.parametrize("name", OPTIMIZERS)
@settings(max_examples=40, deadline=None)
@given(
    rates=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=5),
    l2=st.sampled_from([0.0, 0.1]),
    decay=st.sampled_from([0.0, 0.05]),
    seed=st.integers(0, 9),
    black=st.sampled_from([0.0, 0.8]),
)
def test_steps_are_the_textbooks(name, rates, l2, decay, seed, black):
    rng = np.random.default_rng(seed)
    network = Network.initialize([5, 4, 3], rng, initialization="normal", dtype=np.float64)
    images, targets = rng.random((11, 5)), np.eye(3)[rng.integers(0, 3, 11)]
    images[rng.random(images.shape) < black] = 0.0
    expected = [p.copy() for p in (*network.weights, *network.biases)]
    states = [{} for _ in expected]
    optimizer = Optimizer(network, name, momentum=0.8, beta2=0.99)
    steps = Steps(
        network, images, targets, batch_size=8, optimizer=optimizer, l2=l2, weight_decay=decay
    )
    for t, rate in enumerate(rates, 1):
        # Minibatches of two sizes share one memory.
        rows = np.arange(8) if t % 2 else np.arange(8, 11)
        weights, biases = gradients(network, images[rows], targets[rows])
        for k, g in enumerate([*weights, *biases]):
            penalties = {"l2": l2, "decay": decay} if k < 2 else {"l2": 0.0, "decay": 0.0}
            expected[k] = textbook(name, expected[k], states[k], g, rate, t, **penalties)
        steps.take(rows, rate)
        for found, wanted in zip((*network.weights, *network.biases), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
    assert optimizer.steps == len(rates)


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updates_in_halves_are_the_updates(name, dtype, black, monkeypatch):
    results = []
    for large in (1, 10_000):
        monkeypatch.setattr("nn.arithmetic.LARGE_ARRAY", large)
        rng = np.random.default_rng(0)
        network = Network.initialize([7, 5], rng, dtype=dtype)
        images, targets = rng.random((4, 7)).astype(dtype), np.eye(5, dtype=dtype)[:4]
        images[rng.random(images.shape) < black] = 0.0
        ema = EMA(network, 0.8)
        steps = Steps(network, images, targets, optimizer=Optimizer(network, name), ema=ema)
        for _ in range(3):
            steps.take(np.arange(4), 0.01)
        results.append(network.weights[0].tobytes() + ema.network.weights[0].tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("exact", [False, True])
def test_a_step_writes_to_the_arrays_of_the_network(name, exact):
    rng = np.random.default_rng(0)
    network = Network.initialize([7, 5, 3], rng)
    images, targets = rng.random((4, 7), np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    arrays = [*network.weights, *network.biases]
    before = [a.copy() for a in arrays]
    steps = Steps(network, images, targets, optimizer=Optimizer(network, name), exact=exact)
    steps.take(np.arange(4), 0.1)
    for now, array, old in zip((*network.weights, *network.biases), arrays, before, strict=True):
        assert now is array
        assert not np.array_equal(now, old)


@pytest.mark.parametrize(
    "options", [{"name": "sdg"}, {"momentum": 1.0}, {"momentum": -0.1}, {"beta2": 1}]
)
def test_impossible_optimizers_are_refused(options):
    network = Network.initialize([2, 2], np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"expected one of|below 1"):
        Optimizer(network, **options)
