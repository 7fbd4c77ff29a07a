"""The operations of a training step, in NumPy.

Compiled functions of the same names in `nn.compiled` do the same, a few times faster; those for
sparse images exist only there. In exact arithmetic the results are the same bits, and without
Numba, training and prediction use these. Functions that update an array in place have it as their
first argument; others write to their last arguments. `z` may have more columns than `a`, which are
not used.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import rules
from nn.exact import portable
from nn.exact.grids import leading_exponent, round_rows
from nn.exact.portable import shifter
from nn.images.interpolation import interpolate as interpolate


def affine(a: NDArray, w: NDArray, b: NDArray, z: NDArray) -> None:
    """z ← a @ w.T + b, for `a` (m, inputs), `w` (units, inputs), `b` (units,), `z` (m, units)."""
    np.matmul(a, w.T, out=z)
    z += b


def times(delta: NDArray, w: NDArray, out: NDArray) -> None:
    """out ← delta @ w, for `delta` (m, units), `w` (units, inputs), `out` (m, inputs)."""
    np.matmul(delta, w, out=out)


def sums(delta: NDArray, a: NDArray, of_weights: NDArray, of_biases: NDArray) -> None:
    """of_weights ← delta.T @ a, (units, inputs), and of_biases ← Σ delta, (units,)."""
    np.matmul(delta.T, a, out=of_weights)
    delta.sum(axis=0, out=of_biases)


def rows_affine(x: NDArray, bits: int, w: NDArray, b: NDArray, z: NDArray) -> None:
    """z ← x @ w + b, with each row of `x` rounded as by `round_rows`; `w` is (inputs, units)."""
    x = x.astype(np.float64)
    round_rows(x, bits)
    np.matmul(x, w, out=z)
    z += b


def lookup(z: NDArray, table: NDArray, a: NDArray) -> None:
    """a ← σ(z), looked up in `exact.portable.sigmoid_table`."""
    last = len(table) - 1
    places = np.minimum(
        z[:, : a.shape[1]] * z.dtype.type(2048) + z.dtype.type(last // 2 + 0.5), last
    )
    # Places below the first become negative or, for nan, the least integer.
    with np.errstate(invalid="ignore"):
        a[...] = table.take(places.astype(np.intp), mode="clip")


def sigmoid(z: NDArray, bits: int, a: NDArray) -> int:
    """a ← σ(z), rounded to multiples of 2^-bits, or not if bits is 0.

    Returns 0. The compiled function returns the number of results that it cannot round with
    certainty; if there are any, the caller uses this one. Likewise `tanh`, `softmax` and
    `sigmoid_scores`.
    """
    half = z[:, : a.shape[1]] * z.dtype.type(0.5)
    t = portable.tanh(half, bits - 1) if bits else np.tanh(half)
    a[...] = t * a.dtype.type(0.5) + a.dtype.type(0.5)
    return 0


def tanh(z: NDArray, bits: int, a: NDArray) -> int:
    """a ← the hyperbolic tangent of z, rounded as by `sigmoid`."""
    z = z[:, : a.shape[1]]
    a[...] = portable.tanh(z, bits) if bits else np.tanh(z)
    return 0


def relu(z: NDArray, a: NDArray) -> None:
    """a ← max(0, z)."""
    np.maximum(z[:, : a.shape[1]], 0.0, out=a)


def softmax(z: NDArray, bits: int, a: NDArray) -> int:
    """a ← e^z / Σ e^z of each row, with e^z to 36 significant bits unless bits is 0."""
    z = z[:, : a.shape[1]].astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    e = portable.exp(z) if bits else np.exp(z)
    a[...] = e / portable.ordered_sum(e)[:, None]
    return 0


def sigmoid_scores(z: NDArray, a: NDArray) -> int:
    """a ← σ(z), with a small relative error near 0 and near 1 alike."""
    a[...] = portable.sigmoid(z[:, : a.shape[1]])
    return 0


def times_sigmoid_derivative(delta: NDArray, a: NDArray) -> None:
    """delta ← delta ⊙ a·(1 - a)."""
    delta *= (a.dtype.type(1) - a) * a


def times_tanh_derivative(delta: NDArray, a: NDArray) -> None:
    """delta ← delta ⊙ (1 - a²)."""
    delta *= a.dtype.type(1) - a * a


def times_relu_derivative(delta: NDArray, a: NDArray) -> None:
    """delta ← delta where a > 0, else 0."""
    delta *= a > 0.0


def equal(x: NDArray, y: NDArray) -> bool:
    """Whether all numbers of x and y, (n,), are equal."""
    return np.array_equal(x, y)


def count_outside(x: NDArray, low: float, high: float) -> int:
    """How many numbers of (n, d) `x` are not finite or not from `low` to `high`."""
    return x.size - int(np.count_nonzero((x >= low) & (x <= high) & (np.abs(x) < np.inf)))


def largest(x: NDArray) -> float:
    """max |x|."""
    return float(np.abs(x).max(initial=0.0))


def round_to(x: NDArray, bits: int, out: NDArray) -> None:
    """out ← x, rounded to so many bits of its largest element; both are (m, n)."""
    scale_to_grid(x, 1.0, shifter(leading_exponent(largest(x)) - bits), out)


def scale_to_grid(x: NDArray, factor: float, shift: float, out: NDArray) -> float:
    """out ← factor·x, rounded by `shift`; returns the largest |element|.

    For the shift see `exact.portable.shifter`. `out`, (m, n), may have more columns than `x`, which
    stay as they are.
    """
    part = out[:, : x.shape[1]]
    np.multiply(x, out.dtype.type(factor), out=part)
    part += part.dtype.type(shift)
    part -= part.dtype.type(shift)
    return largest(part)


def _in_place(rule: Callable, states: int) -> Callable[..., None]:
    """The update of w and so many arrays of state, (n,), by a rule of `nn.rules`."""

    def update(w: NDArray, g: NDArray, *rest: Any) -> None:
        numbers = [w.dtype.type(number) for number in rest[states:]]
        found = rule(w, g.astype(w.dtype), *rest[:states], *numbers)
        for array, value in zip((w, *rest[:states]), found if states else (found,), strict=True):
            array[...] = value

    return update


sgd, average = _in_place(rules.sgd, 0), _in_place(rules.average, 0)
momentum, nesterov = _in_place(rules.momentum, 1), _in_place(rules.nesterov, 1)
adam = _in_place(rules.adam, 2)
