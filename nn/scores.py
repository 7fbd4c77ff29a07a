"""Scores of a float32 network, the same on every processor; see `exact.grids`.

Each row of inputs is rounded to its own grid, so that the scores of an image do not depend on the
others.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nn import operations
from nn.arithmetic import activation_function, operations_for
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
# With fewer rows, compiled functions are faster than BLAS; with more, two threads are faster.
_FEW, _MANY = 16, 1_000
_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


class ScoreLayer:
    """A layer of a network that is evaluated; see `backpropagation.Layer`.

    Args:
        functions: The operations for exact arithmetic.
        w, b: Weights, (units, inputs), which are rounded, and biases, (units,), all float32.
        activation: Name of the operation that computes the outputs.
    """

    def __init__(self, functions: Any, w: NDArray, b: NDArray, activation: str) -> None:
        (self._units, inputs), self._functions = w.shape, functions
        self._bits = score_input_bits(inputs)
        # A row for each input, in whole lines of the processor's cache.
        self._w, (self._b,) = (in_lines(n, self._units, np.float64) for n in (inputs, 1))
        self._w[:, : self._units], self._b[: self._units] = round_weights(w).T, b
        self._activate = activation_function(functions, activation, SCORE_ACTIVATION_BITS)

    def affine(self, x: NDArray) -> NDArray:
        """z = x @ W.T + b for (m, inputs) `x`, float32 or float64."""
        functions = self._functions if len(x) < _FEW or is_sparse(x[:_FEW]) else operations
        z = np.empty((len(x), self._w.shape[1]))
        functions.rows_affine(x, self._bits, self._w, self._b, z)
        return z

    def activate(self, z: NDArray) -> NDArray:
        """a = σ(z)."""
        a = np.empty((len(z), self._units))
        self._activate(z, a)
        return a


class PreparedNetwork:
    """The layers of a float32 network, to be used again as long as its weights do not change."""

    def __init__(self, network: "Network") -> None:
        """Round the weights of the network; raises ValueError if its arrays do not fit."""
        network.require_shapes()
        self._functions = functions = operations_for("exact")
        self._equal, self._kind = functions.equal, (network.activation, network.loss)
        # Each array, its memory in one dimension, and a copy.
        memories = [(a, a.ravel(order="K")) for a in network.weights + network.biases]
        self._parts = [(a, memory, memory.copy()) for a, memory in memories]
        # Not of arrays with gaps, whose memory is a copy, nor of those that cannot be written to.
        self._can_compare = all(np.shares_memory(a, m) and m.flags.writeable for a, m in memories)
        names = [unit.name for unit in network.units]
        if names[-1] == "sigmoid":
            names[-1] = "sigmoid_scores"
        layers = zip(network.weights, network.biases, names, strict=True)
        self._layers = [ScoreLayer(functions, *layer) for layer in layers]

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
        """Scores of (n, inputs) numbers, (n, classes).

        Raises ValueError if a number is not finite or not from `low` to `high`.
        """
        n = len(rows)
        if n < _FEW:
            return forward(self._layers, self._inputs(rows, low, high)).astype(np.float32)
        outputs = np.empty((n, len(self._parts[-1][0])), np.float32)

        def compute(first: int, stop: int) -> None:
            for k in range(first, stop, _CHUNK):
                part = slice(k, min(stop, k + _CHUNK))
                outputs[part] = forward(self._layers, self._inputs(rows[part], low, high))

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
