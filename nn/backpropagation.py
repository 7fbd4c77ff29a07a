"""The forward pass, and backpropagation.

With one sample per row, layer l computes  zˡ = aˡ⁻¹ @ Wˡ.T + bˡ  and  aˡ = σ(zˡ), and the four
equations of backpropagation (Nielsen, chapter 2) are (⊙ multiplies element by element)

    BP1   δᴸ = ∂C/∂aᴸ ⊙ σ'(zᴸ)              (see `losses`)
    BP2   δˡ = (δˡ⁺¹ @ Wˡ⁺¹) ⊙ σ'(zˡ)
    BP3   ∂C/∂bˡ = Σ δˡ, the sum over the samples
    BP4   ∂C/∂Wˡ = δˡ.T @ aˡ⁻¹

for the sum of the samples' losses. `forward` and `backward` are what training, evaluation and
prediction run. A layer does the arithmetic: `Layer` in plain NumPy; those of `training.layers` and
`scores` with compiled functions, and in exact arithmetic without rounding errors.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nn.activations import Activation, Array

if TYPE_CHECKING:
    from nn.network import Network


class Layer:
    """A layer in plain NumPy.

    Attributes:
        w, b: Weights, (units, inputs), and biases, (units,).
        x: Its inputs in the last forward pass, (m, inputs).
        a: Its outputs in the last forward pass, (m, units).
        of_weights, of_biases: Gradients in the last backward pass, summed over the samples.
    """

    x: Array
    a: Array
    of_weights: Array
    of_biases: Array

    def __init__(self, w: Array, b: Array, activation: Activation) -> None:
        """Keep the parameters, and the activation function of the units."""
        self.w, self.b, self.activation = w, b, activation

    def affine(self, x: Array) -> Array:
        """The weighted inputs z, (m, units)."""
        self.x = x
        return x @ self.w.T + self.b

    def activate(self, z: Array) -> Array:
        """The activations σ(z)."""
        self.a = self.activation.apply(z)
        return self.a

    def differentiate(self, delta: Array) -> None:
        """Compute the gradients from the errors ∂C/∂z (BP3 and BP4)."""
        self.of_biases = delta.sum(axis=0)
        self.of_weights = delta.T @ self.x

    def propagate(self, delta: Array) -> Array:
        """∂C/∂a of the layer below, from the errors ∂C/∂z of this one."""
        return delta @ self.w

    def error(self, of_outputs: Array) -> Array:
        """∂C/∂z, from ∂C/∂a."""
        return of_outputs * self.activation.derivative(self.a)


def forward(layers: Sequence[Any], x: Any) -> Array:
    """Outputs of the last layer for the inputs `x` of the first, one sample per row."""
    for layer in layers:
        z = layer.affine(x)
        x = layer.activate(z)
    return x


def backward(layers: Sequence[Any], delta: Array) -> None:
    """Compute the gradients of all layers from the errors of the last one (BP1)."""
    for k in range(len(layers) - 1, 0, -1):
        layers[k].differentiate(delta)  # BP3 and BP4
        delta = layers[k - 1].error(layers[k].propagate(delta))  # BP2
    layers[0].differentiate(delta)


def plain_layers(network: "Network") -> list[Layer]:
    """The layers of a network, in plain NumPy."""
    parts = zip(network.weights, network.biases, network.units, strict=True)
    return [Layer(w, b, activation) for w, b, activation in parts]


def gradients(network: "Network", images: Array, targets: Array) -> tuple[list, list]:
    """Gradients of the mean loss, in plain NumPy: of the weights and of the biases of each layer.

    `images`, (m, d), and one-hot `targets`, (m, classes), have the network's dtype.
    """
    layers, m = plain_layers(network), len(images)
    outputs = forward(layers, images)
    backward(layers, network.loss_function.error(outputs, targets))
    return [layer.of_weights / m for layer in layers], [layer.of_biases / m for layer in layers]
