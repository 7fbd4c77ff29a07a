"""The first layer in plain gradient descent, updated without computing the gradient.

The gradient δ.T @ x is as large as the weights, but most inputs are 0. So W ← W - η/m · δ.T @ x
changes the weights of the other inputs only, without an array for the gradient. The biases are the
weights of one more input, which is always 1.

In exact arithmetic (see `exact.grids`) the inputs are grey levels, integers from 0 to L, and the
weights are W/L, multiples of 2^-40. Then -(η/m)·δ/L² is rounded to the same grid, and its product
with the inputs adds to the weights without rounding. All sums are exact as long as they are below
2^53·2^-40 = 8192. A bound on them is kept: that of the weights, and what each minibatch may add.
Where it reaches half of that, it is computed anew from the weights. The other half is for what a
minibatch adds; one that would add more ends the training.
"""

import math

import numpy as np
from numpy.typing import NDArray

from nn.exact.grids import DivergedError
from nn.exact.portable import shifter
from nn.layouts import in_lines
from nn.training.inputs import Rows
from nn.training.layers import DenseLayer

_GRID = -40
_SHIFTER = shifter(_GRID)
_CAPACITY = 2.0 ** (52 + _GRID)
_TOO_LARGE = "weights have become too large for exact arithmetic"


def resolves(rate: float, levels: int) -> bool:
    """Whether the grid is fine enough for errors δ from 2^-12 up, with a factor of η/m."""
    return rate * 2.0**-12 >= levels**2 * 2.0**_GRID


class DirectLayer(DenseLayer):
    """The first layer in plain gradient descent; between `load` and `store` it has its own weights.

    Attributes:
        levels: L, the factor of the inputs; 1 for none.
    """

    levels = 1
    _bound = math.inf
    _scaled: NDArray

    def _allocate(self, m: int) -> None:
        units, inputs = self.w.shape
        # The weights have a row for each input.
        self._weights, self._biases = (in_lines(n, units, self._dtype) for n in (inputs, 1))
        self._arrays |= {name: in_lines(m, units, self._dtype) for name in ("_z", "_scaled")}
        # The sums of this member of a team; a team of one adds to the weights.
        self.of_weights, self.of_biases = self._weights, self._biases[0]
        if self._minibatch.team.size > 1:
            self.of_weights, self.of_biases = map(np.zeros_like, (self.of_weights, self.of_biases))

    def load(self) -> None:
        """Copy weights and biases from the network."""
        for mine, theirs in self._copies():
            mine[...] = theirs
            mine /= self.levels
            if self._exact:
                mine += _SHIFTER
                mine -= _SHIFTER
        self._bound = math.inf

    def store(self) -> None:
        """Copy weights and biases to the network."""
        for mine, theirs in self._copies():
            theirs[...] = mine * self._dtype.type(self.levels)

    def _copies(self) -> list[tuple[NDArray, NDArray]]:
        units = len(self.b)
        return [(self._weights[:, :units], self.w.T), (self._biases[0, :units], self.b)]

    def affine(self, x: Rows | NDArray) -> NDArray:
        """z = x @ W.T + b for the inputs; raises DivergedError if it could be rounded."""
        self.x = x
        if self._exact:
            self._check()
        if isinstance(x, tuple):
            images, chosen = x
            parameters = self._weights, self._biases[0], float(self.levels)
            self._f.sparse_affine(*images, chosen, 0.0, *parameters, self._z)
        else:
            np.matmul(x, self._weights, out=self._z)
            self._z += self._biases * self.levels
        return self._z

    def differentiate(self, delta: NDArray) -> None:
        """Keep the errors for `descend`."""
        self._errors = delta

    def descend(self, rate: float) -> None:
        """W ← W - rate · δ.T @ x, and likewise the biases; in a team, see `add_gradients`.

        Raises DivergedError if the minibatch alone could exceed the exact range.
        """
        shift = _SHIFTER if self._exact else 0.0
        largest = self._f.scale_to_grid(self._errors, -rate / self.levels**2, shift, self._scaled)
        if self._exact:
            alone = self._minibatch.m * self.levels * self._minibatch.team.largest(largest)
            if not alone < _CAPACITY:
                raise DivergedError(_TOO_LARGE)
            self._bound += alone * self.levels * (len(self._weights) + 1)
        if isinstance(self.x, tuple):
            images, chosen = self.x
            inputs, sums = (0, len(self._weights)), (self.of_weights, self.of_biases)
            levels = float(self.levels)
            self._f.sparse_add(*images, chosen, 0.0, *inputs, self._scaled, levels, *sums)
        else:
            self.of_weights += self.x.T @ self._scaled
            self.of_biases += self._scaled.sum(axis=0) * self.levels

    def add_gradients(self) -> None:
        """Add the sums of all members of the team to the weights, after `descend`."""
        for weights, sums in ((self._weights, self.of_weights), (self._biases[0], self.of_biases)):
            weights += sums
            sums[...] = 0.0

    def _check(self) -> None:
        """Raise DivergedError if weighted inputs could be too large."""
        if not self._bound < _CAPACITY:
            sums = np.abs(self._weights).sum(axis=0) + np.abs(self._biases[0])
            self._bound = self.levels * float(sums.max())
            if not self._bound < _CAPACITY:
                raise DivergedError(_TOO_LARGE)

    def _rounded_errors(self, delta: NDArray) -> NDArray:
        return delta  # `descend` rounds them
