"""The mean of the weights over the last steps: steadier, and often better, than the last weights.

An exponential moving average, W̄ ← μW̄ + (1 - μ)W after every step (Polyak & Juditsky 1992,
"Acceleration of Stochastic Approximation by Averaging"; in this form Tarvainen & Valpola 2017,
"Mean teachers are better role models", §2), remembers about 1/(1 - μ) steps. So that the random
weights of the start do not linger, μ is at most t/(t + 1) in step t, which makes it the plain mean
at first.
"""

from nn.network import Network


class Average:
    """Follows a network while it is trained.

    Attributes:
        network: The averaged network; its arrays are updated in place.
        decay: μ, at least 0 and below 1.
        steps: Steps seen, t.
    """

    def __init__(self, network: Network, decay: float) -> None:
        """Start to follow `network`; raises ValueError if `decay` is not in [0, 1)."""
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay is {decay}; it must be at least 0 and below 1")
        self.decay, self.steps = decay, 0
        self.network, self._followed = network.copy(), network

    def update(self) -> None:
        """Take in the weights as they are now."""
        part = 1.0 - min(self.decay, self.steps / (self.steps + 1))
        self.steps += 1
        followed, mean = self._followed, self.network
        for current, average in zip(
            (*followed.weights, *followed.biases), (*mean.weights, *mean.biases), strict=True
        ):
            average += part * (current - average)
