"""Loss functions, and the error `delta` of the output layer that belongs to each.

For outputs a, targets y and classes k, the loss of one sample and δ = ∂C/∂z at the output:

| name | outputs | C | δ |
|---|---|---|---|
| quadratic | sigmoid | ½ Σₖ (aₖ - yₖ)² | (a - y)·a·(1 - a) |
| cross_entropy | sigmoid | -Σₖ yₖ ln aₖ + (1 - yₖ) ln(1 - aₖ) | a - y |
| softmax_cross_entropy | softmax | -Σₖ yₖ ln aₖ | a - y, if Σₖ yₖ = 1 |

The quadratic cost is Nielsen's chapter 1, equation 6; its δ is ∂C/∂a = a - y times σ'(z) (chapter
2, BP1). That factor is close to 0 for an output that is far from its target, which slows learning
down. The cross-entropies cancel it: for the sigmoid ∂C/∂a = (a - y) / (a·(1 - a)), so times σ'(z)
only a - y remains (chapter 3, equations 57 to 61); for the softmax ∂aⱼ/∂zₖ = aⱼ·([j = k] - aₖ), so
δₖ = aₖ·Σⱼ yⱼ - yₖ (Bishop 1995, §6.9).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.activations import SIGMOID, SOFTMAX, Activation, Array
from nn.exact.portable import log, ordered_sum


class Loss(NamedTuple):
    """A loss function and the output units that it is used with.

    Attributes:
        output: The activation function of the output layer.
        of_samples: Function of `(outputs, targets)`, both (n, classes), that returns the loss of
            each sample, float64 (n,), with the same result on every processor.
        cancels: Whether ∂C/∂a cancels σ'(z), so that δ is a - y.
    """

    output: Activation
    of_samples: Callable[[Array, Array], Array]
    cancels: bool

    def error(self, outputs: Array, targets: Array) -> Array:
        """δ = ∂C/∂z of the output layer (BP1); all arrays are (m, classes)."""
        difference = outputs - targets
        return difference if self.cancels else difference * self.output.derivative(outputs)


def quadratic(outputs: Array, targets: Array) -> Array:
    """½ Σₖ (aₖ - yₖ)² of each sample, (n,); `outputs` and `targets` are (n, classes)."""
    errors = outputs.astype(np.float64) - targets
    return 0.5 * ordered_sum(errors * errors)


def cross_entropy(outputs: Array, targets: Array) -> Array:
    """-Σₖ yₖ ln aₖ + (1 - yₖ) ln(1 - aₖ) of each sample, (n,)."""
    a = outputs.astype(np.float64)
    return -ordered_sum(targets * _log(a) + (1.0 - targets) * _log(1.0 - a))


def softmax_cross_entropy(outputs: Array, targets: Array) -> Array:
    """-Σₖ yₖ ln aₖ of each sample, (n,)."""
    return -ordered_sum(targets * _log(outputs.astype(np.float64)))


def _log(values: Array) -> Array:
    # An output may round to 0; the smallest normal float32 keeps the loss finite.
    return log(np.maximum(values, np.finfo(np.float32).tiny))


LOSSES = {
    "quadratic": Loss(SIGMOID, quadratic, cancels=False),
    "cross_entropy": Loss(SIGMOID, cross_entropy, cancels=True),
    "softmax_cross_entropy": Loss(SOFTMAX, softmax_cross_entropy, cancels=True),
}
