"""What training minimises, and the error `delta` that it sends back from the output layer.

For outputs a, targets y and classes k, the loss of one sample and δ = ∂C/∂z at the output:

| name | outputs | C | δ |
|---|---|---|---|
| quadratic | sigmoid | ½ Σₖ (aₖ - yₖ)² | (a - y)·a·(1 - a) |
| cross_entropy | sigmoid | -Σₖ yₖ ln aₖ + (1 - yₖ) ln(1 - aₖ) | a - y |
| softmax_cross_entropy | softmax | -Σₖ yₖ ln aₖ | a - y, if Σₖ yₖ = 1 |

The quadratic cost is Nielsen's chapter 1, equation 6; its δ is ∂C/∂a = a - y times σ'(z) (chapter
2, BP1). That factor makes an output learn slowest when it is most wrong. The cross-entropies cancel
it: for the sigmoid ∂C/∂a = (a - y) / (a·(1 - a)), so times σ'(z) only a - y remains (chapter 3,
equations 57 to 61); for the softmax ∂aⱼ/∂zₖ = aⱼ·([j = k] - aₖ), so δₖ = aₖ·Σⱼ yⱼ - yₖ (Bishop
1995, §6.9).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.activations import ACTIVATIONS, SIGMOID, SOFTMAX, Unit
from nn.blas import Array


class Loss(NamedTuple):
    """A loss, with the outputs that belong to it.

    Attributes:
        output: The function of the output layer's units.
        of_samples: `(outputs, targets)`, both (n, classes): the loss of each sample, (n,).
        output_delta: `(outputs, targets, delta, scratch)`, all (n, classes): fills `delta` with
            ∂C/∂z, overwrites `scratch`.
        gain: See `activations.Activation`.
    """

    output: Unit
    of_samples: Callable[[Array, Array], Array]
    output_delta: Callable[[Array, Array, Array, Array], None]
    gain: float


def quadratic(outputs: Array, targets: Array) -> Array:
    """½ Σₖ (aₖ - yₖ)² of each sample, (n,); `outputs` and `targets` are (n, classes)."""
    errors = outputs - targets
    return 0.5 * np.einsum("nk,nk->n", errors, errors)


def cross_entropy(outputs: Array, targets: Array) -> Array:
    """-Σₖ yₖ ln aₖ + (1 - yₖ) ln(1 - aₖ) of each sample, (n,)."""
    return -np.sum(targets * _log(outputs) + (1.0 - targets) * _log(1.0 - outputs), axis=1)


def softmax_cross_entropy(outputs: Array, targets: Array) -> Array:
    """-Σₖ yₖ ln aₖ of each sample, (n,)."""
    return -np.sum(targets * _log(outputs), axis=1)


def smooth(targets: Array, amount: float) -> Array:
    """Replace targets y, (n, classes), by (1 - ε)·y + ε/classes with ε = `amount`, and return them.

    Label smoothing: a network that is asked to be a little unsure does not drive its weights to
    extremes (Szegedy et al. 2016, "Rethinking the Inception Architecture", §7).
    """
    targets *= 1.0 - amount
    targets += amount / targets.shape[1]
    return targets


def _log(values: Array) -> Array:
    # An output may round to 0; the smallest normal number keeps its loss finite.
    return np.log(np.maximum(values, np.finfo(values.dtype).tiny))


def _difference_times_derivative(
    outputs: Array, targets: Array, delta: Array, scratch: Array
) -> None:
    np.subtract(outputs, targets, out=delta)
    ACTIVATIONS["sigmoid"].multiply_by_derivative(delta, outputs, scratch)


def _difference(outputs: Array, targets: Array, delta: Array, scratch: Array) -> None:  # noqa: ARG001
    np.subtract(outputs, targets, out=delta)


LOSSES = {
    "quadratic": Loss(SIGMOID, quadratic, _difference_times_derivative, gain=4.0),
    "cross_entropy": Loss(SIGMOID, cross_entropy, _difference, gain=4.0),
    "softmax_cross_entropy": Loss(SOFTMAX, softmax_cross_entropy, _difference, gain=1.0),
}
