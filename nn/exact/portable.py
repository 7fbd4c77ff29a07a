"""Functions whose results are the same bits on every processor and with every math library.

IEEE 754 fixes the result of `+ - * / sqrt` to the last bit, so that NumPy computes them alike
everywhere. It leaves two things open:

- *tanh, exp and log*: math libraries agree to a few units in the last of 53 places only. Here a
  result is rounded to fewer places, where those units do not show. They could show where a result
  lies so close to the middle between two rounded values that the library's error decides which is
  the nearer one; such a result is found, and computed again with 50 decimal digits.
- *sums*: their result depends on the order of the terms, and that order depends on the processor.
  `ordered_sum` fixes it. (Matrix products are made independent of the order: see `exact.grids`.)

Random numbers: `Generator.random`, `integers` and `permutation` use integers and IEEE operations
only. `Generator.standard_normal` uses exp and log; `standard_normal` takes its place.
"""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Significant bits of `exp` and `log`, and the relative error that a math library may make: 16 units
# in the last place, where 1 to 4 are usual.
_BITS, _ERROR = 36, 2.0**-49
# The table of σ: its grid, its places for each unit of z, and where σ has become 0 and 1.
TABLE_BITS, _PER_UNIT, _TABLE_END = 18, 2048, 14
# Rounds to `_BITS` places: see `_round_significand`.
_SPLITTER = 2.0 ** (53 - _BITS) + 1.0


def exp(x: Array) -> Array:
    """eˣ to 36 significant bits; a float64 array of -700 to 690, and about 0 below."""
    return _rounded(np.exp(x), x, lambda value: value.exp())


def log(x: Array) -> Array:
    """Natural logarithm to 36 significant bits; any array of positive float64."""
    return _rounded(np.log(x), x, lambda value: value.ln())


def sigmoid(z: Array) -> Array:
    """1 / (1 + e⁻ᶻ), with a small relative error near 0 and near 1 alike; any array of float64."""
    e = exp(-np.abs(z))
    return np.where(z < 0.0, e, 1.0) / (1.0 + e)


@cache
def sigmoid_table() -> Array:
    """σ at 2048 places per unit from -14 to 14, as multiples of 2^-18; (57345,).

    In the inner loop, the value at the nearest place takes a quarter of the time of σ. The error is
    below 2^-14, which is far less than the noise of a minibatch.
    """
    places = np.arange(-_TABLE_END * _PER_UNIT, _TABLE_END * _PER_UNIT + 1.0)
    return np.rint(sigmoid(places / _PER_UNIT) * 2.0**TABLE_BITS) / 2.0**TABLE_BITS


def tanh(x: Array, bits: int) -> Array:
    """Hyperbolic tangent, rounded to a multiple of 2^-bits; any array of float64."""
    found, shift = np.tanh(x), shifter(-bits)
    rounded = (found + shift) - shift
    doubtful = np.abs(found - rounded) >= 2.0 ** -(bits + 1) - _ERROR
    if doubtful.any():
        rounded[doubtful] = [_precise_tanh(value, bits) for value in x[doubtful].tolist()]
    return rounded


def shifter(exponent: int) -> float:
    """What rounds float64 to multiples of 2^exponent: `x += shift; x -= shift`.

    The sum has so large an exponent that its last place is 2^exponent, and IEEE rounds it to the
    nearest. Right for |x| < 2^(exponent + 51).
    """
    return math.ldexp(1.5, 52 + exponent)


def ordered_sum(x: NDArray) -> NDArray:
    """Sum over the last axis, always in the same order: halves are added until one is left."""
    n = x.shape[-1]
    while n > 1:
        half = (n + 1) // 2
        folded = x[..., :half].copy()
        folded[..., : n - half] += x[..., half:n]
        x, n = folded, half
    return x[..., 0].copy()


def sine(x: Any) -> Any:
    """Sine of a number or an array, |x| ≤ π/2, by its Taylor series; the error is below 2^-50."""
    square = x * x
    series: Any = 0.0
    for n in range(21, 1, -2):
        series = (series + 1.0) * square / -((n - 1.0) * n)
    return x + x * series


def integer_power(base: float, exponent: int) -> float:
    """base^exponent for a whole exponent ≥ 0, by repeated squaring."""
    result = 1.0
    while exponent:
        if exponent % 2:
            result *= base
        base *= base
        exponent //= 2
    return result


def power(base: float, exponent: float) -> float:
    """base^exponent for a base above 0, to 36 significant bits."""
    upper, lower = (_round_significand(base**exponent * (1.0 + e)) for e in (_ERROR, -_ERROR))
    if upper == lower:
        return upper
    with localcontext(prec=50):
        return _significant(Decimal(base) ** Decimal(exponent))


def standard_normal(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Array:
    """Normal variates of mean 0 and variance 1, float64.

    Marsaglia's polar method (Marsaglia & Bray 1964, "A convenient method for generating normal
    variables"): for (u, v) uniform in the unit circle and s = u² + v², u·√(-2 ln s / s) and
    v·√(-2 ln s / s) are independent normal variates.
    """
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    found = np.empty(size + size % 2)
    done = 0
    while done < len(found):
        # u and v are multiples of 2^-26, so s is exact.
        pairs = (len(found) - done) // 2 * 4 // 3 + 8
        u, v = rng.integers(-(2**26), 2**26, (2, pairs)) * 2.0**-26
        s = u * u + v * v
        inside = (s > 0.0) & (s < 1.0)
        u, v, s = u[inside], v[inside], s[inside]
        radius = np.sqrt(-2.0 * log(s) / s)
        part = np.stack([u * radius, v * radius], axis=1).reshape(-1)[: len(found) - done]
        found[done : done + len(part)] = part
        done += len(part)
    return found[:size].reshape(shape)


def _rounded(found: Array, x: Array, exactly: Callable[[Decimal], Decimal]) -> Array:
    """`found`, a library's function of `x`, to `_BITS` places that are right."""
    upper, lower = (_round_significand(found * (1.0 + e)) for e in (_ERROR, -_ERROR))
    doubtful = (upper != lower) & np.isfinite(x)
    if doubtful.any():
        with localcontext(prec=50):
            upper[doubtful] = [
                _significant(exactly(Decimal(value))) for value in x[doubtful].tolist()
            ]
    return upper


def _round_significand(x: Any) -> Any:
    """`x` to `_BITS` significant bits (Veltkamp's splitting: Dekker 1971)."""
    shifted = x * _SPLITTER
    return shifted - (shifted - x)


def _significant(value: Decimal) -> float:
    """A number to `_BITS` significant bits, exactly rounded."""
    if not value:
        return 0.0
    places = _BITS - math.frexp(float(value))[1]
    return math.ldexp(float((value * Decimal(2) ** places).to_integral_value()), -places)


def _precise_tanh(x: float, bits: int) -> float:
    with localcontext(prec=50):
        e = (2 * Decimal(x)).exp()
        return float(((e - 1) / (e + 1) * 2**bits).to_integral_value()) / 2**bits
