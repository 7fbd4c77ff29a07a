"""What is done with the gradient: plain gradient descent.

One step moves every parameter against its mean gradient over the minibatch of m samples (Nielsen,
chapter 1, equations 20 and 21, with BP3 and BP4 put in):

    W ← W - (η/m) · δ.T @ a        b ← b - (η/m) · Σ δ
"""

from collections.abc import Callable

import numpy as np

from nn.blas import Array, bind_product
from nn.minibatch import Minibatch


class GradientDescent:
    """Updates a minibatch's network in place after `Minibatch.backward`.

    The gradient of the weights is never stored: BLAS computes `c ← alpha · a @ b + beta · c`, and
    with alpha = -η/m and c = W that *is* the update, in one pass over the weights.
    """

    def __init__(self, minibatch: Minibatch) -> None:
        self.minibatch = minibatch
        network = minibatch.network
        self._add_to_weights: list[Callable[[float], Array]] = [
            bind_product(delta.T, a, out=w, beta=1.0)
            for delta, a, w in zip(
                minibatch.deltas, minibatch.activations, network.weights, strict=False
            )
        ]
        self._bias_steps = [np.empty_like(b) for b in network.biases]

    def update(self, learning_rate: float) -> None:
        """One step of gradient descent with learning rate η."""
        step = -learning_rate / self.minibatch.size
        network, deltas = self.minibatch.network, self.minibatch.deltas
        for layer, add_to_weights in enumerate(self._add_to_weights):
            add_to_weights(step)
            bias_step = self._bias_steps[layer]
            np.add.reduce(deltas[layer], axis=0, out=bias_step)
            bias_step *= step
            network.biases[layer] += bias_step
