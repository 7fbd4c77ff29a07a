"""Random numbers, shapes and operands for the operations of a training step."""

from typing import NamedTuple

import numpy as np
from plain_training import log2_up, on_grid

from nn.exact.portable import shifter


class Types(NamedTuple):
    """Types of arrays: of results, of weights, of sparse values, and of what is rounded."""

    t: type
    w: type
    v: type
    r: type


F4, F8 = np.float32, np.float64
TYPES = {
    "exact": [Types(F8, F4, np.uint8, F4), Types(F8, F4, F4, F8)],
    "float32": [Types(F4, F4, F4, F4)],
    "float64": [Types(F8, F8, F8, F8)],
}
# Numbers of all sizes whose products overflow float32 or underflow it.
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e30, -1e30, 1e-30, -1e-30, 1e-42, 3.0]


class Source:
    """Random numbers and shapes for one call.

    Attributes:
        exact: Whether arithmetic is exact.
        types: Types of the arrays.
        rng: Random number generator.
    """

    def __init__(self, seed, arithmetic, types, *, special=False, most=9):
        """`special`: whether values of all sizes occur; `most`: the longest side of an array."""
        self.exact, self.types, self._special, self._most = (
            arithmetic == "exact", types, special, most
        )  # fmt: skip
        self.rng = np.random.default_rng(seed)

    def side(self, least=1):
        return int(self.rng.integers(least, self._most + 1))

    def values(self, shape, dtype, scale=1.0):
        found = scale * self.rng.standard_normal(shape)
        if self._special:
            found = np.where(self.rng.random(shape) < 0.5, self.rng.choice(SPECIAL, shape), found)
        return found.astype(dtype)

    def activations(self, shape):
        """Numbers from -1 to 1, on the grid of activations if arithmetic is exact."""
        found = self.rng.uniform(-1, 1, shape) * (self.rng.random(shape) < 0.8)
        return np.rint(found * 2.0**18) * 2.0**-18 if self.exact else found.astype(self.types.t)

    def grid(self, shape, bits):
        """Numbers of very different sizes, on a grid if arithmetic is exact."""
        found = self.values(shape, np.float32, 2.0 ** self.rng.integers(-20, 20))
        return on_grid(found, bits) if self.exact else found.astype(self.types.t)

    def weights(self, inputs, units):
        """Weights, with a row for each input."""
        return self.grid((inputs, units), min(24, 53 - 18 - log2_up(inputs)))

    def biases(self, units):
        """Biases; much smaller ones than the sums that they are added to are the hard case."""
        return self.values(units, self.types.w, 2.0 ** -self.rng.integers(0, 50))

    def rows(self, n):
        return self.rng.integers(0, n, self.side()).astype(np.int64)

    def sparse(self, width):
        """Starts, columns and values of sparse images, some of them empty, and a shift."""
        v, n = self.types.v, self.side()
        images = self.rng.integers(0, 256, (n, width)) * (self.rng.random((n, width)) < 0.3)
        images[self.rng.random(n) < 0.2] = 0
        images = images.astype(v)
        shift = 0.0
        if v != np.uint8:
            images = (images * self.rng.uniform(0, 1, images.shape)).astype(v)
            shift = shifter(int(self.rng.integers(-12, -8))) if self.exact else 0.0
        row, columns = np.nonzero(images)
        starts = np.searchsorted(row, np.arange(n + 1)).astype(np.int64)
        return (starts, columns.astype(np.uint16), images[row, columns]), n, shift
