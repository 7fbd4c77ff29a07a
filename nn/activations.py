"""The function that turns a unit's weighted input `z` into its activation `a`, and its derivative.

The logistic sigmoid is σ(z) = 1 / (1 + e⁻ᶻ), with σ'(z) = σ(z)·(1 - σ(z)) (Nielsen, chapter 1).
The derivative is worked out from the activation that the forward pass stored, never again from `z`.
"""

import numpy as np

from nn.blas import Array


def sigmoid(z: Array) -> Array:
    """Replace `z` (any shape, float) by σ(z), and return it.

    σ(z) = ½·tanh(½z) + ½ is the same function; unlike 1 / (1 + e⁻ᶻ) it cannot overflow, and it
    needs no second array.
    """
    z *= 0.5
    np.tanh(z, out=z)
    z *= 0.5
    z += 0.5
    return z


def multiply_by_sigmoid_derivative(delta: Array, activation: Array, scratch: Array) -> None:
    """`delta` ← `delta` · σ'(z), with σ'(z) = a·(1 - a) from the stored activation `a`.

    All three arrays have the same shape and dtype; `scratch` is overwritten.
    """
    np.subtract(1.0, activation, out=scratch)
    scratch *= activation
    delta *= scratch
