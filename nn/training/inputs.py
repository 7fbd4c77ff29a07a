"""Training images as the first layer reads them, all at once or in chunks.

Most pixels of many images are 0: 81 % of MNIST's. Such images are kept sparse, so that the first
layer multiplies the others only; images with fewer zeros stay as they are.

Images that are augmented, or too many for a copy in memory, are prepared in chunks, one chunk ahead
of training, in another thread. Timing does not affect the chunks: they are prepared one after
another, with one random number generator.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextvars import copy_context
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from nn.regularization import smooth_labels
from nn.threads import helpers
from nn.training.augmentation import Augmenter

# Images that are converted at a time.
_PIECE = 1_024
# A chunk has so many samples that the time between chunks does not matter, and so few that two of
# them fit into the memory of any machine.
_ROWS_IN_A_CHUNK, _BYTES_IN_A_CHUNK = 4_000, 8_000_000
# The number of samples in a chunk is a multiple of this or of a larger minibatch.
_ROWS_IN_A_UNIT = 80
# Pixels of all images up to which they are prepared at once. Larger data may be memory-mapped.
_PIXELS_AT_ONCE = 2**26
# More weights than this may have sums above the exact range from the start, if they are N(0, 1).
_MOST_GREY_INPUTS = 2048


class Sparse(NamedTuple):
    """The values of (n, d) images that are not 0 (the format CSR).

    Attributes:
        starts: (n + 1,) place of each image's first value; and of the end.
        columns: (values,) uint16, ascending in each image.
        values: (values,) uint8 or floats.
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.uint16]
    values: NDArray


class Samples(NamedTuple):
    """Training samples, one per row.

    Attributes:
        images: (n, d), as an array or sparse.
        targets: (n, classes).
        weights: (n,), factor of each sample's loss; None if all are 1.
    """

    images: Any
    targets: NDArray
    weights: NDArray | None = None

    def rows(self, chosen: slice | NDArray[np.intp]) -> Self:
        """The chosen samples: views for a slice, copies for an array of indices."""
        weights = None if self.weights is None else self.weights[chosen]
        return type(self)(self.images[chosen], self.targets[chosen], weights)


# A minibatch, as the first layer is given it: images, and the indices of those in it.
Rows = tuple[Any, NDArray[np.intp]]
# Samples; the indices among them in the order in which to use them; and which samples of this part
# of the order the member of the team has.
Chunk = tuple[Samples, NDArray[np.intp], NDArray[np.bool_]]


def are_grey(images: NDArray, levels: float) -> bool:
    """Whether all pixels of (n, d) float32 images are multiples of 1/levels in [0, 1].

    False if there are more than 255 levels, or if the images have too many pixels.
    """
    if images.shape[1] > _MOST_GREY_INPUTS or levels not in range(1, 256):
        return False
    for start in range(0, len(images), _PIECE):
        scaled = images[start : start + _PIECE] * images.dtype.type(levels)
        if (scaled != np.rint(scaled)).any() or scaled.min() < 0 or scaled.max() > levels:
            return False
    return True


def convert_images(
    images: NDArray, *, functions: Any, sparse: bool, levels: int
) -> NDArray | Sparse:
    """Convert (n, d) floats, which may be memory-mapped, for the first layer.

    `functions` are the operations (see `nn.arithmetic`), `sparse` is whether to keep only the
    values that are not 0, and `levels` is L for grey levels, uint8 from 0 to L, or 0 for floats.
    """

    def converted(piece: NDArray) -> NDArray:
        return np.rint(piece * piece.dtype.type(levels)).astype(np.uint8) if levels else piece

    places = [slice(k, k + _PIECE) for k in range(0, len(images), _PIECE)]
    if not sparse:
        return np.concatenate([converted(images[k]) for k in places]) if levels else images
    count = sum(np.count_nonzero(images[k]) for k in places)
    starts = np.zeros(len(images) + 1, np.int64)
    columns = np.empty(count + 1, np.uint16)
    values = np.empty(count + 1, np.uint8 if levels else images.dtype)
    at = 0
    for k in places:
        piece = np.array(converted(images[k]), order="C")
        ends = starts[k.start + 1 : k.start + 1 + len(piece)]
        at = functions.compress(piece, at, ends, columns, values)
    return Sparse(starts, columns, values)


class Loader:
    """Prepares the samples of an epoch for the first layer: all at once if possible, or in chunks.

    Args:
        samples: The training samples; may be memory-mapped.
        batch_size: Samples of a minibatch; chunks have whole minibatches.
        convert: Function that converts images; see `convert_images`.
        augmenter: Augments each image anew in every epoch; None for no augmentation.
        label_smoothing: ε of `regularization.smooth_labels`; 0 leaves the targets as they are.
        first: Place of the first sample among those of all members of a team.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        convert: Callable[[NDArray], Any],
        augmenter: Augmenter | None = None,
        label_smoothing: float = 0.0,
        first: int = 0,
    ) -> None:
        self._samples, self._convert, self._augmenter = samples, convert, augmenter
        self._label_smoothing, self._first = label_smoothing, first
        row = samples.images.shape[1] * samples.images.itemsize
        unit = batch_size * max(1, _ROWS_IN_A_UNIT // batch_size)
        wanted = min(_ROWS_IN_A_CHUNK, max(1, _BYTES_IN_A_CHUNK // row))
        self._rows = unit * math.ceil(wanted / unit)
        self._all = None
        if augmenter is None and samples.images.size <= _PIXELS_AT_ONCE:
            self._all = self._prepared(slice(None), convert(samples.images))

    def chunks(
        self, order: NDArray[np.intp], rng: np.random.Generator, epochs_done: int
    ) -> Iterator[Chunk]:
        """Prepare samples in this order, of those of all members of the team.

        `rng` is the random number generator of the augmenter, whose strength depends on
        `epochs_done`.
        """

        def make(start: int) -> Chunk:
            places = order[start : start + self._rows] - self._first
            mine = (places >= 0) & (places < len(self._samples.targets))
            places = places[mine]
            if self._all is not None:
                return self._all, places, mine
            images = self._samples.images[places]
            if self._augmenter is not None:
                augmented = np.empty_like(images)
                self._augmenter.augment(images, rng, augmented, mine, epochs_done)
                images = augmented
            return self._prepared(places, self._convert(images)), np.arange(len(places)), mine

        starts = range(0, len(order), self._rows)
        if self._all is not None:
            yield from map(make, starts)
            return
        # The helper ignores overflow where the caller does, which is part of its context.
        made = helpers().submit(copy_context().run, make, 0)
        try:
            for start in starts:
                ready = made.result()
                if start + self._rows < len(order):
                    made = helpers().submit(copy_context().run, make, start + self._rows)
                yield ready
        finally:
            wait([made])  # it uses the random number generator

    def _prepared(self, chosen: Any, images: Any) -> Samples:
        _, targets, weights = self._samples
        targets = np.array(targets[chosen], order="C")
        if self._label_smoothing:
            smooth_labels(targets, self._label_smoothing)
        return Samples(images, targets, None if weights is None else np.array(weights[chosen]))
