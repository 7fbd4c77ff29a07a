"""Scores of a float32 network, the same on every processor; see `exact.grids`.

Each row of inputs is rounded to its own grid, so that the scores of an image do not depend on the
others.
"""

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nn import operations
from nn.arithmetic import for_product, operations_for
from nn.backpropagation import forward
from nn.checks.arrays import require_values
from nn.exact.grids import SCORE_ACTIVATION_BITS, round_weights, score_input_bits
from nn.images.pixels import real_type
from nn.layouts import in_lines, is_sparse
from nn.threads import in_two_threads, limit_blas_threads

if TYPE_CHECKING:
    from nn.network import Network

# Rows at a time: enough for calls not to matter, and few enough for the activations of a layer to
# stay in the processor's cache.
_CHUNK = 128
# With fewer rows, looking for zeros takes longer than it saves; with more, two threads are faster.
_FEW, _MANY = 16, 1_000
# Significant bits of e^z in scores.
_SCORE_BITS = 36
_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


class ScoreLayer:
    """A layer of a network that is evaluated; see `backpropagation.Layer`."""

    def __init__(self, functions: Any, w: NDArray, b: NDArray, activation: str, bits: int) -> None:
        """Round the weights.

        Args:
            functions: The operations for exact arithmetic.
            w: Weights, (units, inputs), float32.
            b: Biases, (units,), float32.
            activation: Name of the activation function.
            bits: Bits of the outputs; `_SCORE_BITS` in the last layer.
        """
        self._few, self._f, self.units = functions, for_product(functions, _CHUNK, w), len(b)
        self._input_bits = score_input_bits(w.shape[1])
        self._prepare(round_weights(w), b)
        is_last = bits == _SCORE_BITS
        name = "sigmoid_scores" if is_last and activation == "sigmoid" else activation
        self._activate, self._again = getattr(functions, name), getattr(operations, name)
        self._options = () if name in ("sigmoid_scores", "relu") else (bits,)

    def _prepare(self, operand: NDArray, b: NDArray) -> None:
        self._operand, self._b = operand, b.copy()

    def affine(self, x: NDArray) -> NDArray:
        """z = x @ W.T + b for (m, inputs) `x`, float64, which is rounded in place."""
        f = self._few if len(x) < _FEW else self._f
        f.round_rows(x, self._input_bits)
        z = np.empty((len(x), self.units))
        f.affine(x, self._operand, self._b, z)
        return z

    def activate(self, z: NDArray) -> NDArray:
        """a = σ(z)."""
        a = np.empty((len(z), self.units))
        if self._activate(z, *self._options, a):
            self._again(z, *self._options, a)
        return a


class FirstScoreLayer(ScoreLayer):
    """The first layer, which skips inputs that are 0 if many are."""

    def _prepare(self, operand: NDArray, b: NDArray) -> None:
        # A row for each input, in whole lines of the processor's cache.
        self._operand = in_lines(operand.shape[1], len(b), np.float64)
        self._operand[:, : len(b)] = operand.T
        self._b = np.zeros(self._operand.shape[1], np.float32)
        self._b[: len(b)] = b

    def affine(self, x: NDArray) -> NDArray:
        """z = x @ W.T + b for (m, inputs) `x`, float32 or float64."""
        z = np.empty((len(x), self._operand.shape[1]))
        self._f.rows_affine(x, self._input_bits, self._operand, self._b, z)
        return z

    def dense(self) -> "FirstScoreLayer":
        """This layer, for inputs few of which are 0."""
        layer = copy.copy(self)
        layer._f = operations
        return layer


class PreparedNetwork:
    """The layers of a float32 network, to be used again as long as its weights do not change."""

    def __init__(self, network: "Network") -> None:
        """Round the weights of the network; raises ValueError if its arrays do not fit."""
        network.require_shapes()
        functions, last = operations_for("exact"), len(network.weights) - 1
        self._functions = functions
        self._kind = network.activation, network.loss
        self._equal = functions.equal
        # Each array, its memory in one dimension, and a copy.
        memories = [(a, a.ravel(order="K")) for a in network.weights + network.biases]
        self._parts = [(a, memory, memory.copy()) for a, memory in memories]
        # Not of arrays with gaps, whose memory is a copy, nor of those that cannot be written to.
        self._can_compare = all(np.shares_memory(a, m) and m.flags.writeable for a, m in memories)
        layers = [
            (functions, w, b, activation.name, _SCORE_BITS if k == last else SCORE_ACTIVATION_BITS)
            for k, (w, b, activation) in enumerate(
                zip(network.weights, network.biases, network.units, strict=True)
            )
        ]
        self._first = FirstScoreLayer(*layers[0])
        self._rest = [ScoreLayer(*layer) for layer in layers[1:]]

    def fits(self, network: "Network") -> bool:
        """Whether the network still has the weights and biases that were rounded."""
        arrays, kind = network.weights + network.biases, (network.activation, network.loss)
        if not self._can_compare or self._kind != kind or len(arrays) != len(self._parts):
            return False
        for now, (array, numbers, copies) in zip(arrays, self._parts, strict=True):
            if now is not array or not self._equal(numbers, copies):
                return False
        return True

    def scores(self, rows: NDArray, low: float, high: float) -> NDArray[np.float32]:
        """Scores of (n, inputs) floats, (n, classes).

        Raises:
            ValueError: If a number is not finite or not from `low` to `high`.
        """
        n = len(rows)
        if n < _FEW:
            return forward([self._first, *self._rest], self._inputs(rows, low, high)).astype(
                np.float32
            )
        first = self._first if is_sparse(rows[:_FEW]) else self._first.dense()
        layers = [first, *self._rest]
        outputs = np.empty((n, layers[-1].units), np.float32)

        def compute(first: int, stop: int) -> None:
            for k in range(first, stop, _CHUNK):
                part = slice(k, min(stop, k + _CHUNK))
                outputs[part] = forward(layers, self._inputs(rows[part], low, high))

        with limit_blas_threads():
            if n < _MANY:
                compute(0, n)
            else:
                in_two_threads(partial(compute, 0, n // 2), partial(compute, n // 2, n))
        return outputs

    def _inputs(self, rows: NDArray, low: float, high: float) -> NDArray:
        """The rows as an array that compiled functions take."""
        flags = rows.flags
        is_simple = flags.c_contiguous and flags.writeable and flags.aligned
        if not (type(rows) is np.ndarray and rows.dtype in _TYPES and is_simple):
            rows = np.array(rows, real_type(rows), order="C")
        if self._functions.count_outside(rows, low, high):
            require_values("images", rows, low, high)
        return rows
