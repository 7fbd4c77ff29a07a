"""Inputs of the blocked first layer: grey levels, and parts of the Gram matrix of each block.

None of it depends on the weights, so a second thread prepares it; see `blocked_layer`.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

# More weights than this may have sums above the exact range from the start, if they are N(0, 1).
_MOST_INPUTS = 2048


def grey_levels(images: NDArray, pixel_range: tuple[float, float]) -> int | None:
    """L ≤ 255 if all pixels of (n, d) float32 images are multiples of 1/L in [0, 1], or None.

    Also None if the images have too many pixels.
    """
    if images.shape[1] > _MOST_INPUTS:
        return None
    span = abs(pixel_range[1] - pixel_range[0])
    for levels in (span, 255.0):
        if levels in range(1, 256) and all(
            _are_whole(images[start : start + 1024], levels)
            for start in range(0, len(images), 1024)
        ):
            return int(levels)
    return None


def _are_whole(images: NDArray, levels: float) -> bool:
    scaled = images * images.dtype.type(levels)
    return bool((scaled == np.rint(scaled)).all() and scaled.min() >= 0 and scaled.max() <= levels)


class Correction(NamedTuple):
    """The samples of a block whose weighted inputs change with the updates by earlier ones.

    Attributes:
        later: Rows of the former in the block.
        sooner: Rows of the latter, which end where `later` starts.
        products: X[later] @ X[sooner].T.
    """

    later: slice
    sooner: slice
    products: NDArray


def _halves(first: int, stop: int) -> list[tuple[int, int, int]]:
    """(first, middle, stop) of the range, of both its halves, of theirs and so on, by middle.

    Each number after `first` is the middle of one of them, and for each pair s < t there is exactly
    one with first ≤ s < middle ≤ t < stop.
    """
    if stop - first < 2:
        return []
    middle = (first + stop + 1) // 2
    return [*_halves(first, middle), (first, middle, stop), *_halves(middle, stop)]


class BlockedInputs:
    """The inputs of a chunk of samples, and the products of samples that correct each other.

    Attributes:
        x: (rows, d) inputs; in exact arithmetic integers, as float32.
    """

    def __init__(
        self,
        rows: int,
        d: int,
        batch_size: int,
        together: int,
        levels: int | None,
        dtype: DTypeLike,
    ) -> None:
        """Allocate memory.

        Args:
            rows: Samples in a chunk.
            d: Inputs of a sample.
            batch_size: m.
            together: T.
            levels: L in exact arithmetic, else None.
            dtype: Of the inputs, if not exact.
        """
        self._levels, self._size, self._together = levels, batch_size, together
        blocks = math.ceil(rows / (batch_size * together))
        # Whole blocks, so that the last one is like the others; rows beyond the last sample are
        # finite, and their results are not used.
        self.x = np.zeros((blocks * batch_size * together, d), np.float32 if levels else dtype)
        # Of all blocks: products are (blocks, rows, rows).
        self._corrections = []
        for bounds in _halves(0, together):
            start, middle, stop = (t * batch_size for t in bounds)
            shape = blocks, stop - middle, middle - start
            products = np.empty(shape, np.float64 if levels else dtype)
            self._corrections.append(
                Correction(slice(middle, stop), slice(start, middle), products)
            )

    def corrections(self, block: int) -> list[Correction]:
        """The corrections in a block, one before each minibatch but the first."""
        return [c._replace(products=c.products[block]) for c in self._corrections]

    def fill(self, images: NDArray) -> None:
        """Take (n, d) images, n at most `rows`; in exact arithmetic they become integers."""
        inputs = self.x[: len(images)]
        if self._levels:
            np.multiply(images, images.dtype.type(self._levels), out=inputs)
            np.rint(inputs, out=inputs)
        else:
            np.copyto(inputs, images)
        # float32 represents sums of 2^24 / L² products of integers up to L exactly.
        d = inputs.shape[1]
        terms = 2**24 // self._levels**2 if self._levels else d
        width = math.ceil(d / math.ceil(d / terms))
        blocks = self.x.reshape(-1, self._size * self._together, d)
        for later, sooner, products in self._corrections:
            products[...] = float(self._levels or 1) ** 2  # of the last input, which is always L
            for start in range(0, d, width):
                part = blocks[:, :, start : start + width]
                products += np.matmul(part[:, later], part[:, sooner].transpose(0, 2, 1))
