"""Time of an epoch of large layers with each optimizer: 784-800-800-10, minibatches of 128.

Measured with one thread and with two, beside the bare matrix products.
"""

import click
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import medians, mnist, report
from benchmarks.epoch import bare_products
from nn import OPTIMIZERS, Network, Optimizer, train_epochs

_LAYERS = [784, 800, 800, 10]


@click.command()
@click.option("--repeats", default=3, show_default=True, help="Epochs of each competitor.")
@click.option("--samples", default=20_000, show_default=True, help="Images in an epoch.")
def main(repeats: int, samples: int) -> None:
    """Measure the time of an epoch with each optimizer, for one thread and two."""
    images, targets = (a[:samples] for a in mnist()[:2])
    rows = []
    for threads in (1, 2):
        competitors = {"bare products": bare_products(images, 128, _LAYERS)}
        for name in OPTIMIZERS:
            rng = np.random.default_rng(0)
            network = Network.initialize(_LAYERS, rng)
            epochs = train_epochs(
                network, images, targets, epochs=10**9, batch_size=128, learning_rate=1e-3,
                rng=rng, optimizer=Optimizer(network, name),
            )  # fmt: skip
            competitors[name] = epochs.__next__
        with threadpool_limits(threads):
            found = medians(competitors, repeats)
        for name, seconds in found.items():
            times = [seconds / found[peer] for peer in ("bare products", "sgd")]
            rows.append((threads, name, seconds, *times))
    report("optimizers", ("threads", "optimizer", "seconds", "times products", "times sgd"), rows)


if __name__ == "__main__":
    main()
