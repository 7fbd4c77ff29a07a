"""Time of an epoch with each optimizer, for large layers: 784-800-800-10, minibatches of 128.

With one thread of BLAS and with two, compared with the bare products in float32.
"""

from collections.abc import Callable
from functools import partial

import click
import numpy as np

from benchmarks.common import benchmark, mnist, record
from benchmarks.epoch import bare_products
from benchmarks.processes import Competitor, medians, timed
from nn import OPTIMIZERS, Network, Optimizer, train_epochs

_LAYERS, _BATCH = [784, 800, 800, 10], 128


def _training(arithmetic: str, optimizer: str, samples: int) -> Callable[[], float]:
    images, targets = (a[:samples] for a in mnist()[:2])
    rng = np.random.default_rng(0)
    network = Network.initialize(_LAYERS, rng)
    epochs = train_epochs(
        network, images, targets, epochs=10**9, batch_size=_BATCH, learning_rate=1e-3, rng=rng,
        optimizer=Optimizer(network, optimizer), exact=arithmetic == "exact",
    )  # fmt: skip
    return timed(epochs.__next__)


@benchmark(3)
@click.option("--samples", default=20_000, show_default=True, help="Images in an epoch.")
def main(repeats: int, kernel: str | None, samples: int) -> None:
    """Time of an epoch with each optimizer, with one thread and with two."""
    rows: list[tuple] = []
    for threads in (1, 2):
        products = partial(bare_products, _LAYERS, _BATCH, samples)
        competitors = {"bare products": Competitor(products, threads)}
        for arithmetic in ("float32", "exact"):
            for name in OPTIMIZERS:
                training = partial(_training, arithmetic, name, samples)
                competitors[f"{name}, {arithmetic}"] = Competitor(training, threads)
        ran, found = medians(competitors, repeats, kernel)
        for name, seconds in found.items():
            optimizer, _, arithmetic = name.partition(", ")
            peers = "bare products", f"sgd, {arithmetic}", f"{optimizer}, float32"
            ratios = [seconds / found[p] if arithmetic or p == name else "" for p in peers]
            rows.append((threads, name, seconds, *ratios))
    header = ("threads", "competitor", "seconds", "÷ bare products", "÷ sgd", "÷ float32")
    record("optimizers", ran, header, rows)


if __name__ == "__main__":
    main()
