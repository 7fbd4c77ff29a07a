"""Backpropagation as training runs it: the equations of `backpropagation`, in preallocated arrays.

An epoch of the article's configuration is 6 000 steps of 50 µs, so a temporary array or a second
pass over the weights costs as much as the arithmetic. Everything a step needs is allocated once
for a minibatch size, and each matrix product is bound to its arrays once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nn.activations import multiply_by_sigmoid_derivative, sigmoid
from nn.blas import Array, bind_product
from nn.network import Network


@dataclass
class Minibatch:
    """Activations and errors of `size` samples on their way through `network` and back.

    Attributes:
        network: Its weights and biases are read where they lie, so updates in place are seen.
        size: Samples in the minibatch, m.
        activations: (m, units) a layer, inputs first; filled by `load` and `forward`.
        deltas: (m, units) a layer of weights: ∂C/∂z of each sample; filled by `backward`.
        targets: (m, classes), one-hot; filled by `load`.
    """

    network: Network
    size: int
    activations: list[Array] = field(init=False)
    deltas: list[Array] = field(init=False)
    targets: Array = field(init=False)
    _scratch: list[Array] = field(init=False, repr=False)
    _weighted_inputs: list[Callable[[float], Array]] = field(init=False, repr=False)
    _errors_of_inputs: list[Callable[[float], Array]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        def rows(units: int) -> Array:
            return np.empty((self.size, units), self.network.dtype)

        sizes, weights = self.network.sizes, self.network.weights
        self.activations = [rows(units) for units in sizes]
        self.deltas = [rows(units) for units in sizes[1:]]
        self.targets = rows(sizes[-1])
        self._scratch = [rows(units) for units in sizes[1:]]
        self._weighted_inputs = [
            bind_product(self.activations[layer], w.T, out=self.activations[layer + 1])
            for layer, w in enumerate(weights)
        ]
        self._errors_of_inputs = [
            bind_product(self.deltas[layer], weights[layer], out=self.deltas[layer - 1])
            for layer in range(1, len(weights))
        ]

    def load(self, images: NDArray, targets: NDArray, samples: NDArray[np.intp]) -> None:
        """Gather the given samples from (n, d) images and (n, classes) targets.

        Both may be memory-mapped: only the rows asked for are read, and no shuffled copy is made.
        """
        # mode="clip" (the indexes are valid) lets NumPy write straight into `out`.
        images.take(samples, axis=0, out=self.activations[0], mode="clip")
        targets.take(samples, axis=0, out=self.targets, mode="clip")

    def forward(self) -> None:
        """zˡ = aˡ⁻¹ @ Wˡ.T + bˡ, aˡ = σ(zˡ), layer after layer."""
        for layer, weighted_input in enumerate(self._weighted_inputs):
            z = self.activations[layer + 1]
            weighted_input(1.0)
            z += self.network.biases[layer]
            sigmoid(z)

    def backward(self) -> None:
        """δᴸ = (aᴸ - y) ⊙ σ'(zᴸ), then δˡ = (δˡ⁺¹ @ Wˡ⁺¹) ⊙ σ'(zˡ) down to the first layer."""
        np.subtract(self.activations[-1], self.targets, out=self.deltas[-1])
        for layer in reversed(range(len(self.deltas))):
            delta = self.deltas[layer]
            multiply_by_sigmoid_derivative(delta, self.activations[layer + 1], self._scratch[layer])
            if layer > 0:
                self._errors_of_inputs[layer - 1](1.0)
