"""The layers of a network in training: `backpropagation.Layer` in arrays that are allocated once.

In exact arithmetic (see `exact.grids`) all arrays but the weights and biases are float64, and the
operands of matrix products are rounded to their grids first.
"""

from dataclasses import dataclass
from typing import Any

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


class DenseLayer:
    """A layer; see `backpropagation.Layer`.

    Attributes:
        w, b: Weights, (units, inputs), and biases, (units,), of the network.
        x: Inputs of the last forward pass, (m, inputs).
        a: Outputs of the last forward pass, (m, units).
        of_weights, of_biases: Gradients, summed over the samples, in the memory layout of w and b.
    """

    x: Any
    _mask: Any = None
    a: NDArray
    _z: NDArray
    _delta: NDArray
    _below: NDArray

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
        """Allocate arrays for the `minibatch`, which is the largest one.

        `bits` are those of the outputs in exact arithmetic, `dropout` is the probability of
        dropping an input, and `on_grid` tells whether the inputs are on their grid already.
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
        self.of_biases = np.zeros(units, self._dtype)
        self._arrays = {name: np.zeros((m, units), self._dtype) for name in ("_z", "a", "_delta")}
        self._allocate(m)
        self.resize(m)

    def _allocate(self, m: int) -> None:
        self._arrays["_below"] = np.zeros((m, self.w.shape[1]), self._dtype)
        self._use_rows_of(self.w)

    def _use_rows_of(self, w: NDArray) -> None:
        """Allocate the gradient and the operand of products in the memory layout of `w`."""
        self._by_rows, self.of_weights = w, np.zeros(w.shape, self._dtype)
        self._operand = np.zeros(w.shape) if self._exact else w

    def resize(self, n: int) -> None:
        """Use n rows of the arrays, for the n samples that this member has of a minibatch."""
        for name, array in self._arrays.items():
            setattr(self, name, array[:n])

    def affine(self, x: Any) -> NDArray:
        """z = x @ W.T + b, after dropout, for (m, inputs) `x`, which may be changed."""
        if self._dropout:
            shape, rng = (self._minibatch.m, x.shape[1]), self._minibatch.rng
            mask = dropout_mask(shape, self._dropout, rng, self._dtype)
            self._mask = mask[self._minibatch.mine]
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
        if self._exact:
            self._f.round_to(self._by_rows, self._weight_bits, self._operand)
        return self._operand

    def _rounded_errors(self, delta: NDArray) -> NDArray:
        if self._exact:
            self._round(delta, delta_bits(*self.w.shape, self._minibatch.m))
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
        self._use_rows_of(self.w.T)
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
        weights = self._rounded_weights()
        self._f.sparse_affine(*images, chosen, self._shift, weights, self._biases, 1.0, self._z)
        return self._z

    def differentiate(self, delta: NDArray) -> None:
        """δ.T @ x and Σ δ."""
        images, chosen = self.x
        self.of_weights[...] = 0.0
        self.of_biases[...] = 0.0
        inputs, sums = (0, len(self.of_weights)), (self.of_weights, self.of_biases)
        self._f.sparse_add(*images, chosen, self._shift, *inputs, delta, 1.0, *sums)
