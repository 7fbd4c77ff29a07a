"""The function that turns a unit's weighted input `z` into its activation `a`, and its derivative.

| name | a | derivative, from the stored a |
|---|---|---|
| sigmoid | σ(z) = 1 / (1 + e⁻ᶻ) | a·(1 - a) (Nielsen, chapter 1) |
| tanh | (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) | 1 - a² (LeCun et al. 1998, "Efficient BackProp", §4.4) |
| relu | max(0, z) | 1 where a > 0, else 0 (Glorot, Bordes & Bengio 2011) |

Derivatives are worked out from the activation that the forward pass stored, never again from `z`.
Everything works in place, on float arrays of any shape.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.blas import Array

# An array is half as much work for NumPy as a Python float, which has to be turned into one.
_HALF, _ONE = np.array(0.5, np.float32), np.array(1.0, np.float32)


class Unit(NamedTuple):
    """The function of a layer's units.

    Attributes:
        input_scale: What `apply` wants the weighted inputs multiplied by. (The matrix product that
            makes them can do that at no cost.)
        apply: Replaces `input_scale`·z, (n, units), by a, and returns it.
    """

    input_scale: float
    apply: Callable[[Array], Array]


class Activation(NamedTuple):
    """A hidden unit's function and its derivative.

    Attributes:
        unit: The function.
        multiply_by_derivative: `(delta, a, scratch)`: multiplies `delta` by the derivative at `a`;
            `scratch` has the same shape and dtype, and is overwritten.
        gain: What Glorot's initialization multiplies its range by, so that signals neither fade nor
            grow from layer to layer (Glorot & Bengio 2010, §4.2.1, 4 for the sigmoid; He et al.
            2015, √2 for ReLU).
    """

    unit: Unit
    multiply_by_derivative: Callable[[Array, Array, Array], None]
    gain: float


def _sigmoid(half_z: Array) -> Array:
    # σ(z) = ½·tanh(½z) + ½ is the same function; unlike 1 / (1 + e⁻ᶻ) it cannot overflow, and it
    # needs no second array.
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
    """Replace each row of `z`, (n, classes), by eᶻ / Σ eᶻ, and return it.

    Only an output layer uses it, and its derivative is part of the loss (see `losses`).
    """
    z -= z.max(axis=1, keepdims=True)  # the same function, and eᶻ cannot overflow
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


SIGMOID = Unit(0.5, _sigmoid)
SOFTMAX = Unit(1.0, _softmax)

ACTIVATIONS = {
    "sigmoid": Activation(SIGMOID, _multiply_by_sigmoid_derivative, gain=4.0),
    "tanh": Activation(Unit(1.0, _tanh), _multiply_by_tanh_derivative, gain=1.0),
    "relu": Activation(Unit(1.0, _relu), _multiply_by_relu_derivative, gain=2.0**0.5),
}
