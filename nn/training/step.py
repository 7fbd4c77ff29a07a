"""A training step: forward, backward, update."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import operations
from nn.activations import Array
from nn.arithmetic import operations_for
from nn.backpropagation import backward, forward
from nn.exact.grids import ACTIVATION_BITS, output_bits
from nn.layouts import by_inputs, by_units, is_sparse
from nn.network import Network
from nn.optimizers import Optimizer
from nn.regularization import Regularization, limit_norms
from nn.training.augmentation import Augmenter
from nn.training.direct import DirectFirstLayer, resolves
from nn.training.ema import EMA
from nn.training.inputs import Images, Samples, grey_levels
from nn.training.layers import Arithmetic, DenseFirstLayer, DenseLayer, SparseFirstLayer


class TrainingStep:
    """A step of gradient descent on a minibatch.

    Attributes:
        images: Converts images to the form in which the first layer reads them.
    """

    def __init__(
        self,
        network: Network,
        samples: Samples,
        batch_size: int,
        rng: np.random.Generator,
        optimizer: Optimizer,
        *,
        regularization: Regularization,
        augmenter: Augmenter | None,
        ema: EMA | None,
        learning_rate: float,
        exact: bool,
    ) -> None:
        """Choose the kind of the first layer, and allocate memory.

        For the arguments see `training.loop.train_epochs`.
        """
        self._functions = functions = operations_for("exact" if exact else str(network.dtype))
        self._loss, self._optimizer, self._ema = network.loss_function, optimizer, ema
        self._max_norm, dropout = (
            regularization.max_norm,
            regularization.dropout(len(network.weights)),
        )
        sparse = functions is not operations and not dropout[0] and is_sparse(samples.images)
        levels = None
        if optimizer.name == "sgd" and not (
            ema
            or regularization.l2
            or regularization.weight_decay
            or regularization.max_norm
            or regularization.dropout_input
        ):
            # The gradient of the first layer is not needed, nor its weights between steps.
            levels = (
                _levels(network, samples, augmenter, learning_rate / batch_size) if exact else 1
            )

        kind: type[DenseLayer] = DenseFirstLayer
        if levels and (exact or sparse):
            kind = DirectFirstLayer
        elif sparse:
            kind = SparseFirstLayer
        layout = by_inputs if kind is SparseFirstLayer else by_units
        optimizer.lay_out(layout)
        if ema:
            ema.lay_out(layout)
        self.images = Images(functions, sparse=sparse, levels=levels if exact else None)

        bits = [ACTIVATION_BITS] * (len(network.weights) - 1) + [output_bits(network.loss)]
        on_grid = [False] + [network.activation != "relu"] * (len(network.weights) - 1)
        parts = zip(
            network.weights, network.biases, network.units, bits, dropout, on_grid, strict=True
        )
        layers = [
            (DenseLayer if k else kind)(Arithmetic(functions, exact), batch_size, rng, *part)
            for k, part in enumerate(parts)
        ]
        self._direct = layers[0] if isinstance(layers[0], DirectFirstLayer) else None
        if self._direct and levels:
            self._direct.levels = levels
        self._layers = {batch_size: layers}
        if rest := len(samples.targets) % batch_size:
            self._layers[rest] = [layer.with_samples(rest) for layer in layers]
        others = layers[1:] if self._direct else layers
        self._parameters = optimizer.parameters(functions, others, regularization)

    def load(self) -> None:
        """Take the weights from the network."""
        if self._direct:
            self._direct.load()

    def store(self) -> None:
        """Write all weights to the network."""
        if self._direct:
            self._direct.store()

    def __call__(self, samples: Samples, rows: NDArray[np.intp], learning_rate: float) -> Array:
        """Take a step with the chosen samples; the outputs before it, (m, classes)."""
        layers: list[Any] = self._layers[len(rows)]
        outputs = forward(layers, (samples.images, rows))
        backward(layers, layers[-1].output_error(self._loss, samples, rows))
        if self._direct:
            layers[0].descend(learning_rate / len(rows))
        self._optimizer.update(self._parameters, learning_rate, len(rows))
        if self._max_norm:
            for w in self._optimizer.network.weights:
                limit_norms(w, self._max_norm)
        if self._ema:
            self._ema.update(self._functions)
        return outputs


def _levels(
    network: Network, samples: Samples, augmenter: Augmenter | None, rate: float
) -> int | None:
    """L if exact arithmetic can add to the weights of grey levels directly, or None."""
    levels = grey_levels(samples.images, network.pixel_range)
    if levels and augmenter:
        levels = 255  # interpolation gives values between the levels of the images
    return levels if levels and resolves(rate, levels) else None
