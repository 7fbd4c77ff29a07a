"""Matrix products of training with one thread of BLAS, with two, and as this project computes them.

This project computes small products with one thread, and large ones in two halves; see `nn.blas`.
"""

from collections.abc import Callable
from functools import partial
from unittest import mock

import click

from benchmarks.common import benchmark, record
from benchmarks.epoch import bare_products
from benchmarks.processes import Competitor, medians
from nn import blas

WIDTHS = (30, 100, 300, 800)
_BATCHES = (10, 128)


def _whole_products(layers: list[int], batch: int, samples: int) -> Callable[[], float]:
    with mock.patch.object(blas, "LARGE_PRODUCT", float("inf")):
        return bare_products(layers, batch, samples, limited=False)


@benchmark(5)
@click.option("--samples", default=6_000, show_default=True, help="Images in a measurement.")
def main(repeats: int, kernel: str | None, samples: int) -> None:
    """Products with one thread of BLAS, with two, and as this project computes them."""
    rows = []
    for batch in _BATCHES:
        for width in WIDTHS:
            arguments = [784, width, width, 10], batch, samples
            whole = partial(_whole_products, *arguments)
            competitors = {
                "BLAS, 1 thread": Competitor(whole, 1),
                "BLAS, 2 threads": Competitor(whole, 2),
                "this project": Competitor(partial(bare_products, *arguments), 2),
            }
            ran, found = medians(competitors, repeats, kernel)
            rows.append((batch, width, *found.values()))
    record("threads", ran, ("minibatch", "units", *competitors), rows)


if __name__ == "__main__":
    main()
