"""The first layer of several minibatches at a time, with the very result of one after another.

The inputs X₀ … X_{T-1} of T minibatches do not depend on the weights W. Gradient descent adds
Dₛᵀ @ Xₛ to W after minibatch s, with Dₛ = -(η/m)·δₛ. So the weighted inputs of minibatch t are

    zₜ = Xₜ @ (W + Σ_{s<t} Dₛᵀ @ Xₛ)ᵀ = Xₜ @ Wᵀ + Σ_{s<t} (Xₜ @ Xₛᵀ) @ Dₛ,

and the T products with W become one large one, Z = X @ Wᵀ. So do the T updates, W ← W + Dᵀ @ X.
What remains are small corrections with parts of the Gram matrix X @ Xᵀ, which do not depend on W
either: a second thread prepares them. The block is halved: when its first half is done, it corrects
the whole second half in one product; each half is treated likewise. BLAS then reads W twice for T
minibatches instead of 2T times. (s-step gradient descent, for linear models: Devarakonda & Demmel
2020, "Avoiding communication in logistic regression", arXiv 2011.08281.)

The biases are the weights of one more input, which is always 1. Inputs that are 0 in a whole block
are left out of its products (see `blocked_inputs`).

In exact arithmetic (see `exact`) the inputs are grey levels, integers from 0 to L, and the weights
are W/L, multiples of 2^-40. Then D = -(η/m)·δ/L² is rounded to the same grid, and D.T @ X adds to
the weights without rounding. All sums are exact as long as they are below 2^53·2^-40 = 8192. A
bound on them is kept: that of the weights, and what each minibatch may add. It is computed anew
where a block starts with a quarter of that. Where it reaches half of that, the block ends early and
the next one starts, which does not change the result. The other half is for what the last minibatch
adds; one that would add more ends the training.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import idamax

from nn.blas import Product, bind_gemm, bind_unlocked_gemm
from nn.exact.grids import DivergedError
from nn.exact.portable import shifter
from nn.network import Network
from nn.threads import in_two_threads
from nn.training.blocked_inputs import BlockedInputs

_GRID = -40
_SHIFTER = shifter(_GRID)
_CAPACITY = 2.0 ** (52 + _GRID)
_TOO_LARGE = "weights have become too large for exact arithmetic"
# Samples of a block: more make the large products faster, and the corrections slower.
_ROWS = 80


def minibatches_in_block(batch_size: int) -> int:
    """T for minibatches of so many samples."""
    return max(1, _ROWS // batch_size)


def resolves(rate: float, levels: int) -> bool:
    """Whether the grid is fine enough for errors δ from 2^-12 up, with a factor of η/m."""
    return rate * 2.0**-12 >= levels**2 * 2.0**_GRID


class Part:
    """A part of the inputs and their weights, which is the work of one thread.

    Attributes:
        w: (units, inputs) weights; in exact arithmetic on the grid.
        z: (T·m, units) the part's share of the weighted inputs of a block's samples, with the
            weights at the start of the block.
    """

    def __init__(self, width: int, constants: Sequence[float], size: int, d: NDArray) -> None:
        """Allocate memory.

        Args:
            width: Number of inputs.
            constants: Values of the first inputs, those that never change.
            size: Samples in a block, T·m.
            d: (T·m, units) D of the block's minibatches.
        """
        units = d.shape[1]
        self._x = np.empty((size, width), d.dtype)
        self._first = len(constants)
        self._x[:, : self._first] = constants
        self.w = np.empty((units, width), d.dtype)
        self.z = np.empty((size, units), d.dtype)
        self._d = d
        self._bound_products = cache(self._bind)
        self._update: Product | None = None

    def start(self, inputs: NDArray, scale: float) -> None:
        """End the block in progress, and compute z of the next one, times `scale`.

        Args:
            inputs: (n, k), the first inputs after the constants; the others are 0.
            scale: The factor.
        """
        self.finish()
        n, k = len(inputs), self._first + inputs.shape[1]
        np.copyto(self._x[:n, self._first : k], inputs)
        forward, self._update = self._bound_products(n, k)
        forward(scale)

    def finish(self) -> None:
        """End the block in progress, if there is one."""
        if self._update is not None:
            self._update(1.0, 1.0)
            self._update = None

    def _bind(self, n: int, k: int) -> tuple[Product, Product]:
        x, w, d = self._x[:n, :k], self.w[:, :k], self._d[:n]
        return bind_unlocked_gemm(x, w.T, out=self.z[:n]), bind_unlocked_gemm(d.T, x, out=w)


class BlockedLayer:
    """The first layer of a network, for training on blocks of minibatches.

    Attributes:
        parts: Two, so that two threads share each large product.
        d: (T·m, units) D of the block's minibatches.
    """

    def __init__(
        self,
        network: Network,
        size: int,
        columns: Sequence[NDArray[np.intp]],
        levels: int,
        *,
        exact: bool,
    ) -> None:
        """Allocate memory.

        Args:
            network: The network; see `load` and `store`.
            size: Samples in a block, T·m.
            columns: The inputs of each part; see `blocked_inputs.parts_by_use`.
            levels: L, the factor of the inputs; 1 for none.
            exact: Whether arithmetic is exact.
        """
        units, inputs = network.weights[0].shape
        dtype = np.dtype(np.float64) if exact else network.dtype
        self.network, self._levels, self._exact = network, levels, exact
        # As columns of the weights and biases side by side.
        self._columns = [columns[0], np.concatenate([[inputs], columns[1]])]
        self.d = np.zeros((size, units), dtype)
        self.parts = [
            Part(len(own), constants, size, self.d)
            for own, constants in zip(self._columns, ((), (float(levels),)), strict=True)
        ]
        self._most_input = levels * (inputs + 1)
        self._bound = math.inf

    def load(self) -> None:
        """Copy weights and biases from the network."""
        network = self.network
        joined = np.concatenate([network.weights[0], network.biases[0][:, None]], axis=1)
        for part, columns in zip(self.parts, self._columns, strict=True):
            part.w[...] = joined[:, columns]
            part.w /= self._levels
            if self._exact:
                part.w += _SHIFTER
                part.w -= _SHIFTER
        self._bound = math.inf

    def start(self, inputs: Sequence[NDArray]) -> None:
        """End the block in progress, and compute z of the next.

        Args:
            inputs: See `blocked_inputs.BlockedInputs.of_block`.

        Raises:
            DivergedError: If the weights are too large for exact arithmetic.
        """
        scale = self.network.units[0].input_scale
        in_two_threads(
            *(partial(part.start, x, scale) for part, x in zip(self.parts, inputs, strict=True))
        )
        self.check()

    def store(self) -> None:
        """End the block in progress, and copy weights and biases to the network."""
        in_two_threads(*(part.finish for part in self.parts))
        joined = np.empty((self.d.shape[1], self.network.sizes[0] + 1), self.d.dtype)
        for part, columns in zip(self.parts, self._columns, strict=True):
            joined[:, columns] = part.w
        joined *= self._levels
        self.network.weights[0][...] = joined[:, :-1]
        self.network.biases[0][...] = joined[:, -1]

    def check(self) -> None:
        """Bound the sums of a block; raises DivergedError if they could be too large."""
        if not self._exact or self._bound < _CAPACITY / 2:
            return
        weights = [part.w for part in self.parts]
        largest = max(abs(w.item(idamax(w.reshape(-1)))) for w in weights)
        self._bound = self._most_input * largest
        if not self._bound < _CAPACITY:
            # A closer bound, which takes longer to compute.
            sums = np.abs(np.concatenate(weights, axis=1)).sum(axis=1)
            self._bound = self._levels * float(sums.max())
        if not self._bound < _CAPACITY:
            raise DivergedError(_TOO_LARGE)

    def bind_add(self, delta: NDArray, rows: slice) -> Callable[[float], bool]:
        """Prepare to take in the errors of a minibatch, with a factor of η/m.

        Args:
            delta: (m, units) ∂C/∂z of each sample.
            rows: Place of the minibatch in the block.

        Returns:
            A function that tells whether the bound still holds. It raises DivergedError if the
            minibatch alone could exceed the exact range.
        """
        d, squared_levels = self.d[rows], float(self._levels**2)
        if not self._exact:

            def add(rate: float) -> bool:
                np.multiply(delta, -rate / squared_levels, out=d)
                return True

            return add

        flat = d.reshape(-1)
        alone = len(d) * self._levels
        share = alone * self._most_input

        def add_exactly(rate: float) -> bool:
            np.multiply(delta, -rate / squared_levels, out=d)
            np.add(d, _SHIFTER, out=d)
            np.subtract(d, _SHIFTER, out=d)
            largest = abs(flat.item(idamax(flat)))
            if not alone * largest < _CAPACITY:
                raise DivergedError(_TOO_LARGE)
            self._bound += share * largest
            return self._bound < _CAPACITY

        return add_exactly


class Block:
    """A block of minibatches; its products are prepared once.

    Attributes:
        weighted_inputs: For each minibatch, the calls that compute z, times the unit's input scale.
    """

    def __init__(
        self,
        layer: BlockedLayer,
        inputs: BlockedInputs,
        number: int,
        outputs: Sequence[NDArray],
        deltas: Sequence[NDArray],
    ) -> None:
        """Prepare the products.

        Args:
            layer: The layer.
            inputs: The inputs of the chunk.
            number: Of the block in the chunk.
            outputs: For each minibatch, (m, units): where its weighted inputs go.
            deltas: For each minibatch, (m, units): where its errors come from.
        """
        self._layer = layer
        self._stops = stops = list(accumulate(map(len, outputs)))
        rows = [slice(stop - len(z), stop) for stop, z in zip(stops, outputs, strict=True)]
        self._inputs = partial(inputs.of_block, number, stops[-1])
        first, second = (part.z for part in layer.parts)
        self.weighted_inputs: list[list[Callable[[], object]]] = [
            [partial(np.add, first[place], second[place], output)]
            for place, output in zip(rows, outputs, strict=True)
        ]
        scale = layer.network.units[0].input_scale
        for t, (later, sooner, products) in enumerate(inputs.corrections(number), start=1):
            z = first[: stops[-1]][later]
            if len(z):
                product = bind_gemm(products[: len(z)], layer.d[sooner], out=z)
                self.weighted_inputs[t].insert(0, partial(product, scale, 1.0))
        self._adds = [layer.bind_add(d, place) for d, place in zip(deltas, rows, strict=True)]

    def start(self) -> None:
        """Compute Z with the weights as they are after the block before; see `BlockedLayer`."""
        self._layer.start(self._inputs())

    def add(self, t: int, rate: float) -> None:
        """Take in the errors of minibatch t, with a factor of η/m."""
        if not self._adds[t](rate) and t < len(self._adds) - 1:
            # What has been added must not be added again, nor what is left of an earlier block.
            self._layer.d[self._stops[t] :] = 0.0
            self.start()
            self._layer.d[: self._stops[t]] = 0.0
