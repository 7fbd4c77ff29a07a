"""Averaged weights, against the formula."""

import numpy as np
import pytest

from nn import EMA, Network


def follow(decay, steps):
    rng = np.random.default_rng(0)
    network = Network.initialize([3, 2], rng, dtype=np.float64)
    average = EMA(network, decay)
    seen = []
    for _ in range(steps):
        network.weights[0] += rng.standard_normal((2, 3))
        network.biases[0] += rng.standard_normal(2)
        average.update()
        seen.append(np.column_stack([network.weights[0], network.biases[0]]))
    found = np.column_stack([average.network.weights[0], average.network.biases[0]])
    return found, np.array(seen)


def test_at_first_it_is_the_plain_mean_of_the_steps():
    found, seen = follow(0.9, steps=10)
    np.testing.assert_allclose(found, seen.mean(axis=0))


def test_then_old_steps_fade_exponentially():
    found, seen = follow(0.5, steps=8)
    # Steps 0 and 1 have the plain mean's weights; each later one halves what came before.
    weights = np.array([0.5, 0.5] + [0.0] * 6) * 0.5**6
    weights[2:] = 0.5 ** np.arange(6, 0, -1)
    np.testing.assert_allclose(found, np.tensordot(weights, seen, 1))


def test_without_decay_it_is_the_network_itself():
    found, seen = follow(0.0, steps=3)
    np.testing.assert_allclose(found, seen[-1])


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_an_impossible_decay_is_refused(decay):
    with pytest.raises(ValueError, match="below 1"):
        EMA(Network.initialize([2, 2], np.random.default_rng(0)), decay)
