"""The training loop: epochs of shuffled minibatches, as a generator.

    for epoch in train_epochs(network, images, targets, …):
        print(epoch.number, epoch.score)

Progress bars, logs and early stopping are left to the caller.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn.checks.arrays import require_values
from nn.exact.grids import DivergedError
from nn.metrics import RunningScore, Score
from nn.network import Network
from nn.optimizers import Optimizer
from nn.regularization import NONE, Regularization
from nn.schedules import CONSTANT
from nn.threads import limit_blas_threads
from nn.training.augmentation import Augmenter
from nn.training.ema import EMA
from nn.training.inputs import Loader, Samples
from nn.training.step import TrainingStep
from nn.training.team import Team


class Epoch(NamedTuple):
    """What `train_epochs` yields.

    Attributes:
        number: Number of epochs done.
        score: Mean loss and accuracy on the training samples over the epoch, from the forward
            passes of training: with the weights, dropout and augmentation of each step.
    """

    number: int
    score: Score


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
    exact: bool = False,
    epochs_done: int = 0,
    team: Team | None = None,
) -> Iterator[Epoch]:
    """Train the network in place by minibatch gradient descent; yield after every epoch.

    Each epoch uses every sample once, in a new random order; its last minibatch may be smaller.

    Args:
        network: The network, changed in place; its arrays may be replaced by others of another
            memory layout.
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
        exact: Whether to use exact arithmetic, which gives the same weights on every processor (see
            `exact`); the network must be float32.
        epochs_done: Number of epochs that were done before. With network, optimizer, ema and rng as
            they were after them, training resumes as if it had not been interrupted.
        team: The team of which the caller is a member, with the samples given; None for no team.

    Raises:
        ValueError: If the shapes or types of the arrays do not fit the network, a value in them is
            not valid (see `Network.require_inputs` and `require_samples`), `batch_size` is not
            between 1 and n, or the optimizer belongs to another network.
        DivergedError: If the weights are no longer finite, or too large for exact arithmetic.
    """
    team = team or Team()
    n = team.samples or len(images)
    optimizer = Optimizer(network) if optimizer is None else optimizer
    samples = Samples(images, targets, sample_weights)
    _require_fit(network, samples, batch_size, optimizer, n)
    if ema is not None and ema.followed is not network:
        raise ValueError("ema: expected the average of this network, got that of another network")
    if exact and network.dtype != np.float32:
        raise ValueError(f"exact arithmetic needs a float32 network, not {network.dtype}")

    options = regularization, augmenter, ema, learning_rate, exact, team
    step = TrainingStep(samples, batch_size, rng, optimizer, *options)
    smoothing = regularization.label_smoothing
    loader = Loader(samples, batch_size, step.convert, augmenter, smoothing, team.first)
    for epoch in range(epochs_done + 1, epochs + 1):
        running = RunningScore(network.loss)
        # Not around the `yield`, because the limit is not meant for the caller's code. Overflow is
        # found after each chunk, so NumPy need not warn.
        with limit_blas_threads(), np.errstate(over="ignore", invalid="ignore"):
            done = 0
            order, chunks_rng = rng.permutation(n), np.random.default_rng(rng.integers(2**63))
            step.load()
            for chunk, rows, mine in loader.chunks(order, chunks_rng, epoch - 1):
                outputs = np.empty((len(rows), network.sizes[-1]))
                used = 0
                try:
                    for start in range(0, len(mine), batch_size):
                        part = mine[start : start + batch_size]
                        first, used = used, used + int(np.count_nonzero(part))
                        rate = learning_rate * schedule(epoch - 1 + done / n)
                        outputs[first:used] = step(chunk, rows[first:used], part, rate)
                        done += len(part)
                finally:
                    step.store()
                _require_finite(network, epoch)
                running.add(outputs, chunk.targets[rows])
            running.add_members(team.add)
        yield Epoch(epoch, running.score)


def _require_fit(
    network: Network, samples: Samples, batch_size: int, optimizer: Optimizer, n: int
) -> None:
    network.require_shapes()
    network.require_samples(samples.images, samples.targets)
    if any(a is not None and a.dtype != network.dtype for a in samples):
        types = ", ".join(str(a.dtype) for a in samples if a is not None)
        raise ValueError(f"samples: expected arrays of {network.dtype}, got {types}")
    if samples.weights is not None and samples.weights.shape != samples.targets.shape[:1]:
        expected = samples.targets.shape[:1]
        raise ValueError(f"sample_weights: expected shape {expected}, got {samples.weights.shape}")
    network.require_inputs(samples.images)
    if samples.weights is not None:
        require_values("sample_weights", samples.weights, 0.0, np.inf)
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size: expected 1 to {n}, the number of samples, got {batch_size}")
    if optimizer.network is not network:
        raise ValueError("optimizer: expected one of this network, got one of another network")


def _require_finite(network: Network, epoch: int) -> None:
    # A sum is finite only if all terms are; finite weights whose sum overflows have diverged too.
    with np.errstate(all="ignore"):
        if not all(np.isfinite(a.sum()) for a in (*network.weights, *network.biases)):
            raise DivergedError(f"weights are no longer finite in epoch {epoch}")
