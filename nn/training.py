"""The training loop: epochs of shuffled minibatches, as a generator.

    for epoch in fit(network, images, targets, …):
        print(epoch, score(network, images, targets))

What happens after an epoch (a progress bar, a log, stopping early) is the caller's business.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nn.averaging import Average
from nn.blas import single_threaded
from nn.deformation import Deformer
from nn.loading import Loader, Samples
from nn.minibatch import Minibatch
from nn.network import Network
from nn.optimizers import Optimizer
from nn.regularization import NONE, Regularization
from nn.schedules import CONSTANT

# Enough that handing a block over costs nothing, and few enough for the memory of any machine.
# After each block the weights are checked.
_ROWS_IN_A_BLOCK = 4_000
_BYTES_IN_A_BLOCK = 16_000_000


class DivergedError(ArithmeticError):
    """Training has left the range of floating-point numbers; the weights are useless."""


def fit(
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
    deformer: Deformer | None = None,
    average: Average | None = None,
    epochs_done: int = 0,
) -> Iterator[int]:
    """Train the network in place on minibatches; yield after every epoch.

    Each epoch visits every sample once, in a new random order. A last minibatch with fewer samples
    than the others is used as well.

    Args:
        network: Changed in place.
        images: (n, d), of the network's dtype; may be memory-mapped. C-ordered ones are read
            several times faster than others.
        targets: (n, classes), one-hot, of the network's dtype.
        epochs: How many times every sample is visited, in all.
        batch_size: Samples a step, at most n.
        learning_rate: η; the step is η times the mean gradient of the minibatch.
        rng: Shuffles the samples, draws what dropout silences and how images are deformed; the same
            state and data give the same weights, bit for bit.
        sample_weights: (n,), of the network's dtype: how much each sample's loss counts, 1 if not
            given. The gradient is still divided by the size of the minibatch, not by its weight.
        optimizer: What is done with the gradient, for this network; plain gradient descent if none
            is given. It keeps its state, so that a later call goes on where this one ends.
        schedule: From the epochs done, such as 2.75, to the factor of the learning rate.
        regularization: What keeps the network from learning the samples by heart.
        deformer: Deforms every image anew in every epoch, if given.
        average: Updated after every step, if given.
        epochs_done: How many of the epochs are behind: with network, optimizer, average and rng as
            they were after that many, training goes on as if it had not been interrupted.

    Yields:
        The number of epochs done: 1, 2, …

    Raises:
        ValueError: If the arrays' shapes or types do not fit the network, `batch_size` is not
            between 1 and n, or the optimizer is another network's.
        DivergedError: When the weights stop being finite.
    """
    n = len(images)
    optimizer = Optimizer(network) if optimizer is None else optimizer
    _require_fit(network, Samples(images, targets, sample_weights), batch_size, optimizer)
    rows = min(_ROWS_IN_A_BLOCK, max(1, _BYTES_IN_A_BLOCK // images[0].nbytes))
    loader = Loader(
        Samples(images, targets, sample_weights),
        rows=min(n, batch_size * math.ceil(rows / batch_size)),
        deformer=deformer,
        label_smoothing=regularization.label_smoothing,
    )
    batches = {
        size: Minibatch(network, size, rng, regularization, weighted=sample_weights is not None)
        for size in {batch_size, n % batch_size} - {0}
    }
    steps = {size: optimizer.bind(batch) for size, batch in batches.items()}

    @cache
    def parts(block: int, count: int) -> list[Samples]:
        """The first `count` rows of a block, a minibatch each."""
        starts = range(0, count, batch_size)
        return [loader.memory[block].rows(slice(k, min(count, k + batch_size))) for k in starts]

    for epoch in range(epochs_done + 1, epochs + 1):
        # Not around the `yield`: what the caller does meanwhile is not ours to limit.
        with single_threaded():
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
                    if average is not None:
                        average.update()
                    visited += size
                _require_finite(network, epoch)
        yield epoch


def _require_fit(network: Network, samples: Samples, batch_size: int, optimizer: Optimizer) -> None:
    network.require_samples(samples.images, samples.targets)
    n = len(samples.images)
    if any(a is not None and a.dtype != network.dtype for a in samples):
        types = ", ".join(str(a.dtype) for a in samples if a is not None)
        raise ValueError(f"the samples' arrays are {types}; this network takes {network.dtype}")
    if samples.weights is not None and samples.weights.shape != (n,):
        raise ValueError(f"sample_weights have shape {samples.weights.shape}, not ({n},)")
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size is {batch_size}; with {n} samples it must be 1 to {n}")
    if optimizer.network is not network:
        raise ValueError("the optimizer was made for another network")


def _require_finite(network: Network, epoch: int) -> None:
    # A sum is finite only if every term is (or the sum overflows, which is no better).
    with np.errstate(all="ignore"):
        if not all(np.isfinite(a.sum()) for a in (*network.weights, *network.biases)):
            raise DivergedError(f"weights are no longer finite in epoch {epoch}")
