"""Training of a small network, in one call."""

import numpy as np

from nn import Network, Optimizer, Regularization, train_epochs
from nn.training.inputs import Samples
from nn.training.step import TrainingStep
from nn.training.team import Team


def train(network, images, targets, *, seed=0, **options):
    rng = np.random.default_rng(seed)
    return list(train_epochs(network, images, targets, rng=rng, **options))


def problem(n=23, dtype=np.float64):
    rng = np.random.default_rng(5)
    network = Network.initialize([4, 3, 2], rng, initialization="normal", dtype=dtype)
    return network, rng.random((n, 4)).astype(dtype), np.eye(2, dtype=dtype)[rng.integers(0, 2, n)]


class Steps:
    """Steps of one optimizer on minibatches of the given samples.

    Attributes:
        layers: The layers of the network.
    """

    def __init__(
        self, network, images, targets, *, batch_size=None, rng=None, optimizer=None, ema=None,
        weights=None, learning_rate=1.0, exact=False, **regularization,
    ):  # fmt: skip
        samples = Samples(images, targets, weights)
        self._step = TrainingStep(
            samples, batch_size or len(images), rng or np.random.default_rng(0),
            optimizer or Optimizer(network), regularization=Regularization(**regularization),
            augmenter=None, ema=ema, learning_rate=learning_rate, exact=exact, team=Team(),
        )  # fmt: skip
        self._samples = samples._replace(images=self._step.convert(images))
        self.layers = self._step._layers

    def take(self, rows, rate):
        """Take a step with the chosen samples; the outputs before it."""
        self._step.load()
        outputs = self._step(self._samples, np.asarray(rows), np.ones(len(rows), bool), rate).copy()
        self._step.store()
        return outputs
