"""Minibatches as training runs them: chunks of samples, and the prepared calls of every step.

`batches` loads chunks of samples, `training_step` goes forward and back through the network,
`blocked_layer` takes several minibatches together, `optimizers` update the weights. This module
decides which of them a training needs, and prepares the calls of each minibatch of a chunk once.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nn.images.augmentation import Augmenter
from nn.network import Network
from nn.optimizers import Optimizer
from nn.regularization import Regularization
from nn.training.batches import Loader, Samples
from nn.training.blocked_inputs import BlockedInputs, as_grey_levels, grey_levels, parts_by_use
from nn.training.blocked_layer import Block, BlockedLayer, minibatches_in_block, resolves
from nn.training.training_step import TrainingStep

# A chunk has so many samples that the time between chunks does not matter, and so few that two of
# them fit into the memory of any machine.
_ROWS_IN_A_CHUNK = 4_000
_BYTES_IN_A_CHUNK = 8_000_000
# Pixels of all images, up to which a copy of their grey levels is kept, with one byte per pixel: it
# is read faster. Larger data may be memory-mapped, and only chunks of it are copied.
_PIXELS_IN_A_COPY = 2**26


class Minibatch:
    """A minibatch of a chunk.

    Attributes:
        size: Number of its samples.
    """

    def __init__(
        self, calls: Sequence[Callable[[], object]], update: Callable[[float], None], size: int
    ) -> None:
        """Store the prepared calls of a step, and the function that updates the weights."""
        self._calls, self._update, self.size = calls, update, size

    def train(self, learning_rate: float) -> None:
        """Take one step."""
        for call in self._calls:
            call()
        self._update(learning_rate)


class BlockedMinibatch(Minibatch):
    """A minibatch whose first layer is computed with that of others."""

    def __init__(
        self,
        calls: Sequence[Callable[[], object]],
        update: Callable[[float], None],
        size: int,
        block: Block,
        t: int,
    ) -> None:
        """As `Minibatch`, with the block and the place in the block."""
        super().__init__(calls, update, size)
        self._block, self._t = block, t

    def train(self, learning_rate: float) -> None:
        """Take one step; the first layer's weights change when the block ends."""
        if self._t == 0:
            self._block.start()
        super().train(learning_rate)
        self._block.add(self._t, learning_rate / self.size)


class Minibatches:
    """All that is allocated for training on some samples.

    Attributes:
        last_outputs: Outputs of the network for the samples of the last chunk, (n, classes), each
            computed before the step that it was used for, and their targets.
    """

    last_outputs: tuple[NDArray, NDArray]

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
        averaged: bool,
        learning_rate: float,
        exact: bool,
        together: int | None,
    ) -> None:
        """Allocate memory.

        `averaged` tells whether weights are averaged; for the rest see `training.train_epochs`.
        """
        n = len(samples.images)
        # A block adds its updates in the end: with plain gradient descent, if nobody needs the
        # weights before.
        adds_up = optimizer.name == "sgd" and not (
            averaged
            or regularization.l2
            or regularization.weight_decay
            or regularization.max_norm
            or regularization.dropout_input
        )
        levels = grey_levels(samples.images, network.pixel_range) if adds_up else None
        if levels and augmenter:
            levels = 255  # interpolation gives values between the levels of the images
        fastest = minibatches_in_block(batch_size)
        self._together = fastest if together is None else together
        if exact:
            blocked = levels is not None and resolves(learning_rate / batch_size, levels)
        else:
            blocked = adds_up and self._together > 1
        unit = batch_size * fastest
        wanted = min(_ROWS_IN_A_CHUNK, max(1, _BYTES_IN_A_CHUNK // samples.images[0].nbytes))
        rows = min(n, unit * math.ceil(wanted / unit))

        self._layer = None
        self._inputs = []
        if blocked:
            parts, factor = parts_by_use(samples.images), levels or 1
            self._layer = BlockedLayer(
                network, batch_size * self._together, parts, factor, exact=exact
            )
            self._inputs = [
                BlockedInputs(
                    rows, parts, batch_size, self._together, factor, network.dtype, exact=exact
                )
                for _ in range(2)
            ]
            if levels and not augmenter and samples.images.size <= _PIXELS_IN_A_COPY:
                grey = as_grey_levels(samples.images, np.concatenate(parts), levels)
                samples = samples._replace(images=grey)
        self._loader = Loader(
            samples,
            rows=rows,
            augmenter=augmenter,
            label_smoothing=regularization.label_smoothing,
            prepare=self._fill if blocked else None,
        )
        weighted = samples.weights is not None
        self._batch_size = batch_size
        self._steps = {
            size: TrainingStep(
                network, size, rng, regularization, weighted=weighted, exact=exact, blocked=blocked
            )
            for size in {batch_size, n % batch_size} - {0}
        }
        self._updates = {size: optimizer.bind(step) for size, step in self._steps.items()}
        self._outputs = np.empty((rows, network.sizes[-1]), np.float64 if exact else network.dtype)
        self._prepared = cache(self._prepare)

    def chunks(
        self, order: NDArray[np.intp], rng: np.random.Generator
    ) -> Iterator[Iterator[Minibatch]]:
        """The minibatches of each chunk of an epoch.

        Args:
            order: Indices of the samples.
            rng: Random number generator of the augmenter.
        """
        if self._layer is not None:
            self._layer.load()
        for index, count in self._loader.chunks(order, rng):
            yield self._chunk(index, count)

    def _chunk(self, index: int, count: int) -> Iterator[Minibatch]:
        yield from self._prepared(index, count)
        if self._layer is not None:
            self._layer.store()
        self.last_outputs = self._outputs[:count], self._loader.memory[index].targets[:count]

    def _fill(self, index: int, count: int) -> None:
        self._inputs[index].fill(self._loader.memory[index].images[:count])

    def _prepare(self, index: int, count: int) -> list[Minibatch]:
        """The minibatches of the first `count` rows of a chunk in memory."""
        bounds = list(pairwise([*range(0, count, self._batch_size), count]))
        found: list[Minibatch] = []
        for number, first in enumerate(range(0, len(bounds), self._together)):
            places = bounds[first : first + self._together]
            steps = [self._steps[stop - start] for start, stop in places]
            block = self._block(index, number, steps)
            for t, (step, place) in enumerate(zip(steps, places, strict=True)):
                calls: list[Callable[[], object]] = [
                    *step.bind_load(self._loader.memory[index].rows(slice(*place))),
                    *(block.weighted_inputs[t] if block else []),
                    *step.calls,
                    partial(np.copyto, self._outputs[slice(*place)], step.activations[-1]),
                ]
                update = self._updates[step.size]
                if block is None:
                    found.append(Minibatch(calls, update, step.size))
                else:
                    found.append(BlockedMinibatch(calls, update, step.size, block, t))
        return found

    def _block(self, index: int, number: int, steps: Sequence[TrainingStep]) -> Block | None:
        if self._layer is None:
            return None
        return Block(
            self._layer,
            self._inputs[index],
            number,
            [step.activations[0] for step in steps],
            [step.deltas[0] for step in steps],
        )
