"""Activation functions, which compute the activation `a` from the weighted input `z`.

| name | a | derivative, computed from a |
|---|---|---|
| sigmoid | σ(z) = 1 / (1 + e⁻ᶻ) | a·(1 - a) (Nielsen, chapter 1) |
| tanh | (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) | 1 - a² (LeCun et al. 1998, "Efficient BackProp", §4.4) |
| relu | max(0, z) | 1 where a > 0, else 0 (Glorot, Bordes & Bengio 2011) |

The derivatives are computed from the stored activations; `z` is not kept. All functions work in
place.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn.blas import Array
from nn.exact.portable import TABLE_BITS, bind_sigmoid_table, bind_tanh, exp, ordered_sum

# Arrays, because NumPy converts a Python float to an array in each call, which for the small arrays
# of a training step takes as long as the arithmetic.
_HALF, _ONE = np.array(0.5, np.float32), np.array(1.0, np.float32)


class Unit(NamedTuple):
    """The activation function of a layer.

    Attributes:
        input_scale: Factor of the argument of `apply`. (BLAS multiplies a matrix product by a
            factor at no cost.)
        apply: Function that takes `input_scale`·z, (n, units), replaces it by a and returns it.
        bind_exact: Function of `(z, bits)` that prepares the same for one float64 array, with the
            same result on every processor; sigmoid and tanh are rounded to multiples of 2^-bits.
    """

    input_scale: float
    apply: Callable[[Array], Array]
    bind_exact: Callable[[NDArray[np.float64], int], Callable[[], object]]


class Activation(NamedTuple):
    """An activation function of hidden layers, with its derivative.

    Attributes:
        unit: The activation function.
        multiply_by_derivative: Function of `(delta, a, scratch)`, all of the same shape and dtype,
            that multiplies `delta` by the derivative at `a` and overwrites `scratch`.
        gain: Factor of the range of Glorot initialization, which keeps the variance of the signals
            about equal in all layers (4 for the sigmoid: Glorot & Bengio 2010, §4.2.1; √2 for ReLU:
            He et al. 2015, "Delving Deep into Rectifiers", §2.2).
    """

    unit: Unit
    multiply_by_derivative: Callable[[Array, Array, Array], None]
    gain: float


def _sigmoid(half_z: Array) -> Array:
    # σ(z) = ½·tanh(½z) + ½; unlike 1 / (1 + e⁻ᶻ) it cannot overflow and needs no second array.
    np.tanh(half_z, out=half_z)
    half_z *= _HALF
    half_z += _HALF
    return half_z


def _multiply_by_sigmoid_derivative(delta: Array, a: Array, scratch: Array) -> None:
    np.subtract(_ONE, a, out=scratch)
    scratch *= a
    delta *= scratch


def _tanh(z: Array) -> Array:
    return np.tanh(z, out=z)


def _multiply_by_tanh_derivative(delta: Array, a: Array, scratch: Array) -> None:
    np.multiply(a, a, out=scratch)
    np.subtract(_ONE, scratch, out=scratch)
    delta *= scratch


def _relu(z: Array) -> Array:
    return np.maximum(z, 0.0, out=z)


def _multiply_by_relu_derivative(delta: Array, a: Array, scratch: Array) -> None:
    np.greater(a, 0.0, out=scratch)
    delta *= scratch


def _softmax(z: Array) -> Array:
    """Replace each row of `z`, (n, classes), by eᶻ / Σ eᶻ and return it.

    For output layers only; its derivative is part of the loss (see `losses`).
    """
    z -= z.max(axis=1, keepdims=True)  # does not change the result and prevents overflow
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


def _bind_exact_sigmoid(half_z: NDArray[np.float64], bits: int) -> Callable[[], None]:
    if bits <= TABLE_BITS:
        return bind_sigmoid_table(half_z)
    tanh = bind_tanh(half_z, bits - 1)

    def sigmoid() -> None:
        tanh()
        np.multiply(half_z, _HALF, out=half_z)
        np.add(half_z, _HALF, out=half_z)

    return sigmoid


def _bind_exact_softmax(z: NDArray[np.float64], bits: int) -> Callable[[], None]:  # noqa: ARG001
    return lambda: np.copyto(z, exact_softmax(z))


def _bind_exact_relu(z: NDArray[np.float64], bits: int) -> Callable[[], object]:  # noqa: ARG001
    return partial(_relu, z)


def exact_softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """eᶻ / Σ eᶻ of each row of (n, classes) `z`, with the same result on every processor."""
    e = exp(z - z.max(axis=1, keepdims=True))
    return e / ordered_sum(e)[:, None]


SIGMOID = Unit(0.5, _sigmoid, _bind_exact_sigmoid)
SOFTMAX = Unit(1.0, _softmax, _bind_exact_softmax)

ACTIVATIONS = {
    "sigmoid": Activation(SIGMOID, _multiply_by_sigmoid_derivative, gain=4.0),
    "tanh": Activation(Unit(1.0, _tanh, bind_tanh), _multiply_by_tanh_derivative, gain=1.0),
    "relu": Activation(
        Unit(1.0, _relu, _bind_exact_relu), _multiply_by_relu_derivative, gain=math.sqrt(2.0)
    ),
}
