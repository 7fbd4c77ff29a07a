"""Training on a Dask cluster: two workers of one thread each against one, for large minibatches.

784-800-800-10, adam, exact arithmetic, minibatches of 8 192. From the time of an epoch with one
worker, the time for communication with two and the bytes that each moves, the times with more
workers are computed for machines with connections of 10 Gbit/s: each computes its part of the
samples, and sends and receives 2·(W - 1)/W of the gradient, and the latency of each exchange stays
as it was measured.
"""

import statistics
import time
from contextlib import closing
from itertools import pairwise

import click
import threadpoolctl
from distributed import LocalCluster

from benchmarks.common import benchmark, mnist, record
from nn import Trainer, TrainingConfig
from stages.training.cluster import Cluster

_HIDDEN, _BATCH, _BANDWIDTH = (800, 800), 8_192, 10e9 / 8
_WORKERS = (4, 16, 64, 256)


def _epochs(workers: int, repeats: int, samples: int) -> tuple[float, float]:
    """Median seconds of an epoch, and of communication in it, after a first epoch."""
    images, targets = (a[:samples] for a in mnist()[:2])
    config = TrainingConfig(
        hidden=_HIDDEN, optimizer="adam", learning_rate=1e-3, batch_size=_BATCH, epochs=repeats + 1
    )
    trainer = Trainer(config, sizes=(784, 10), seed=0, pixel_range=(0.0, 255.0))
    seconds, shares, start = [], [], time.perf_counter()
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as local,
        closing(Cluster(local.scheduler_address)) as cluster,
    ):
        for _ in trainer.train_epochs(images, targets, workers=cluster):
            seconds.append(time.perf_counter() - start)
            shares.append(cluster.communication)
            start = time.perf_counter()
    found = [*zip(seconds, shares, strict=True)][1:]
    return statistics.median(s for s, _ in found), statistics.median(s * c for s, c in found)


@benchmark(3)
@click.option("--samples", default=60_000, show_default=True, help="Images in an epoch.")
def main(repeats: int, kernel: str | None, samples: int) -> None:
    """Time of an epoch with one worker and with two, and on paper with more."""
    layers = [784, *_HIDDEN, 10]
    gradient = 8 * sum(units * (inputs + 1) for inputs, units in pairwise(layers))
    steps = -(-samples // _BATCH)
    one, _ = _epochs(1, repeats, samples)
    two, communication = _epochs(2, repeats, samples)
    moved = steps * gradient
    rows: list[tuple] = [
        (1, one, 0.0, 0, 1.0),
        (2, two, communication, round(moved / 1e6), one / two),
    ]
    # What the exchanges of two workers take beside the time for the bytes, at most.
    latency = communication
    for workers in _WORKERS:
        parts = 2 * (workers - 1) / workers
        seconds = latency + moved * parts / _BANDWIDTH
        total = one / workers + seconds
        rows.append(
            (f"{workers}, on paper", total, seconds, round(moved * parts / 1e6), one / total)
        )
    header = (
        "workers", "seconds per epoch", "of which communication", "MB sent by each", "times as fast"
    )  # fmt: skip
    pools = threadpoolctl.threadpool_info()
    ran = next(pool["architecture"] for pool in pools if pool["internal_api"] == "openblas")
    record("cluster", kernel or ran, header, rows)


if __name__ == "__main__":
    main()
