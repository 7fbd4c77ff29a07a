"""Time of one epoch: 60 000 MNIST images, minibatches of 10, a 784-100-10 sigmoid network, SGD.

All start from arrays in memory and do the same arithmetic in float32: all samples once, in a new
random order. "bare products" is a lower bound: only the five matrix products of each step, on the
same 60 000 images in their order.
"""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import medians, mnist, report
from benchmarks.peers import article_loop, competitors
from nn.blas import bind_gemm, limit_blas_threads


def bare_products(
    images: NDArray, batch: int, layers: list[int], *, limited: bool = True
) -> Callable[[], None]:
    """Return a function that computes the matrix products of an epoch: forward, errors, updates.

    Args:
        images: (n, d).
        batch: Number of images in a minibatch.
        layers: Number of inputs and of units of each layer.
        limited: Whether to use `limit_blas_threads`.
    """
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((n, m), np.float32) / m for m, n in pairwise(layers)]
    inputs = np.empty((batch, layers[0]), np.float32)
    below = [inputs, *(np.full((batch, n), 0.5, np.float32) for n in layers[1:])]
    deltas = [np.full((batch, n), 1e-9, np.float32) for n in layers[1:]]
    calls = [
        bind_gemm(a, w.T, np.empty((batch, len(w)), np.float32))
        for a, w in zip(below[:-1], weights, strict=True)
    ]
    calls += [
        bind_gemm(delta, w, np.empty((batch, w.shape[1]), np.float32))
        for delta, w in zip(deltas[1:], weights[1:], strict=True)
    ]
    updates = [
        bind_gemm(delta.T, a, w) for delta, a, w in zip(deltas, below[:-1], weights, strict=True)
    ]

    def epoch() -> None:
        with limit_blas_threads() if limited else nullcontext():
            for start in range(0, len(images) - batch + 1, batch):
                inputs[...] = images[start : start + batch]
                for product in calls:
                    product()
                for product in updates:
                    product(-1e-9, 1.0)

    return epoch


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Epochs of each competitor.")
def main(repeats: int) -> None:
    """Measure the time of one epoch, beside other libraries and the bare products."""
    images, targets, _, _ = mnist()
    epochs = {"bare products": bare_products(images, 10, [784, 100, 10])}
    epochs |= {name: peer.epoch for name, peer in competitors(images, targets).items()}
    found = medians(epochs, repeats)
    found |= medians({"the article's loop": article_loop(images, targets)}, 2, seconds=False)
    ours = found["this project"]
    rows = [(name, seconds, seconds / ours) for name, seconds in found.items()]
    report("epoch", ("competitor", "seconds", "times ours"), rows)
    print(f"\nthis project: {ours / found['bare products']:.2f} times the bare products")


if __name__ == "__main__":
    main()
