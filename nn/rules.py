"""The rules by which optimizers update weights, as formulas of numbers or of arrays.

`w` are weights or biases, `g` is the sum of their gradients over a minibatch of m samples, and `v`
and `q` are the state of the optimizer. Each returns the new w, and the new v and q if it has them.
Of the coefficients, `step` is -η/m, `shrink` is 1 - ηλ of weight decay, and `penalty` is ηλ of L2.
`nn.operations` applies the rules to whole arrays, `nn.compiled.updates` to number after number.
"""

from typing import Any

import numpy as np


def sgd(w: Any, g: Any, step: Any, shrink: Any) -> Any:
    """W ← W - ηg."""
    return w * shrink + g * step


def momentum(w: Any, g: Any, v: Any, mu: Any, step: Any, penalty: Any, shrink: Any) -> Any:
    """v ← μv - ηg, W ← W + v."""
    v = (v * mu + g * step) - w * penalty
    return w * shrink + v, v


def nesterov(
    w: Any, g: Any, v: Any, mu: Any, one_plus_mu: Any, step: Any, penalty: Any, shrink: Any
) -> Any:
    """v ← μv - ηg, W ← W + μv - ηg, which is W - μ·(old v) + (1 + μ)·v."""
    old = v * mu
    v = (old + g * step) - w * penalty
    return (w * shrink - old) + v * one_plus_mu, v


def adam(
    w: Any, g: Any, v: Any, q: Any, one_over_m: Any, l2: Any, beta1: Any, beta2: Any, epsilon: Any,
    factor: Any, shrink: Any,
) -> Any:  # fmt: skip
    """v ← β₁v + g, q ← β₂q + g², W ← W - factor·v / (√q + ε), where g is the mean gradient."""
    gradient = g * one_over_m + w * l2
    v = v * beta1 + gradient
    q = q * beta2 + gradient * gradient
    return w * shrink - v / (np.sqrt(q) + epsilon) * factor, v, q


def average(mean: Any, w: Any, share: Any) -> Any:
    """Exponential moving average, with share = 1 - μ."""
    return mean + (w - mean) * share
