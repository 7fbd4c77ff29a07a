"""Samples on their way to the network: the next block is made while this one is learned from.

Rows picked at random from a large array wait for memory (or the disk, if it is memory-mapped), and
deformed images take longer to make than a small network takes to learn from them. Both are done by
a second thread, one block ahead. The blocks are the same whatever the timing: they are made one
after another, from one stream of random numbers.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nn.deformation import Deformer
from nn.losses import smooth


class Samples(NamedTuple):
    """Some samples, a row each.

    Attributes:
        images: (n, d).
        targets: (n, classes).
        weights: (n,): how much each sample's loss counts; None if all count 1.
    """

    images: NDArray
    targets: NDArray
    weights: NDArray | None = None

    def rows(self, chosen: slice | NDArray[np.intp]) -> Self:
        """Some of the samples: views for a slice, copies for an array of indexes."""
        weights = None if self.weights is None else self.weights[chosen]
        return type(self)(self.images[chosen], self.targets[chosen], weights)


class Loader:
    """Hands out samples in a given order, block after block.

    Attributes:
        memory: The two blocks.
    """

    def __init__(
        self,
        samples: Samples,
        rows: int,
        *,
        deformer: Deformer | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        """Allocate two blocks: one to learn from, one to fill.

        Args:
            samples: What to take rows from; may be memory-mapped. Only the rows of a block are
                read at a time, and no shuffled copy is made.
            rows: Samples in a block.
            deformer: Deforms every image anew, if given.
            label_smoothing: See `losses.smooth`.
        """
        self._samples, self._rows = samples, rows
        self._deformer, self._label_smoothing = deformer, label_smoothing
        self.memory = [samples.rows(np.arange(rows)) for _ in range(2)]

    def blocks(
        self, order: NDArray[np.intp], rng: np.random.Generator
    ) -> Iterator[tuple[int, int]]:
        """Fill a block of `memory` with the samples in `order`, the next block, and so on.

        Args:
            order: Indexes of samples.
            rng: Draws the deformations.

        Yields:
            Which of the two blocks is ready, 0 and 1 in turn, and how many rows of it.
        """
        if len(order) <= self._rows:  # nothing to make meanwhile
            self._fill(self.memory[0].rows(slice(len(order))), order, rng)
            yield 0, len(order)
            return
        starts = range(0, len(order), self._rows)
        with ThreadPoolExecutor(1, "loader") as second_thread:

            def make(number: int) -> tuple[int, int]:
                chosen = order[starts[number] : starts[number] + self._rows]
                self._fill(self.memory[number % 2].rows(slice(len(chosen))), chosen, rng)
                return number % 2, len(chosen)

            made = second_thread.submit(make, 0)
            for following in range(1, len(starts) + 1):
                ready = made.result()
                if following < len(starts):
                    made = second_thread.submit(make, following)
                yield ready

    def _fill(self, block: Samples, chosen: NDArray[np.intp], rng: np.random.Generator) -> None:
        for source, target in zip(self._samples, block, strict=True):
            if source is not None and target is not None:
                # mode="clip" (the indexes are valid) lets NumPy write straight into `out`.
                source.take(chosen, axis=0, out=target, mode="clip")
        if self._deformer is not None:
            self._deformer.deform(block.images.copy(), rng, block.images)
        if self._label_smoothing:
            smooth(block.targets, self._label_smoothing)
