"""Training of a small network, in one call."""

import numpy as np

from nn import Network, train_epochs


def train(network, images, targets, *, seed=0, **options):
    rng = np.random.default_rng(seed)
    return list(train_epochs(network, images, targets, rng=rng, **options))


def problem(n=23, dtype=np.float64):
    rng = np.random.default_rng(5)
    network = Network.initialize([4, 3, 2], rng, initialization="normal", dtype=dtype)
    return network, rng.random((n, 4)).astype(dtype), np.eye(2, dtype=dtype)[rng.integers(0, 2, n)]
