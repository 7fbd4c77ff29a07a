"""The rules by which optimizers update weights, as formulas of numbers or of arrays.

`w` are weights or biases, `g` is the sum of their gradients over a minibatch, and `v` and `q` are
the state of the optimizer. Each returns the new w, and the new v and q if it has them.
`nn.operations` applies them to whole arrays, and `nn.compiled.updates` to one number after another.
"""

from typing import Any

import numpy as np


def sgd(w: Any, g: Any, step: Any, keep: Any) -> Any:
    """Plain gradient descent, with step = -η/m."""
    return w * keep + g * step


def momentum(w: Any, g: Any, v: Any, mu: Any, step: Any, penalty: Any, keep: Any) -> Any:
    """v ← μv - ηg, W ← W + v."""
    v = (v * mu + g * step) - w * penalty
    return w * keep + v, v


def nesterov(w: Any, g: Any, v: Any, mu: Any, more: Any, step: Any, penalty: Any, keep: Any) -> Any:
    """v ← μv - ηg, W ← W + μv - ηg, which is W - μ·(old v) + (1 + μ)·v, with more = 1 + μ."""
    old = v * mu
    v = (old + g * step) - w * penalty
    return (w * keep - old) + v * more, v


def adam(
    w: Any, g: Any, v: Any, q: Any, part: Any, l2: Any, beta1: Any, beta2: Any, epsilon: Any,
    factor: Any, keep: Any,
) -> Any:  # fmt: skip
    """v ← β₁v + g, q ← β₂q + g², W ← W - factor·v / (√q + ε); part is 1/m."""
    gradient = g * part + w * l2
    v = v * beta1 + gradient
    q = q * beta2 + gradient * gradient
    return w * keep - v / (np.sqrt(q) + epsilon) * factor, v, q


def average(mean: Any, w: Any, part: Any) -> Any:
    """Exponential moving average, with part = 1 - μ."""
    return mean + (w - mean) * part
