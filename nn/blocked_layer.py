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

The biases are the weights of one more input, which is always 1.

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
from functools import partial
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import idamax

from nn.blas import Product, bind_gemm, bind_unlocked_gemm, in_two_threads
from nn.blocked_inputs import Correction
from nn.exact import DivergedError
from nn.network import Network
from nn.portable import shifter

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


class BlockedLayer:
    """The first layer of a network, for training on blocks of minibatches.

    The inputs are split in two halves, so that two threads share each large product.

    Attributes:
        halves: The inputs of each half; the second has the constant one in addition.
        x: For each half (T·m, inputs), its inputs of the block in progress.
        w: For each half (units, inputs) weights, the biases last; in exact arithmetic divided by L,
            on the grid.
        z: For each half (T·m, units), its part of the weighted inputs of a block's samples with the
            weights at the start of the block.
        d: (T·m, units) D of the block's minibatches.
    """

    def __init__(self, network: Network, size: int, levels: int | None) -> None:
        """Allocate memory.

        Args:
            network: The network; see `load` and `store`.
            size: Samples in a block, T·m.
            levels: L in exact arithmetic, else None.
        """
        units, d = network.weights[0].shape
        dtype = np.dtype(np.float64) if levels else network.dtype
        self.network, self.levels = network, levels
        self.halves = slice(0, (d + 1) // 2), slice((d + 1) // 2, d)
        widths = self.halves[0].stop, d + 1 - self.halves[0].stop
        self.x = [np.empty((size, width), dtype) for width in widths]
        self.x[1][:, -1] = levels or 1.0
        self.w = [np.empty((units, width), dtype) for width in widths]
        self.z = [np.empty((size, units), dtype) for _ in self.halves]
        self.d = np.zeros((size, units), dtype)
        # Of the block that is in progress, one product for each half.
        self.updates: list[Product] = []
        self._most_input = (levels or 1) * (d + 1)
        self._bound = math.inf

    def load(self) -> None:
        """Copy weights and biases from the network."""
        network = self.network
        joined = np.concatenate([network.weights[0], network.biases[0][:, None]], axis=1)
        for w, columns in zip(self.w, np.split(joined, [self.halves[0].stop], axis=1), strict=True):
            w[...] = columns
            if self.levels:
                w /= self.levels
                w += _SHIFTER
                w -= _SHIFTER
        self._bound = math.inf

    def store(self) -> None:
        """End the block in progress, and copy weights and biases to the network."""
        if self.updates:
            in_two_threads(*(partial(update, 1.0, 1.0) for update in self.updates))
            self.updates = []
        joined = np.concatenate(self.w, axis=1) * (self.levels or 1)
        self.network.weights[0][...] = joined[:, :-1]
        self.network.biases[0][...] = joined[:, -1]

    def check(self) -> None:
        """Bound the sums of a block; raises DivergedError if they could be too large."""
        if not self.levels or self._bound < _CAPACITY / 2:
            return
        largest = max(abs(w.item(idamax(w.reshape(-1)))) for w in self.w)
        self._bound = self._most_input * largest
        if not self._bound < _CAPACITY:
            # A closer bound, which takes longer to compute.
            sums = np.abs(np.concatenate(self.w, axis=1)).sum(axis=1)
            self._bound = self.levels * float(sums.max())
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
        d = self.d[rows]
        if not self.levels:

            def add(rate: float) -> bool:
                np.multiply(delta, -rate, out=d)
                return True

            return add

        flat, squared_levels = d.reshape(-1), float(self.levels**2)
        alone = len(d) * self.levels
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
        inputs: NDArray,
        corrections: Sequence[Correction],
        outputs: Sequence[NDArray],
        deltas: Sequence[NDArray],
    ) -> None:
        """Prepare the products.

        Args:
            layer: The layer.
            inputs: (n, d) inputs of the block's samples.
            corrections: One for each minibatch but the first, which is made before it.
            outputs: For each minibatch, (m, units): where its weighted inputs go.
            deltas: For each minibatch, (m, units): where its errors come from.
        """
        self._layer = layer
        self._stops = stops = list(accumulate(map(len, outputs)))
        rows = [slice(stop - len(z), stop) for stop, z in zip(stops, outputs, strict=True)]
        self._scale = layer.network.units[0].input_scale
        n = len(inputs)
        self._copies = [
            partial(np.copyto, x[:n, : half.stop - half.start], inputs[:, half])
            for half, x in zip(layer.halves, layer.x, strict=True)
        ]
        self._forward = [
            bind_unlocked_gemm(x[:n], w.T, out=z[:n])
            for x, w, z in zip(layer.x, layer.w, layer.z, strict=True)
        ]
        self._update = [
            bind_unlocked_gemm(layer.d[:n].T, x[:n], out=w)
            for x, w in zip(layer.x, layer.w, strict=True)
        ]
        self.weighted_inputs: list[list[Callable[[], object]]] = [
            [partial(np.add, *(z[place] for z in layer.z), output)]
            for place, output in zip(rows, outputs, strict=True)
        ]
        for t, (later, sooner, products) in enumerate(corrections, start=1):
            z = layer.z[0][:n][later]
            if len(z):
                product = bind_gemm(products[: len(z)], layer.d[sooner], out=z)
                self.weighted_inputs[t].insert(0, partial(product, self._scale, 1.0))
        self._adds = [layer.bind_add(d, place) for d, place in zip(deltas, rows, strict=True)]

    def start(self) -> None:
        """Compute Z with the weights as they are after the block before.

        Raises:
            DivergedError: If the weights are too large for exact arithmetic.
        """
        before: list[Product | None] = [*self._layer.updates] or [None, None]
        in_two_threads(*(partial(self._start_half, k, update) for k, update in enumerate(before)))
        self._layer.updates = self._update
        self._layer.check()

    def _start_half(self, k: int, update: Product | None) -> None:
        if update is not None:
            update(1.0, 1.0)
        self._copies[k]()
        self._forward[k](self._scale)

    def add(self, t: int, rate: float) -> None:
        """Take in the errors of minibatch t, with a factor of η/m."""
        if not self._adds[t](rate) and t < len(self._adds) - 1:
            # What has been added must not be added again, nor what is left of an earlier block.
            self._layer.d[self._stops[t] :] = 0.0
            self.start()
            self._layer.d[: self._stops[t]] = 0.0
