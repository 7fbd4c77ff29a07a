"""The layers of a network in training: `backpropagation.Layer` in arrays that are allocated once.

In exact arithmetic (see `exact.grids`) all arrays but the weights and biases are float64, and the
operands of matrix products are rounded to their grids first.
"""

import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nn.activations import Activation
from nn.arithmetic import activation_function, for_product
from nn.exact.grids import ACTIVATION_BITS, delta_bits, leading_exponent, weight_bits
from nn.exact.portable import shifter
from nn.losses import Loss
from nn.regularization import dropout_mask
from nn.training.inputs import Rows, Samples
from nn.training.team import Team


@dataclass
class Minibatch:
    """What all layers need to know of the current minibatch.

    Attributes:
        m: Number of its samples, of all members of the team.
        mine: Which of them this member has, (m,).
        team: The team.
        rng: Random number generator of dropout.
    """

    m: int
    mine: NDArray[np.bool_] | slice
    team: Team
    rng: np.random.Generator

    def dropout_mask(self, inputs: int, dropped: float, dtype: np.dtype) -> NDArray:
        """Random factors of the inputs of the member's samples; see `regularization`."""
        return dropout_mask((self.m, inputs), dropped, self.rng, dtype)[self.mine]


class DenseLayer:
    """A layer; see `backpropagation.Layer`.

    Attributes:
        w, b: Weights, (units, inputs), and biases, (units,), of the network.
        x: Inputs of the last forward pass, (m, inputs).
        a: Outputs of the last forward pass, (m, units).
        of_weights, of_biases: Gradients, summed over the samples, in the memory layout of w and b.
    """

    x: Any = None
    _mask: Any = None

    def __init__(
        self,
        functions: Any,
        exact: bool,
        minibatch: Minibatch,
        w: NDArray,
        b: NDArray,
        activation: Activation,
        bits: int,
        dropout: float,
        on_grid: bool,
    ) -> None:
        """Allocate the arrays.

        Args:
            functions: The operations; see `nn.arithmetic`.
            exact: Whether arithmetic is exact.
            minibatch: The current minibatch, at first the largest one.
            w: Weights; updates in place are seen.
            b: Biases, likewise.
            activation: Activation function of the units.
            bits: Bits of the outputs in exact arithmetic.
            dropout: Probability of dropping an input.
            on_grid: Whether the inputs are on their grid already.
        """
        units, inputs = w.shape
        self.w, self.b, self._minibatch, self._dropout = w, b, minibatch, dropout
        m = minibatch.m
        self._f, self._exact = for_product(functions, m, w), exact
        self._dtype = np.dtype(np.float64) if exact else w.dtype
        self._rounds_inputs = exact and (bool(dropout) or not on_grid)
        self._weight_bits = weight_bits(inputs)
        self._activate = activation_function(self._f, activation.name, bits if exact else 0)
        # The softmax has none: it is part of the loss.
        self._times_derivative: Any = getattr(self._f, f"times_{activation.name}_derivative", None)
        self._z, self.a, self._delta = (np.zeros((m, units), self._dtype) for _ in range(3))
        self.of_biases = np.zeros(units, self._dtype)
        self._allocate(m)

    def _allocate(self, m: int) -> None:
        self._below = np.zeros((m, self.w.shape[1]), self._dtype)
        self.of_weights = np.zeros(self.w.shape, self._dtype)
        self._by_rows = self.w
        self._operand = np.zeros(self.w.shape) if self._exact else self.w

    def with_samples(self, m: int) -> Self:
        """This layer, with the same arrays, for fewer samples."""
        other = copy.copy(self)
        for name in {"_z", "a", "_delta", "_scaled", "_below"} & vars(self).keys():
            setattr(other, name, getattr(self, name)[:m])
        return other

    def affine(self, x: Any) -> NDArray:
        """z = x @ W.T + b, after dropout, for (m, inputs) `x`, which may be changed."""
        if self._dropout:
            self._mask = self._minibatch.dropout_mask(x.shape[1], self._dropout, self._dtype)
            x = x * self._mask
        if self._rounds_inputs:
            self._round(x, ACTIVATION_BITS)
        self.x = x
        self._f.affine(x, self._rounded_weights(), self.b, self._z)
        return self._z

    def activate(self, z: NDArray) -> NDArray:
        """a = σ(z)."""
        self._activate(z, self.a)
        return self.a

    def output_error(self, loss: Loss, samples: Samples, rows: NDArray[np.intp]) -> NDArray:
        """δ = ∂C/∂z of the chosen samples, if this is the last layer (BP1)."""
        delta = np.subtract(self.a, samples.targets[rows], out=self._delta)
        if not loss.cancels:
            self._times_derivative(delta, self.a)
        if samples.weights is not None:
            delta *= samples.weights[rows, None]
        return self._rounded_errors(delta)

    def differentiate(self, delta: NDArray) -> None:
        """δ.T @ x and Σ δ (BP3 and BP4)."""
        self._f.sums(delta, self.x, self.of_weights, self.of_biases)

    def propagate(self, delta: NDArray) -> NDArray:
        """δ @ W, for the inputs that were not dropped."""
        self._f.times(delta, self._operand, self._below)
        if self._dropout:
            self._below *= self._mask
        return self._below

    def error(self, of_outputs: NDArray) -> NDArray:
        """∂C/∂z, in place of ∂C/∂a."""
        self._times_derivative(of_outputs, self.a)
        return self._rounded_errors(of_outputs)

    def _rounded_weights(self) -> NDArray:
        """The weights as an operand of products, in the layout of `of_weights`."""
        if self._exact:
            self._f.round_to(self._by_rows, self._weight_bits, self._operand)
        return self._operand

    def _rounded_errors(self, delta: NDArray) -> NDArray:
        if self._exact:
            units, inputs = self.w.shape
            self._round(delta, delta_bits(units, inputs, self._minibatch.m))
        return delta

    def _round(self, x: NDArray, bits: int) -> None:
        """Round to so many bits of the largest element of all members of the team."""
        if self._minibatch.team.size == 1:
            self._f.round_to(x, bits, x)
        else:
            largest = self._minibatch.team.largest(self._f.largest(x))
            self._f.scale_to_grid(x, 1.0, shifter(leading_exponent(largest) - bits), x)


class SparseLayer(DenseLayer):
    """The first layer, for sparse images; the memory of its weights has a row for each input."""

    def _allocate(self, m: int) -> None:  # noqa: ARG002
        self._by_rows = self.w.T
        self.of_weights = np.zeros(self.w.T.shape, self._dtype)
        self._operand = np.zeros(self.w.T.shape) if self._exact else self.w.T
        self._biases = np.zeros(len(self.b), self._dtype)

    def affine(self, x: Rows) -> NDArray:
        """z = x @ W.T + b for the chosen images."""
        self.x = images, chosen = x
        self._shift = 0.0
        if self._exact:
            largest = self._f.largest_value(images.starts, images.values, chosen)
            largest = self._minibatch.team.largest(largest)
            self._shift = shifter(leading_exponent(largest) - ACTIVATION_BITS)
        self._biases[...] = self.b
        self._f.sparse_affine(
            *images, chosen, self._shift, self._rounded_weights(), self._biases, 1.0, self._z
        )
        return self._z

    def differentiate(self, delta: NDArray) -> None:
        """δ.T @ x and Σ δ."""
        images, chosen = self.x
        self.of_weights[...] = 0.0
        self.of_biases[...] = 0.0
        self._f.sparse_add(
            *images, chosen, self._shift, 0, len(self.of_weights), delta, 1.0,
            self.of_weights, self.of_biases,
        )  # fmt: skip
