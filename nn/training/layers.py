"""The layers of a network in training: `backpropagation.Layer` in arrays that are allocated once.

In exact arithmetic (see `exact.grids`) all arrays but the weights and biases are float64, and the
operands of matrix products are rounded to their grids first.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nn import operations
from nn.activations import Activation
from nn.arithmetic import for_product
from nn.exact.grids import ACTIVATION_BITS, delta_bits, leading_exponent, weight_bits
from nn.exact.portable import TABLE_BITS, shifter, sigmoid_table
from nn.losses import Loss
from nn.regularization import draw_mask
from nn.training.inputs import Rows, Samples


class Arithmetic(NamedTuple):
    """How layers compute.

    Attributes:
        functions: The operations; see `nn.arithmetic`.
        exact: Whether arithmetic is exact.
    """

    functions: Any
    exact: bool

    def activate(self, name: str, bits: int) -> Callable[[NDArray, NDArray], object]:
        """Function of (z, a) that writes σ(z) to a, rounded to multiples of 2^-bits if exact."""
        if name == "sigmoid" and self.exact and bits == TABLE_BITS:
            lookup, table = self.functions.lookup, sigmoid_table()
            return lambda z, a: lookup(z, table, a)
        compute, again = getattr(self.functions, name), getattr(operations, name)
        if name == "relu":
            return compute
        bits = bits if self.exact else 0

        def activate(z: NDArray, a: NDArray) -> None:
            if compute(z, bits, a) and bits:
                again(z, bits, a)

        return activate


class DenseLayer:
    """A layer; see `backpropagation.Layer`.

    Attributes:
        w, b: Weights, (units, inputs), and biases, (units,), of the network.
        x: Inputs of the last forward pass, (m, inputs).
        a: Outputs of the last forward pass, (m, units).
        of_weights, of_biases: Gradients, summed over the samples, in the memory layout of w and b.
    """

    def __init__(
        self,
        arithmetic: Arithmetic,
        m: int,
        rng: np.random.Generator,
        w: NDArray,
        b: NDArray,
        activation: Activation,
        bits: int,
        dropout: float,
        on_grid: bool,
    ) -> None:
        """Allocate the arrays.

        Args:
            arithmetic: How to compute.
            m: Samples of a minibatch.
            rng: Random number generator of dropout.
            w: Weights; updates in place are seen.
            b: Biases, likewise.
            activation: Activation function of the units.
            bits: Bits of the outputs in exact arithmetic.
            dropout: Probability of dropping an input.
            on_grid: Whether the inputs are on their grid already.
        """
        units, inputs = w.shape
        self.w, self.b, self._rng, self._dropout = w, b, rng, dropout
        self._f, self._exact = for_product(arithmetic.functions, m, w), arithmetic.exact
        arithmetic = arithmetic._replace(functions=self._f)
        self._dtype = np.dtype(np.float64) if self._exact else w.dtype
        self._rounds_inputs = self._exact and (bool(dropout) or not on_grid)
        self._weight_bits, self._delta_bits = weight_bits(inputs), delta_bits(units, inputs, m)
        self._activate = arithmetic.activate(activation.name, bits)
        if activation.name != "softmax":
            self._times_derivative = getattr(self._f, f"times_{activation.name}_derivative")
        self.x: Any = None
        self._z, self.a, self._delta = (np.zeros((m, units), self._dtype) for _ in range(3))
        self._mask, self._dropped = (
            np.zeros((m, inputs), self._dtype) if dropout else None for _ in range(2)
        )
        self.of_biases = np.zeros(units, self._dtype)
        self._allocate(m)
        self._flat_w, self._flat_operand = w.ravel(order="K"), self._operand.reshape(-1)

    def _allocate(self, m: int) -> None:
        self._below = np.zeros((m, self.w.shape[1]), self._dtype)
        self._operand = np.zeros(self.w.shape) if self._exact else self.w
        self.of_weights = np.zeros(self.w.shape, self._dtype)

    def with_samples(self, m: int) -> Self:
        """This layer, with the same arrays, for minibatches of fewer samples."""
        other = copy.copy(self)
        for name in ("_z", "a", "_delta", "_scaled", "_below", "_mask", "_dropped"):
            array = getattr(self, name, None)
            setattr(other, name, array if array is None else array[:m])
        units, inputs = self.w.shape
        other._delta_bits = delta_bits(units, inputs, m)
        return other

    def affine(self, x: Any) -> NDArray:
        """z = x @ W.T + b, after dropout; for (m, inputs) `x`, or in first layers for `Rows`."""
        if self._mask is not None:
            draw_mask(self._mask, self._dropout, self._rng)
            x = np.multiply(x, self._mask, out=self._dropped)
        if self._rounds_inputs:
            _round(self._f, x, ACTIVATION_BITS)
        self.x = x
        self._f.affine(x, self._round_weights(), self.b, self._z)
        return self._z

    def activate(self, z: NDArray) -> NDArray:
        """a = σ(z)."""
        self._activate(z, self.a)
        return self.a

    def output_error(self, loss: Loss, samples: Samples, rows: NDArray[np.intp]) -> NDArray:
        """δ = ∂C/∂z of the chosen samples, if this is the last layer (BP1)."""
        self._f.difference(self.a, samples.targets, rows, self._delta)
        if not loss.cancels:
            self._times_derivative(self._delta, self.a)
        if samples.weights is not None:
            self._f.multiply_rows(self._delta, samples.weights, rows)
        return self._round_errors(self._delta)

    def differentiate(self, delta: NDArray) -> None:
        """δ.T @ x and Σ δ (BP3 and BP4)."""
        self._f.sums(delta, self.x, self.of_weights, self.of_biases)

    def propagate(self, delta: NDArray) -> NDArray:
        """δ @ W, for the inputs that were not dropped."""
        self._f.times(delta, self._operand, self._below)
        if self._mask is not None:
            self._below *= self._mask
        return self._below

    def error(self, of_outputs: NDArray) -> NDArray:
        """∂C/∂z, in place of ∂C/∂a."""
        self._times_derivative(of_outputs, self.a)
        return self._round_errors(of_outputs)

    def _round_weights(self) -> NDArray:
        """The weights as an operand of products, in the layout of `of_weights`."""
        if self._exact:
            self._f.round_to(self._flat_w, self._weight_bits, self._flat_operand)
        return self._operand

    def _round_errors(self, delta: NDArray) -> NDArray:
        if self._exact:
            _round(self._f, delta, self._delta_bits)
        return delta


def _round(functions: Any, x: NDArray, bits: int) -> None:
    flat = x.reshape(-1)
    functions.round_to(flat, bits, flat)


class DenseFirstLayer(DenseLayer):
    """The first layer, for images with few zeros."""

    def _allocate(self, m: int) -> None:
        super()._allocate(m)
        self._gathered = np.zeros(self._below.shape, self.w.dtype)

    def affine(self, x: Rows) -> NDArray:
        """z = x @ W.T + b for the chosen images."""
        images, chosen = x
        gathered = self._gathered[: len(chosen)]
        images.take(chosen, axis=0, out=gathered, mode="clip")
        if not self._exact:
            return super().affine(gathered)
        np.copyto(self._below, gathered)
        return super().affine(self._below)


class SparseFirstLayer(DenseLayer):
    """The first layer, for sparse images; the memory of its weights has a row for each input."""

    def _allocate(self, m: int) -> None:  # noqa: ARG002
        by_inputs = self.w.shape[::-1]
        self._operand = np.zeros(by_inputs) if self._exact else self.w.T
        self.of_weights = np.zeros(by_inputs, self._dtype)
        self._biases = np.zeros(len(self.b), self._dtype)

    def affine(self, x: Rows) -> NDArray:
        """z = x @ W.T + b for the chosen images."""
        self.x = images, chosen = x
        self._shift = 0.0
        if self._exact:
            largest = self._f.largest_value(images.starts, images.values, chosen)
            self._shift = shifter(leading_exponent(largest) - ACTIVATION_BITS)
        self._biases[...] = self.b
        self._f.sparse_affine(
            *images, chosen, self._shift, self._round_weights(), self._biases, 1.0, self._z
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
