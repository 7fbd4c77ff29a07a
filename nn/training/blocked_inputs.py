"""Inputs of the blocked first layer: grey levels, and parts of the Gram matrix of each block.

Most pixels of most images are 0, and those near the edges are 0 in nearly all images. So the inputs
are ordered by use, and a block multiplies only as many of them as its samples use: products with 0
would not change its sums.

None of it depends on the weights, so a second thread prepares it; see `blocked_layer`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Share of the inputs of the first of the two threads of `BlockedLayer`; the second starts later.
_FIRST_PART = 0.6
# Blocks multiply a multiple of so many inputs, or all, so that few products have to be prepared.
_STEP = 16
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


def parts_by_use(images: NDArray) -> list[NDArray[np.intp]]:
    """Two parts of the inputs of (n, d) images, for two threads, as arrays of column indices.

    In each part, the columns that are not 0 in the most images come first.
    """
    n, d = images.shape
    used = sum((images[k : k + 1024] != 0).sum(axis=0) for k in range(0, n, 1024))
    by_use = np.argsort(-used, kind="stable")
    turns = np.floor(np.arange(d + 1) * _FIRST_PART)
    first = turns[1:] > turns[:-1]
    return [by_use[first], by_use[~first]]


def as_grey_levels(images: NDArray, columns: NDArray[np.intp], levels: int) -> NDArray[np.uint8]:
    """The chosen columns of (n, d) images as integers from 0 to `levels`; see `grey_levels`."""
    grey = np.empty((len(images), len(columns)), np.uint8)
    for k in range(0, len(images), 1024):
        grey[k : k + 1024] = np.rint(images[k : k + 1024] * levels)[:, columns]
    return grey


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
    """The inputs of a chunk of samples, and the products of samples that correct each other."""

    def __init__(
        self,
        rows: int,
        parts: Sequence[NDArray[np.intp]],
        batch_size: int,
        together: int,
        levels: int,
        dtype: DTypeLike,
        *,
        exact: bool,
    ) -> None:
        """Allocate memory.

        Args:
            rows: Samples in a chunk.
            parts: See `parts_by_use`.
            batch_size: m.
            together: T.
            levels: L, see `grey_levels`; 1 if the images have none.
            dtype: Of the inputs.
            exact: Whether arithmetic is exact; dtype is float32 then.
        """
        self._size, self._levels, self._exact = batch_size * together, levels, exact
        self._columns = np.concatenate(parts)
        middle = len(parts[0])
        self._parts = slice(0, middle), slice(middle, len(self._columns))
        blocks = math.ceil(rows / self._size)
        # Whole blocks, so that the last one is like the others; rows beyond the last sample are
        # finite, and their results are not used.
        self._x = np.zeros((blocks * self._size, len(self._columns)), dtype)
        # For each block and part, how many inputs are multiplied.
        self._used = np.zeros((blocks, len(parts)), int)
        # Of all blocks: products are (blocks, rows, rows).
        self._corrections = []
        for bounds in _halves(0, together):
            start, middle, stop = (t * batch_size for t in bounds)
            shape = blocks, stop - middle, middle - start
            products = np.empty(shape, np.float64 if exact else dtype)
            self._corrections.append(
                Correction(slice(middle, stop), slice(start, middle), products)
            )

    def of_block(self, block: int, n: int) -> list[NDArray]:
        """The inputs of the first n samples of a block: for each part, those to be multiplied."""
        rows = slice(block * self._size, block * self._size + n)
        return [
            self._x[rows, part.start : part.start + used]
            for part, used in zip(self._parts, self._used[block].tolist(), strict=True)
        ]

    def corrections(self, block: int) -> list[Correction]:
        """The corrections in a block, one before each minibatch but the first."""
        return [c._replace(products=c.products[block]) for c in self._corrections]

    def fill(self, images: NDArray) -> None:
        """Take (n, d) images, n at most `rows`: floating point, or from `as_grey_levels`."""
        inputs = self._x[: len(images)]
        if images.dtype == np.uint8:
            np.copyto(inputs, images)
        else:
            images.take(self._columns, axis=1, out=inputs, mode="clip")
            inputs *= self._levels
            if self._exact:
                np.rint(inputs, out=inputs)
        blocks = self._x.reshape(len(self._used), self._size, -1)
        is_used = (blocks != 0).any(axis=1)
        for k, part in enumerate(self._parts):
            numbers = np.arange(1, part.stop - part.start + 1)
            last = (numbers * is_used[:, part]).max(axis=1, initial=1)
            self._used[:, k] = np.minimum(-(-last // _STEP) * _STEP, len(numbers))
        self._multiply(blocks)

    def _multiply(self, blocks: NDArray) -> None:
        for _, _, products in self._corrections:
            products[...] = float(self._levels) ** 2  # of the last input, which is always L
        for part, used in zip(self._parts, self._used.max(axis=0).tolist(), strict=True):
            # float32 represents sums of 2^24 / L² products of integers up to L exactly.
            pieces = math.ceil(used * self._levels**2 / 2**24) if self._exact else 1
            for k in range(pieces):
                start, stop = (part.start + used * n // pieces for n in (k, k + 1))
                for later, sooner, products in self._corrections:
                    left, right = blocks[:, later, start:stop], blocks[:, sooner, start:stop]
                    products += np.matmul(left, right.transpose(0, 2, 1))
