"""Time of the matrix products of training, with one and two BLAS threads and as in this project.

This project uses one thread for small products and computes large ones in two halves.
"""

from collections.abc import Callable
from functools import partial
from unittest import mock

import click
from threadpoolctl import threadpool_limits

from benchmarks.common import medians, mnist, report
from benchmarks.epoch import bare_products
from nn import blas

WIDTHS = (30, 100, 300, 800)
_BATCHES = (10, 128)


def _with_threads(threads: int, work: Callable[[], None]) -> None:
    with threadpool_limits(threads, user_api="blas"):
        work()


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Measurements of each.")
@click.option("--samples", default=6_000, show_default=True, help="Images in a measurement.")
def main(repeats: int, samples: int) -> None:
    """Measure products with one BLAS thread, with two, and as in this project."""
    images = mnist()[0][:samples]
    rows = []
    for batch in _BATCHES:
        for width in WIDTHS:
            layers = [784, width, width, 10]
            ours = bare_products(images, batch, layers)
            with mock.patch.object(blas, "LARGE_PRODUCT", float("inf")):
                plain = bare_products(images, batch, layers, limited=False)

            work = {"1": partial(_with_threads, 1, plain), "2": partial(_with_threads, 2, plain)}
            work["ours"] = ours
            with threadpool_limits(2, user_api="blas"):
                found = medians(work, repeats)
            rows.append((batch, width, *found.values()))
    header = ("minibatch", "units", "BLAS, 1 thread", "BLAS, 2 threads", "this project")
    report("threads", header, rows)


if __name__ == "__main__":
    main()
