"""The training loop: epochs of shuffled minibatches, as a generator.

    for epoch in fit(network, images, targets, …):
        print(epoch, score(network, images, targets))

What happens after an epoch (a progress bar, a log, stopping early) is the caller's business.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nn.blas import single_threaded
from nn.minibatch import Minibatch
from nn.network import Network
from nn.optimizers import GradientDescent

# Steps between two looks for values that are no longer finite: often enough to stop at once,
# seldom enough to cost nothing.
_STEPS_BETWEEN_CHECKS = 200


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
) -> Iterator[int]:
    """Train the network in place by minibatch gradient descent; yield after every epoch.

    Each epoch visits every sample once, in a new random order. A last minibatch with fewer samples
    than the others is used as well.

    Args:
        network: Changed in place.
        images: (n, d), of the network's dtype; may be memory-mapped.
        targets: (n, classes), one-hot, of the network's dtype.
        epochs: How many times every sample is visited.
        batch_size: Samples a step, at most n.
        learning_rate: η; the step is η times the mean gradient of the minibatch.
        rng: Shuffles the samples; the same state and data give the same weights, bit for bit.

    Yields:
        The number of epochs done: 1, 2, …

    Raises:
        ValueError: If the arrays' shapes or types do not fit the network, or `batch_size` is not
            between 1 and n.
        DivergedError: When the weights stop being finite.
    """
    network.require_samples(images, targets)
    if images.dtype != network.dtype or targets.dtype != network.dtype:
        raise ValueError(
            f"images are {images.dtype} and targets {targets.dtype}; this network takes "
            f"{network.dtype}"
        )
    n = len(images)
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size is {batch_size}; with {n} samples it must be 1 to {n}")
    steps = {
        size: GradientDescent(Minibatch(network, size))
        for size in (batch_size, n % batch_size)
        if size > 0
    }
    for epoch in range(1, epochs + 1):
        # Not around the `yield`: what the caller does meanwhile is not ours to limit.
        with single_threaded():
            order = rng.permutation(n)
            for count, start in enumerate(range(0, n, batch_size)):
                samples = order[start : start + batch_size]
                step = steps[len(samples)]
                step.minibatch.load(images, targets, samples)
                step.minibatch.forward()
                step.minibatch.backward()
                step.update(learning_rate)
                if count % _STEPS_BETWEEN_CHECKS == 0:
                    _require_finite(network, epoch)
            _require_finite(network, epoch)
        yield epoch


def _require_finite(network: Network, epoch: int) -> None:
    # A sum is finite only if every term is (or the sum overflows, which is no better).
    with np.errstate(all="ignore"):
        if not all(np.isfinite(w.sum() + b.sum()) for w, b in _layers(network)):
            raise DivergedError(f"weights are no longer finite in epoch {epoch}")


def _layers(network: Network) -> Iterator[tuple[NDArray, NDArray]]:
    return zip(network.weights, network.biases, strict=True)
