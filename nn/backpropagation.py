"""Backpropagation for a minibatch, in plain NumPy.

With one sample per row, the four equations of Nielsen's chapter 2 are (⊙ is elementwise):

    BP1   δᴸ = ∂C/∂aᴸ ⊙ σ'(zᴸ)              (see `losses`)
    BP2   δˡ = (δˡ⁺¹ @ Wˡ⁺¹) ⊙ σ'(zˡ)
    BP3   ∂C/∂bˡ = mean over the samples of δˡ
    BP4   ∂C/∂Wˡ = δˡ.T @ aˡ⁻¹ / m

Tests compare these gradients with numerical ones. Training uses `training_step.TrainingStep`, which
computes the same in preallocated arrays; a test compares it with this module.
"""

import numpy as np

from nn.activations import ACTIVATIONS
from nn.blas import Array
from nn.losses import LOSSES
from nn.network import Network


def gradients(network: Network, images: Array, targets: Array) -> tuple[list[Array], list[Array]]:
    """Gradient of the mean loss with respect to all weights and biases.

    Args:
        network: The network; it is not changed.
        images: (m, d), of the network's dtype.
        targets: (m, classes), one-hot, of the network's dtype.

    Returns:
        Gradients of the weights and of the biases, one array per layer.
    """
    activations = [images]
    for w, b, unit in zip(network.weights, network.biases, network.units, strict=True):
        z = activations[-1] @ w.T + b
        activations.append(unit.apply(unit.input_scale * z))

    m = len(images)
    weight_gradients: list[Array] = []
    bias_gradients: list[Array] = []
    delta = np.empty_like(activations[-1])
    LOSSES[network.loss].output_delta(activations[-1], targets, delta, np.empty_like(delta))
    for layer in reversed(range(len(network.weights))):
        weight_gradients.insert(0, delta.T @ activations[layer] / m)
        bias_gradients.insert(0, delta.mean(axis=0))
        if layer > 0:
            delta = delta @ network.weights[layer]
            derivative = ACTIVATIONS[network.activation].multiply_by_derivative
            derivative(delta, activations[layer], np.empty_like(delta))
    return weight_gradients, bias_gradients
