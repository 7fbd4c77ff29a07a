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
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nn.exact.portable import shifter

Array = NDArray[np.float64]

ACTIVATION_BITS = 18
# Of hidden activations before the scores, where only the forward pass needs room.
SCORE_ACTIVATION_BITS = 22
_PLACES, _MOST_WEIGHT_BITS = 53, 24


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


def score_input_bits(inputs: int) -> int:
    """Bits of the inputs of a layer with so many of them, for scores, which need no gradients."""
    return _PLACES - weight_bits(inputs) - ceil_log2(inputs)


@cache
def delta_bits(units: int, inputs: int, samples: int) -> int:
    """Bits of the errors of a layer of `units`, for a minibatch of so many samples."""
    return min(
        _PLACES - weight_bits(inputs) - ceil_log2(units),
        _PLACES - ACTIVATION_BITS - ceil_log2(samples),
    )


def leading_exponent(largest: float) -> int:
    """The least e with |largest| ≤ 2^e; 0 for 0 and for what is not finite."""
    significand, exponent = math.frexp(abs(largest))
    return exponent - (significand == 0.5)


def round_weights(weights: NDArray[np.float32]) -> Array:
    """Weights of a layer, (units, inputs), as a float64 operand: rounded to `weight_bits`."""
    largest = max(float(weights.max()), -float(weights.min()))
    shift = shifter(leading_exponent(largest) - weight_bits(weights.shape[1]))
    rounded = weights.astype(np.float64, order="C")
    rounded += shift
    rounded -= shift
    return rounded


def round_rows(x: Array, bits: int) -> None:
    """Round each row of (n, k) `x` in place to so many bits of its own largest element."""
    largest = np.maximum(x.max(axis=1, initial=0.0), -x.min(axis=1, initial=0.0))
    significands, exponents = np.frexp(largest)
    shifts = np.ldexp(1.5, 52 - bits + exponents - (significands == 0.5))[:, None]
    x += shifts
    x -= shifts
