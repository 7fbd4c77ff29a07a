"""Exponential moving average (EMA) of the weights.

After every step W̄ ← μW̄ + (1 - μ)W, which averages over about the last 1/(1 - μ) steps (Polyak &
Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; in this form Tarvainen &
Valpola 2017, "Mean teachers are better role models", §2). The average varies less than the weights
themselves and often generalizes better. In step t = 0, 1, …, μ is at most t/(t + 1), so that the
initial random weights do not contribute; the average of the first steps is their plain mean.
"""

from typing import Any

from nn import operations
from nn.arithmetic import for_array
from nn.network import Network


class EMA:
    """Average of the weights and biases of a network in training.

    Attributes:
        network: The averaged network; its arrays are updated in place.
        followed: The network that is averaged.
        decay: μ, at least 0 and below 1.
        steps: Number of updates so far, t.
    """

    def __init__(self, network: Network, decay: float) -> None:
        """Average `network` from now on; raises ValueError if `decay` is not in [0, 1)."""
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay: expected a number from 0 to below 1, got {decay}")
        self.decay, self.steps = decay, 0
        self.network, self.followed = network.copy(), network

    def update(self, functions: Any = operations) -> None:
        """Include the current weights in the average, with operations of `nn.arithmetic`."""
        share = 1.0 - min(self.decay, self.steps / (self.steps + 1))
        self.steps += 1
        now = (*self.followed.weights, *self.followed.biases)
        means = (*self.network.weights, *self.network.biases)
        for mean, current in zip(means, now, strict=True):
            average = for_array(functions, mean).average
            average(mean.ravel(order="K"), current.ravel(order="K"), share)
