"""Time of one epoch: 60 000 MNIST images, minibatches of 10, a 784-100-10 sigmoid network, SGD.

Each competitor starts from arrays in memory and uses all samples once, in a new random order and in
float32; this project also in exact arithmetic. "Bare products" are only the five matrix products of
each step in float32, one minibatch after another.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from scipy.linalg import get_blas_funcs

from benchmarks.common import benchmark, mnist, record
from benchmarks.peers import article_loop, epoch_of, this_project, trainings
from benchmarks.processes import Competitor, medians, timed


def bare_products(layers: list[int], batch: int, samples: int = 60_000) -> Callable[[], float]:
    """The matrix products of an epoch, for layers of the given sizes: forward, errors, updates."""
    images = mnist()[0][:samples]
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((n, m), np.float32) / m for m, n in pairwise(layers)]
    inputs = np.empty((batch, layers[0]), np.float32)
    below = [inputs, *(np.full((batch, n), 0.5, np.float32) for n in layers[1:])]
    deltas = [np.full((batch, n), 1e-9, np.float32) for n in layers[1:]]
    # BLAS expects column-major arrays, such as the transposes of these: (a @ w.T).T = w @ a.T. The
    # arguments of gemm are alpha, a, b, beta, c, trans_a, trans_b and overwrite_c.
    gemm = get_blas_funcs("gemm", dtype=np.float32)
    products = [
        partial(gemm, 1.0, w.T, a.T, 0.0, np.empty((batch, len(w)), np.float32).T, 1, 0, 1)
        for a, w in zip(below[:-1], weights, strict=True)
    ]
    products += [
        partial(gemm, 1.0, w.T, delta.T, 0.0, np.empty((batch, w.shape[1]), np.float32).T, 0, 0, 1)
        for delta, w in zip(deltas[1:], weights[1:], strict=True)
    ]
    products += [
        partial(gemm, -1e-9, a.T, delta.T, 1.0, w.T, 0, 1, 1)
        for delta, a, w in zip(deltas, below[:-1], weights, strict=True)
    ]

    def epoch() -> None:
        for start in range(0, len(images) - batch + 1, batch):
            inputs[...] = images[start : start + batch]
            for product in products:
                product()

    return timed(epoch)


@benchmark(5)
def main(repeats: int, kernel: str | None) -> None:
    """Time of one epoch, compared with frameworks and with the bare products."""
    competitors = {"bare products": Competitor(partial(bare_products, [784, 100, 10], 10), 1)}
    for name, (training, threads) in trainings().items():
        competitors[name] = Competitor(partial(epoch_of, training), threads)
    for arithmetic in ("float32", "exact"):
        training = partial(this_project, arithmetic)
        competitors[f"this project, {arithmetic}, on one core"] = Competitor(
            partial(epoch_of, training), one_core=True
        )
    competitors["the article's loop"] = Competitor(article_loop, threads=1)
    ran, found = medians(competitors, repeats, kernel)
    peers = ("bare products", "this project, float32", "this project, exact")
    rows = [(name, spent, *(spent / found[p] for p in peers)) for name, spent in found.items()]
    record("epoch", ran, ("competitor", "seconds", *(f"÷ {peer}" for peer in peers)), rows)


if __name__ == "__main__":
    main()
