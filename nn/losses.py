"""What training minimises, and the error `delta` that it sends back from the output layer.

The quadratic cost of one sample is C = ½ Σₖ (aₖ - yₖ)², half the sum of squared errors (Nielsen,
chapter 1, equation 6). Its error at the output is δ = ∂C/∂z = (a - y)·σ'(z) (chapter 2, BP1).
"""

import numpy as np

from nn.blas import Array


def quadratic(outputs: Array, targets: Array) -> Array:
    """Cost of each sample, (n,); `outputs` and `targets` are (n, classes)."""
    errors = outputs - targets
    return 0.5 * np.einsum("nk,nk->n", errors, errors)
