"""Activation functions, errors, and rounding to grids.

`_exp` is made of IEEE operations in a fixed order: it gives the same on every processor, and LLVM
computes it for several numbers at a time. Its relative error is below 2^-51. Results that it is not
precise enough to round are counted, and `nn.operations` computes them with more digits.
"""

import math

import numpy as np
from numba import njit

from nn.compiled.compiler import compiled

_LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first has few digits, so that its multiples are exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_MIDDLE = 1.5 * 2.0**52
# 1/k!, of the Taylor series.
_C2, _C3, _C4, _C5, _C6, _C7 = (1.0 / math.factorial(k) for k in range(2, 8))
_C8, _C9, _C10, _C11, _C12, _C13 = (1.0 / math.factorial(k) for k in range(8, 14))
# Error of a function that is allowed for, absolute and relative.
_ERROR = 2.0**-49
# Rounds to 36 significant bits (Veltkamp's splitting: Dekker 1971).
_SPLITTER = 2.0**17 + 1.0

inline = njit(error_model="numpy")


@inline
def _exp(x):
    """e^x for x ≤ 708, and e^-708 below -708: 2^k · e^r with |r| ≤ ½ ln 2."""
    x = -708.0 if x < -708.0 else x
    shifted = x * _LOG2_E + _MIDDLE
    k = shifted - _MIDDLE
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    e = ((((_C13 * r + _C12) * r + _C11) * r + _C10) * r + _C9) * r + _C8
    e = (((((e * r + _C7) * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _C2
    # The last bits of `shifted` are those of k, which becomes the exponent of 2^k.
    power = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    return ((e * r + 1.0) * r + 1.0) * power


@inline
def _sigmoid(z):
    e = _exp(-abs(z))
    return (1.0 if z >= 0.0 else e) / (1.0 + e)


@inline
def magnitude(x):
    """|x| as an integer: numbers and these integers have the same order."""
    return np.float64(x).view(np.int64) & np.int64(0x7FFFFFFFFFFFFFFF)


@inline
def top(x):
    """The largest `magnitude` of (n,) numbers."""
    found = np.int64(0)
    for k in range(len(x)):
        found = max(found, magnitude(x[k]))
    return found


@inline
def rounding_shift(largest, bits):
    """What rounds to so many bits of the number with this `magnitude`; see `nn.exact.portable`."""
    significand, exponent = math.frexp(np.int64(largest).view(np.float64))
    return math.ldexp(1.5, 52 + exponent - (significand == 0.5) - bits)


@inline
def _split(x):
    shifted = x * _SPLITTER
    return shifted - (shifted - x)


@compiled("T[:,::1], T[::1], T[:,::1]")
def lookup(z, table, a):
    """a ← σ(z), looked up at the nearest of 2048 places per unit; see `nn.exact.portable`."""
    last = len(table) - 1
    per_unit, middle = z.dtype.type(2048), z.dtype.type(last // 2 + 0.5)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            place = z[i, j] * per_unit + middle
            # Comparisons with nan are false.
            a[i, j] = table[last if place >= last else int(place) if place >= 0 else 0]


@inline
def _curve(z, scale, bits, a):
    """a ← scale·σ(scale·z) - (scale - 1): σ for a scale of 1, and the hyperbolic tangent for 2."""
    shift = math.ldexp(1.5, 52 - bits) if bits else 0.0
    limit = math.ldexp(0.5, -bits) - _ERROR
    doubtful = 0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            found = scale * _sigmoid(scale * np.float64(z[i, j])) - (scale - 1.0)
            rounded = (found + shift) - shift
            doubtful += np.int64(abs(found - rounded) >= limit)
            a[i, j] = rounded
    return doubtful


@compiled("T[:,::1], i8, T[:,::1]")
def sigmoid(z, bits, a):
    """a ← σ(z), to multiples of 2^-bits unless bits is 0; returns how many are doubtful."""
    return _curve(z, 1.0, bits, a)


@compiled("T[:,::1], i8, T[:,::1]")
def tanh(z, bits, a):
    """a ← the hyperbolic tangent of z, rounded as by `sigmoid`."""
    return _curve(z, 2.0, bits, a)


@compiled("T[:,::1], i8, T[:,::1]")
def softmax(z, bits, a):
    """a ← e^z / Σ e^z of each row; e^z to 36 significant bits unless bits is 0, as in `sigmoid`."""
    e, doubtful = np.empty(a.shape[1]), 0
    for i in range(len(z)):
        top = z[i, : len(e)].max()
        for j in range(len(e)):
            found = _exp(np.float64(z[i, j]) - np.float64(top))
            if bits:
                rounded = _split(found * (1.0 + _ERROR))
                doubtful += np.int64(rounded != _split(found * (1.0 - _ERROR)))
                found = rounded
            e[j] = a[i, j] = found
        # Halves are added until one number is left, as in `nn.exact.portable.ordered_sum`.
        n = len(e)
        while n > 1:
            half = (n + 1) // 2
            for j in range(n - half):
                e[j] += e[half + j]
            n = half
        for j in range(len(e)):
            a[i, j] /= e[0]
    return doubtful


@compiled("T[:,::1], T[:,::1]")
def sigmoid_scores(z, a):
    """a ← σ(z) with e^-|z| to 36 significant bits; returns how many are doubtful."""
    doubtful = 0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            found = _exp(-abs(z[i, j]))
            e = _split(found * (1.0 + _ERROR))
            doubtful += np.int64(e != _split(found * (1.0 - _ERROR)))
            a[i, j] = (e if z[i, j] < 0.0 else 1.0) / (1.0 + e)
    return doubtful


@compiled("T[:,::1], T[:,::1]")
def times_sigmoid_derivative(delta, a):
    """delta ← delta ⊙ a·(1 - a)."""
    one = a.dtype.type(1)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            delta[i, j] *= (one - a[i, j]) * a[i, j]


@compiled("W[::1], W[::1]")
def equal(x, y):
    """Whether all numbers of x and y are equal."""
    different = 0
    for k in range(len(x)):
        different += np.int64(x[k] != y[k])
    return different == 0


@compiled("R[:,::1], R, R")
def count_outside(x, low, high):
    """How many numbers of x are not finite or not from low to high."""
    inside = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            v = x[i, j]
            inside += np.int64((v >= low) & (v <= high) & (abs(v) < np.inf))
    return x.size - inside


@compiled("R[:,::1]")
def largest(x):
    """max |x|."""
    return np.int64(top(x.reshape(-1))).view(np.float64)


@compiled("R[:,::1], i8, T[:,::1]")
def round_to(x, bits, out):
    """out ← x, rounded to so many bits of its largest element; see `nn.exact.grids`."""
    numbers, rounded = x.reshape(-1), out.reshape(-1)
    shift = rounding_shift(top(numbers), bits)
    for k in range(len(numbers)):
        rounded[k] = (numbers[k] + shift) - shift


@compiled("R[:,::1], T, T, T[:,::1]")
def scale_to_grid(x, factor, shift, out):
    """out ← factor·x, rounded by the shift; returns the largest |element|."""
    found = np.int64(0)
    for i in range(len(x)):
        for j in range(x.shape[1]):
            out[i, j] = ((x[i, j] * factor) + shift) - shift
            found = max(found, magnitude(out[i, j]))
    return np.int64(found).view(np.float64)
