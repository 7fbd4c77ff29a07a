"""Each optimizer against its formula, written out step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import OPTIMIZERS, Network, Optimizer, Regularization
from nn.backpropagation import gradients
from nn.training.batches import Samples
from nn.training.training_step import TrainingStep


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
@settings(max_examples=25, deadline=None)
@given(
    rates=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=5),
    l2=st.sampled_from([0.0, 0.1]),
    decay=st.sampled_from([0.0, 0.05]),
    seed=st.integers(0, 9),
)
def test_steps_are_the_textbooks(name, rates, l2, decay, seed):
    rng = np.random.default_rng(seed)
    network = Network.initialize([5, 4, 3], rng, initialization="normal", dtype=np.float64)
    images, targets = rng.random((8, 5)), np.eye(3)[rng.integers(0, 3, 8)]
    expected = [p.copy() for p in (*network.weights, *network.biases)]
    states = [{} for _ in expected]
    optimizer = Optimizer(network, name, momentum=0.8, beta2=0.99)
    batches = {
        m: TrainingStep(network, m, rng, Regularization(l2=l2, weight_decay=decay)) for m in (8, 3)
    }
    steps = {m: optimizer.bind(batch) for m, batch in batches.items()}
    for t, rate in enumerate(rates, 1):
        m = 8 if t % 2 else 3  # batches of two sizes share one memory
        weights, biases = gradients(network, images[:m], targets[:m])
        for k, g in enumerate([*weights, *biases]):
            penalties = {"l2": l2, "decay": decay} if k < 2 else {"l2": 0.0, "decay": 0.0}
            expected[k] = textbook(name, expected[k], states[k], g, rate, t, **penalties)
        batch = batches[m]
        for call in (*batch.bind_load(Samples(images[:m], targets[:m])), *batch.calls):
            call()
        steps[m](rate)
        for found, wanted in zip((*network.weights, *network.biases), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_adam_in_blocks_is_adam(monkeypatch):
    results = []
    for block in (3, 10_000):
        monkeypatch.setattr("nn.optimizers._BLOCK", block)
        rng = np.random.default_rng(0)
        network = Network.initialize([7, 5], rng)
        batch = TrainingStep(network, 4, rng)
        step = Optimizer(network, "adam").bind(batch)
        images, targets = rng.random((4, 7), np.float32), np.eye(5, dtype=np.float32)[:4]
        for _ in range(3):
            for call in (*batch.bind_load(Samples(images, targets)), *batch.calls):
                call()
            step(0.01)
        results.append(network.weights[0].tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "options", [{"name": "sdg"}, {"momentum": 1.0}, {"momentum": -0.1}, {"beta2": 1}]
)
def test_impossible_optimizers_are_refused(options):
    network = Network.initialize([2, 2], np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"expected one of|below 1"):
        Optimizer(network, **options)
