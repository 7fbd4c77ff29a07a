"""Inputs of the blocked first layer: grey levels, and the Gram matrix of each block.

None of it depends on the weights, so a second thread prepares it; see `blocked_layer`.
"""

import math
from typing import Any

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


class BlockedInputs:
    """The inputs of a chunk of samples, with the products of each minibatch and those before it.

    Attributes:
        x: (rows, d + 1) inputs.
        gram: For each place t of a minibatch in its block, Xₜ @ [X₀ … X_{t-1}]ᵀ of all blocks,
            (blocks, m, t·m).
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
        dtype = np.dtype(np.float64 if levels else dtype)
        blocks = math.ceil(rows / (batch_size * together))
        # Whole blocks, so that the last one is like the others; rows beyond the last sample are
        # finite, and nobody reads what comes of them.
        self.x = np.zeros((blocks * batch_size * together, d + 1), dtype)
        self.x[:, d] = levels or 1.0
        self._inputs = np.zeros((len(self.x), d), np.float32) if levels else self.x[:, :-1]
        self.gram = [np.zeros((blocks, batch_size, t * batch_size), dtype) for t in range(together)]

    def fill(self, images: NDArray) -> None:
        """Take (n, d) images, n at most `rows`; in exact arithmetic they become integers."""
        inputs = self._inputs[: len(images)]
        np.multiply(images, images.dtype.type(self._levels or 1.0), out=inputs)
        if self._levels:
            np.rint(inputs, out=inputs)
            np.copyto(self.x[: len(images), :-1], inputs)
        if self._together == 1:
            return
        # float32 represents sums of 2^24 / L² products of integers up to L exactly.
        d, size = inputs.shape[1], self._size * self._together
        terms = 2**24 // self._levels**2 if self._levels else d
        products: Any = float(self._levels or 1) ** 2  # of the last input, which is always L
        for start in range(0, d, terms):
            part = self._inputs[:, start : start + terms].reshape(-1, size, min(terms, d - start))
            # A copy, because NumPy multiplies an array by its own transpose with ssyrk, which in
            # OpenBLAS 0.3.31 gives wrong results on ARM processors with SME.
            products = products + np.matmul(part, part.copy().transpose(0, 2, 1)).astype(
                self.x.dtype
            )
        for t, gram in enumerate(self.gram):
            before = t * self._size
            np.copyto(gram, products[:, before : before + self._size, :before])
