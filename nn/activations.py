"""Activation functions, which compute the activation `a` from the weighted input `z`.

| name | a | derivative, computed from a |
|---|---|---|
| sigmoid | σ(z) = 1 / (1 + e⁻ᶻ) | a·(1 - a) (Nielsen, chapter 1) |
| tanh | (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) | 1 - a² (LeCun et al. 1998, "Efficient BackProp", §4.4) |
| relu | max(0, z) | 1 where a > 0, else 0 (Glorot, Bordes & Bengio 2011) |

`softmax`, eᶻ / Σ eᶻ of each row, is for output layers only; its derivative is part of the loss (see
`losses`). The derivatives are computed from the stored activations; `z` is not kept.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# float32 or float64.
Array = NDArray[Any]


class Activation(NamedTuple):
    """An activation function.

    Attributes:
        name: Its name.
        apply: Function from z to a, both (m, units).
        derivative: Function from a to σ'(z), both (m, units).
        gain: Factor of the range of Glorot initialization, which keeps the variance of the signals
            about equal in all layers (4 for the sigmoid: Glorot & Bengio 2010, §4.2.1; √2 for ReLU:
            He et al. 2015, "Delving Deep into Rectifiers", §2.2).
    """

    name: str
    apply: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    gain: float


def sigmoid(z: Array) -> Array:
    """1 / (1 + e⁻ᶻ), as ½·tanh(½z) + ½, which cannot overflow."""
    return np.tanh(z * 0.5) * 0.5 + 0.5


def softmax(z: Array) -> Array:
    """eᶻ / Σ eᶻ of each row of `z`, (m, classes)."""
    e = np.exp(z - z.max(axis=1, keepdims=True))  # the maximum prevents overflow
    return e / e.sum(axis=1, keepdims=True)


SIGMOID = Activation("sigmoid", sigmoid, lambda a: a * (1 - a), gain=4.0)
SOFTMAX = Activation("softmax", softmax, np.ones_like, gain=1.0)  # its loss has the derivative

ACTIVATIONS = {
    "sigmoid": SIGMOID,
    "tanh": Activation("tanh", np.tanh, lambda a: 1 - a * a, gain=1.0),
    "relu": Activation(
        "relu", lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(a.dtype), gain=math.sqrt(2.0)
    ),
}
