"""Matrix products without rounding, so that neither processor nor number of threads changes a bit.

The rounding errors of a floating-point sum depend on the order of its terms, and each BLAS kernel
has an order of its own. A sum without rounding errors does not. Let a be multiples of 2^-p with
|a| ≤ 2^P, and b multiples of 2^-q with |b| ≤ 2^Q. Then every product a·b, and every sum of at most
K of them, is a multiple of 2^-(p+q) and at most K·2^(P+Q). float64 represents it exactly if

    (p + P) + (q + Q) + ⌈log₂ K⌉ ≤ 53,

so any order, blocking, fused multiply-add or number of threads gives the same bits. p + P is called
the bits of an operand here. The operands of a layer with K inputs share the 53 as follows:

| operand | bits | for 784-100-10 and minibatches of 10 |
|---|---|---|
| activations a (and inputs) | 18 | multiples of 2⁻¹⁸ up to 1 |
| weights W: forward, a @ W.T, K terms | min(24, 53 - 18 - ⌈log₂ K⌉) | 24 |
| errors δ: backward, δ @ W, a term for each unit | 53 - W - ⌈log₂ units⌉ | 25, and |
| the same δ: gradient, δ.T @ a, a term for each sample | 53 - 18 - ⌈log₂ samples⌉, if less | 31 |

2^P and 2^Q are the powers of two next to the largest element of each operand: weights that grow, or
activations without a bound, get a coarser grid, and no product is ever rounded. The weights
themselves are float32; only the copies that go into a product are rounded. All other operations are
elementwise and the same on every processor (see `portable`).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import idamax, isamax

from nn.blas import bind_gemm, bind_row_sum
from nn.exact.portable import shifter

Array = NDArray[np.float64]

ACTIVATION_BITS = 18
# Of hidden activations before the scores, where only the forward pass needs room.
SCORE_ACTIVATION_BITS = 22
_PLACES, _MOST_WEIGHT_BITS = 53, 24
# Weights rounded at a time.
_PIECE = 16_384


class DivergedError(ArithmeticError):
    """The weights are no longer finite, or too large for exact arithmetic; they are useless."""


def output_bits(loss: str) -> int:
    """Bits of the outputs, of which only the errors go into a product; logarithms need more."""
    return ACTIVATION_BITS if loss == "quadratic" else 28


def ceil_log2(n: int) -> int:
    """⌈log₂ n⌉ for n ≥ 1."""
    return (n - 1).bit_length()


def weight_bits(inputs: int) -> int:
    """Bits of the weights of a layer with so many inputs."""
    return min(_MOST_WEIGHT_BITS, _PLACES - ACTIVATION_BITS - ceil_log2(inputs))


def delta_bits(units: int, inputs: int, samples: int) -> int:
    """Bits of the errors of a layer of `units`, for a minibatch of so many samples."""
    return min(
        _PLACES - weight_bits(inputs) - ceil_log2(units),
        _PLACES - ACTIVATION_BITS - ceil_log2(samples),
    )


def bind_rounding(x: Array, bits: int) -> Callable[[], None]:
    """Prepare to round a C-ordered float64 array in place, to `bits` of its largest element."""
    flat = x.reshape(-1)

    def round_in_place() -> None:
        shift = shifter(_exponent(flat.item(idamax(flat))) - bits)
        np.add(x, shift, out=x)
        np.subtract(x, shift, out=x)

    return round_in_place


def round_weights(weights: NDArray[np.float32]) -> Array:
    """Weights of a layer, (units, inputs), as a float64 operand: rounded to `weight_bits`."""
    rounded = np.empty(weights.shape)
    bind_weight_rounding(np.ascontiguousarray(weights), rounded)()
    return rounded


def bind_weight_rounding(weights: NDArray[np.float32], out: Array) -> Callable[[], None]:
    """Prepare `round_weights` with the result in `out`; both arrays are C-ordered."""
    source, target, bits = weights.reshape(-1), out.reshape(-1), weight_bits(weights.shape[1])
    # Piece by piece, so that the three passes find them in the processor's cache.
    starts = range(0, len(source), _PIECE)
    pieces = [(source[k : k + _PIECE], target[k : k + _PIECE]) for k in starts]

    def round_all() -> None:
        shift = shifter(_exponent(source.item(isamax(source))) - bits)
        for weight, rounded in pieces:
            np.copyto(rounded, weight)
            np.add(rounded, shift, out=rounded)
            np.subtract(rounded, shift, out=rounded)

    return round_all


def round_rows(x: Array, bits: int) -> None:
    """Round each row of (n, k) `x` in place to so many bits of its own largest element."""
    largest = np.maximum(x.max(axis=1, initial=0.0), -x.min(axis=1, initial=0.0))
    significands, exponents = np.frexp(largest)
    shifts = np.ldexp(1.5, 52 - bits + exponents - (significands == 0.5))[:, None]
    x += shifts
    x -= shifts


def weighted_inputs(a: Array, weights: Array, biases: NDArray) -> Array:
    """Z = a @ W.T + b for any rows; `a`, (n, inputs), is rounded in place.

    Args:
        a: C-ordered float64.
        weights: (units, inputs), from `round_weights`.
        biases: (units,).

    Returns:
        (n, units) float64. A row does not depend on the others.
    """
    round_rows(a, _PLACES - weight_bits(weights.shape[1]) - ceil_log2(weights.shape[1]))
    z = np.empty((len(a), len(biases)))
    bind_gemm(a, weights.T, out=z)()
    z += biases
    return z


def bind_exact_gradients(
    delta: Array, inputs: Array, weights: NDArray, biases: NDArray
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Prepare the sums of a layer's gradients, `out ← alpha · sum + beta · out`.

    The sums themselves, δ.T @ a and Σ δ, are exact; everything after them is float32.

    Args:
        delta: (m, units), on its grid.
        inputs: (m, units below), on its grid.
        weights: (units, units below) float32; overwritten by calls of the first function.
        biases: (units,) float32; overwritten by calls of the second.
    """
    sums = np.empty(weights.shape), np.empty(biases.shape)
    products = bind_gemm(delta.T, inputs, out=sums[0]), bind_row_sum(delta, out=sums[1])
    return (
        _bind_adding(products[0], sums[0], weights),
        _bind_adding(products[1], sums[1], biases),
    )


def _bind_adding(
    compute: Callable[[], object], exact: Array, out: NDArray
) -> Callable[[float, float], None]:
    rounded = np.empty_like(out)

    def add(alpha: float = 1.0, beta: float = 0.0) -> None:
        compute()
        np.copyto(rounded, exact, casting="same_kind")
        if beta == 0.0:
            np.multiply(rounded, alpha, out=out)
            return
        np.multiply(rounded, alpha, out=rounded)
        if beta != 1.0:
            np.multiply(out, beta, out=out)
        np.add(out, rounded, out=out)

    return add


def _exponent(largest: float) -> int:
    """The least e with |largest| ≤ 2^e; 0 for 0 and for what is not finite."""
    significand, exponent = math.frexp(abs(largest))
    return exponent - (significand == 0.5)
