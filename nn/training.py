"""The training loop: epochs of shuffled minibatches, as a generator.

    for epoch in train_epochs(network, images, targets, …):
        print(epoch, score(network, images, targets))

Progress bars, logs and early stopping are left to the caller.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nn.augmentation import Augmenter
from nn.batches import Loader, Samples
from nn.blas import limit_blas_threads
from nn.ema import EMA
from nn.network import Network
from nn.optimizers import Optimizer
from nn.regularization import NONE, Regularization
from nn.schedules import CONSTANT
from nn.training_step import TrainingStep

# Limits of a block of samples: large enough that passing it between threads takes no time, small
# enough for the memory of any machine. The weights are checked after each block.
_ROWS_IN_A_BLOCK = 4_000
_BYTES_IN_A_BLOCK = 16_000_000


class DivergedError(ArithmeticError):
    """The weights are no longer finite."""


def train_epochs(
    network: Network,
    images: NDArray,
    targets: NDArray,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
    sample_weights: NDArray | None = None,
    optimizer: Optimizer | None = None,
    schedule: Callable[[float], float] = CONSTANT,
    regularization: Regularization = NONE,
    augmenter: Augmenter | None = None,
    ema: EMA | None = None,
    epochs_done: int = 0,
) -> Iterator[int]:
    """Train the network in place by minibatch gradient descent; yield after every epoch.

    Each epoch uses every sample once, in a new random order. The last minibatch may have fewer
    samples than the others.

    Args:
        network: The network, changed in place.
        images: (n, d), of the network's dtype; may be memory-mapped. C-ordered arrays are read
            several times faster than others.
        targets: (n, classes), one-hot, of the network's dtype.
        epochs: Total number of epochs.
        batch_size: Samples per minibatch, at most n.
        learning_rate: η; the step is η times the mean gradient of the minibatch.
        rng: Generator for the order of the samples, dropout and augmentation; the same state and
            data give the same weights, bit for bit.
        sample_weights: (n,), of the network's dtype: factor of each sample's loss; None for 1. The
            gradient is divided by the size of the minibatch, not by its weight.
        optimizer: Optimizer of this network; None for plain gradient descent. It keeps its state,
            so that a later call can continue.
        schedule: Function from the epochs done, such as 2.75, to the factor of the learning rate.
        regularization: Penalties, max-norm, dropout and label smoothing.
        augmenter: Augments every image anew in every epoch; None to use the images as they are.
        ema: Average to update after every step, or None.
        epochs_done: Number of epochs that were done before. With network, optimizer, ema and rng as
            they were after them, training resumes as if it had not been interrupted.

    Yields:
        The number of epochs done: 1, 2, …

    Raises:
        ValueError: If the shapes or types of the arrays do not fit the network, `batch_size` is not
            between 1 and n, or the optimizer belongs to another network.
        DivergedError: If the weights are no longer finite.
    """
    n = len(images)
    optimizer = Optimizer(network) if optimizer is None else optimizer
    _require_fit(network, Samples(images, targets, sample_weights), batch_size, optimizer)
    rows = min(_ROWS_IN_A_BLOCK, max(1, _BYTES_IN_A_BLOCK // images[0].nbytes))
    loader = Loader(
        Samples(images, targets, sample_weights),
        rows=min(n, batch_size * math.ceil(rows / batch_size)),
        augmenter=augmenter,
        label_smoothing=regularization.label_smoothing,
    )
    batches = {
        size: TrainingStep(network, size, rng, regularization, weighted=sample_weights is not None)
        for size in {batch_size, n % batch_size} - {0}
    }
    steps = {size: optimizer.bind(batch) for size, batch in batches.items()}

    @cache
    def parts(block: int, count: int) -> list[Samples]:
        """The first `count` rows of a block, split into minibatches."""
        starts = range(0, count, batch_size)
        return [loader.memory[block].rows(slice(k, min(count, k + batch_size))) for k in starts]

    for epoch in range(epochs_done + 1, epochs + 1):
        # Not around the `yield`, because the limit is not meant for the caller's code.
        with limit_blas_threads():
            visited = 0
            order, blocks_rng = rng.permutation(n), np.random.default_rng(rng.integers(2**63))
            for block, count in loader.blocks(order, blocks_rng):
                for samples in parts(block, count):
                    size = len(samples.images)
                    batch = batches[size]
                    batch.load(samples)
                    batch.forward()
                    batch.backward()
                    steps[size](learning_rate * schedule(epoch - 1 + visited / n))
                    if ema is not None:
                        ema.update()
                    visited += size
                _require_finite(network, epoch)
        yield epoch


def _require_fit(network: Network, samples: Samples, batch_size: int, optimizer: Optimizer) -> None:
    network.require_samples(samples.images, samples.targets)
    n = len(samples.images)
    if any(a is not None and a.dtype != network.dtype for a in samples):
        types = ", ".join(str(a.dtype) for a in samples if a is not None)
        raise ValueError(f"samples: expected arrays of {network.dtype}, got {types}")
    if samples.weights is not None and samples.weights.shape != (n,):
        raise ValueError(f"sample_weights: expected shape ({n},), got {samples.weights.shape}")
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size: expected 1 to {n}, the number of samples, got {batch_size}")
    if optimizer.network is not network:
        raise ValueError("optimizer: expected one of this network, got one of another network")


def _require_finite(network: Network, epoch: int) -> None:
    # A sum is finite only if all terms are; finite weights whose sum overflows have diverged too.
    with np.errstate(all="ignore"):
        if not all(np.isfinite(a.sum()) for a in (*network.weights, *network.biases)):
            raise DivergedError(f"weights are no longer finite in epoch {epoch}")
