"""A training step: forward, backward, update."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import operations
from nn.activations import Array
from nn.arithmetic import operations_for
from nn.backpropagation import backward, forward
from nn.exact.grids import ACTIVATION_BITS, output_bits
from nn.layouts import by_inputs, by_units, is_sparse, lay_out
from nn.network import Network
from nn.optimizers import Optimizer
from nn.regularization import Regularization, limit_norms
from nn.training.augmentation import Augmenter
from nn.training.direct import DirectLayer, resolves
from nn.training.ema import EMA
from nn.training.inputs import Samples, are_grey, convert_images
from nn.training.layers import DenseLayer, Minibatch, SparseLayer
from nn.training.team import Team


class TrainingStep:
    """A step of gradient descent on a minibatch; `convert` converts images for the first layer."""

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        rng: np.random.Generator,
        optimizer: Optimizer,
        regularization: Regularization,
        augmenter: Augmenter | None,
        ema: EMA | None,
        learning_rate: float,
        exact: bool,
        team: Team,
    ) -> None:
        """Choose the kind of the first layer; for the arguments see `loop.train_epochs`."""
        network = optimizer.network
        functions = operations_for("exact" if exact else str(network.dtype))
        self._functions, self._optimizer, self._ema = functions, optimizer, ema
        self._loss, self._max_norm = network.loss_function, regularization.max_norm
        self._dtype = np.dtype(np.float64) if exact else network.dtype
        is_dense = (
            functions is operations
            or regularization.dropout_input > 0
            or not is_sparse(samples.images)
        )
        self._sparse = not team.largest(is_dense)
        levels = 0
        # Otherwise the gradient of the first layer is needed, or its weights between steps.
        if optimizer.name == "sgd" and not (ema or regularization.of_inputs):
            rate = learning_rate / batch_size
            levels = _levels(network, samples, augmenter, rate, team) if exact else 1
        kind: type[DenseLayer] = SparseLayer if self._sparse else DenseLayer
        if levels and (exact or self._sparse):
            kind = DirectLayer
        self.convert = partial(
            convert_images, functions=functions, sparse=self._sparse, levels=levels if exact else 0
        )

        self._minibatch = Minibatch(batch_size, slice(None), team, rng)
        arrays = [network.weights, network.biases, optimizer.velocities, optimizer.squares]
        for group in arrays + ([ema.network.weights, ema.network.biases] if ema else []):
            lay_out(group, by_inputs if kind is SparseLayer else by_units)
        hidden = len(network.weights) - 1
        parts = zip(
            network.weights,
            network.biases,
            network.units,
            [ACTIVATION_BITS] * hidden + [output_bits(network.loss)],
            [regularization.dropout_input] + [regularization.dropout_hidden] * hidden,
            [False] + [network.activation != "relu"] * hidden,  # whether inputs are on their grid
            strict=True,
        )
        self._layers: list[Any] = [
            (DenseLayer if k else kind)(functions, exact, self._minibatch, *part)
            for k, part in enumerate(parts)
        ]
        self._rows = batch_size  # for which the layers have memory now
        self._direct = self._layers[0] if kind is DirectLayer else None
        if self._direct:
            self._direct.levels = levels
        others = self._layers[1:] if self._direct else self._layers
        self._parameters = optimizer.parameters(functions, others, regularization)
        self._gradients = [g for layer in self._layers for g in (layer.of_weights, layer.of_biases)]

    def load(self) -> None:
        """Take the weights from the network."""
        if self._direct:
            self._direct.load()

    def store(self) -> None:
        """Write all weights to the network."""
        if self._direct:
            self._direct.store()

    def __call__(
        self,
        samples: Samples,
        rows: NDArray[np.intp],
        mine: NDArray[np.bool_],
        learning_rate: float,
    ) -> Array:
        """Take a step with a minibatch of m samples; the outputs before it, (n, classes).

        `rows`, (n,), are those of its samples that this member of the team has, and `mine`, (m,),
        tells which they are.
        """
        layers, m, team = self._layers, len(mine), self._minibatch.team
        self._minibatch.m, self._minibatch.mine = m, mine
        if len(rows) != self._rows:
            self._rows = len(rows)
            for layer in layers:
                layer.resize(len(rows))
        images = samples.images
        x = (images, rows) if self._sparse else images[rows].astype(self._dtype)
        outputs = forward(layers, x)
        backward(layers, layers[-1].output_error(self._loss, samples, rows))
        if self._direct:
            self._direct.descend(learning_rate / m)
        team.add(self._gradients)
        if self._direct and team.size > 1:
            self._direct.add_gradients()
        self._optimizer.update(self._parameters, learning_rate, m)
        if self._max_norm:
            for w in self._optimizer.network.weights:
                limit_norms(w, self._max_norm)
        if self._ema:
            self._ema.update(self._functions)
        return outputs


def _levels(
    network: Network, samples: Samples, augmenter: Augmenter | None, rate: float, team: Team
) -> int:
    """L if exact arithmetic can add to the weights of grey levels directly, or 0."""
    span = abs(network.pixel_range[1] - network.pixel_range[0])
    for levels in (span, 255.0):
        if not team.largest(not are_grey(samples.images, levels)):
            # Interpolation gives values between the levels of the images.
            found = 255 if augmenter else int(levels)
            return found if resolves(rate, found) else 0
    return 0
