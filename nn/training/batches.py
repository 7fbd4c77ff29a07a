"""Chunks of shuffled, augmented samples, prepared in another thread.

The time to read random rows of a large array depends on the memory (or on the disk, if it is
memory-mapped), and augmenting images takes longer than a training step of a small network. Another
thread does both, one chunk ahead of training. Timing does not affect the chunks: they are computed
one after another, with one random number generator.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import wait
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nn.images.augmentation import Augmenter
from nn.regularization import smooth_labels
from nn.threads import helpers


class Samples(NamedTuple):
    """Training samples, one per row.

    Attributes:
        images: (n, d).
        targets: (n, classes).
        weights: (n,), factor of each sample's loss; None if all are 1.
    """

    images: NDArray
    targets: NDArray
    weights: NDArray | None = None

    def rows(self, chosen: slice | NDArray[np.intp]) -> Self:
        """The chosen samples: views for a slice, copies for an array of indices."""
        weights = None if self.weights is None else self.weights[chosen]
        return type(self)(self.images[chosen], self.targets[chosen], weights)


class Loader:
    """Loads samples in a given order, one chunk after another.

    Attributes:
        memory: Two chunks: one is in use while the other is filled.
    """

    def __init__(
        self,
        samples: Samples,
        rows: int,
        *,
        augmenter: Augmenter | None = None,
        label_smoothing: float = 0.0,
        prepare: Callable[[int, int], None] | None = None,
    ) -> None:
        """Allocate the two chunks.

        Args:
            samples: All training samples; may be memory-mapped, since only the rows of one chunk
                are read at a time and no shuffled copy is made.
            rows: Number of samples in a chunk.
            augmenter: Augments each image every time it is loaded; None for no augmentation.
            label_smoothing: ε of `regularization.smooth_labels`; 0 leaves the targets as they are.
            prepare: Called in that thread with the index of each chunk and the number of its
                rows after it has been filled.
        """
        self._samples, self._rows = samples, rows
        self._augmenter, self._label_smoothing = augmenter, label_smoothing
        self._prepare = prepare
        self.memory = [samples.rows(np.arange(rows)) for _ in range(2)]

    def chunks(
        self, order: NDArray[np.intp], rng: np.random.Generator
    ) -> Iterator[tuple[int, int]]:
        """Load the samples in the given order into the chunks of `memory`.

        Args:
            order: Indices of samples.
            rng: Random number generator of the augmenter.

        Yields:
            The index of the chunk that is ready, 0 and 1 in turn, and the number of rows in it.
        """
        if len(order) <= self._rows:  # a single chunk needs no other thread
            self._fill(0, order, rng)
            yield 0, len(order)
            return
        starts = range(0, len(order), self._rows)

        def make(number: int) -> tuple[int, int]:
            chosen = order[starts[number] : starts[number] + self._rows]
            self._fill(number % 2, chosen, rng)
            return number % 2, len(chosen)

        made = helpers().submit(make, 0)
        try:
            for following in range(1, len(starts) + 1):
                ready = made.result()
                if following < len(starts):
                    made = helpers().submit(make, following)
                yield ready
        finally:
            wait([made])  # the caller may use its memory again

    def _fill(self, number: int, chosen: NDArray[np.intp], rng: np.random.Generator) -> None:
        chunk = self.memory[number].rows(slice(len(chosen)))
        for source, target in zip(self._samples, chunk, strict=True):
            if source is not None and target is not None:
                # The indices are valid; mode="clip" lets NumPy write to `out` without a buffer.
                source.take(chosen, axis=0, out=target, mode="clip")
        if self._augmenter is not None:
            self._augmenter.augment(chunk.images.copy(), rng, chunk.images)
        if self._label_smoothing:
            smooth_labels(chunk.targets, self._label_smoothing)
        if self._prepare is not None:
            self._prepare(number, len(chosen))
