"""Backpropagation in preallocated arrays, as used in training; see `backpropagation`.

An epoch of the article's configuration has 6 000 steps of some 30 µs. At this scale a temporary
array, a second pass over the weights or the lookup of a name takes as long as arithmetic. All steps
make the same calls on the same arrays, so the calls are prepared once, in a list.

In exact arithmetic (see `exact`) the arrays are float64, and the operands of matrix products are
rounded to their grids first.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.activations import ACTIVATIONS
from nn.blas import Product, bind_gemm, bind_row_sum
from nn.exact.grids import (
    ACTIVATION_BITS,
    bind_exact_gradients,
    bind_rounding,
    bind_weight_rounding,
    delta_bits,
    output_bits,
)
from nn.losses import LOSSES
from nn.network import Network
from nn.regularization import NONE, Regularization, draw_mask
from nn.training.batches import Samples

# float32 or float64, or in exact arithmetic always float64.
Array = NDArray[Any]


class TrainingStep:
    """Forward and backward pass of one minibatch.

    Attributes:
        network: The network; its arrays are not copied, so updates in place are seen.
        size: Number of samples in the minibatch, m.
        samples: (m, d) images, (m, classes) targets, and weights if there are any; see `bind_load`.
        regularization: Dropout is applied here, the penalties and max-norm by the optimizer.
        exact: Whether arithmetic is exact.
        blocked: Whether a `BlockedLayer` computes the first layer: it sets activations[0] to
            weighted inputs before `calls`, and reads deltas[0].
        inputs: Input of each layer, (m, units in): the activations below it, after dropout.
        activations: Activations of each layer, (m, units out): aˡ = σ(aˡ⁻¹ @ Wˡ.T + bˡ).
        deltas: ∂C/∂z of each layer and sample, (m, units out): δᴸ = ∂C/∂zᴸ and
            δˡ = (δˡ⁺¹ @ Wˡ⁺¹) ⊙ σ'(zˡ).
        calls: The calls that compute activations and deltas of the samples.
    """

    def __init__(
        self,
        network: Network,
        size: int,
        rng: np.random.Generator,
        regularization: Regularization = NONE,
        *,
        weighted: bool = False,
        exact: bool = False,
        blocked: bool = False,
    ) -> None:
        """Allocate the arrays and prepare the calls.

        Args:
            network: The network; float32 if `exact`.
            size: m, at least 1.
            rng: Generator of dropout; not used without dropout.
            regularization: Its dropout probabilities are used.
            weighted: Whether the samples have weights.
            exact: Whether arithmetic is exact.
            blocked: Whether the first layer is left to a `BlockedLayer`.
        """
        dtype = np.dtype(np.float64) if exact else network.dtype

        def rows(units: int) -> Array:
            return np.empty((size, units), dtype)

        ins, outs = network.sizes[:-1], network.sizes[1:]
        self.network, self.size, self.regularization = network, size, regularization
        self.exact, self.blocked = exact, blocked
        self.samples = Samples(
            rows(0 if blocked else ins[0]), rows(outs[-1]), rows(1)[:, 0] if weighted else None
        )
        self.activations, self.deltas, self._scratch = (
            [rows(units) for units in outs] for _ in range(3)
        )
        self._dropout = regularization.dropout(len(ins))
        self._masks = [
            rows(units) if chance else None
            for units, chance in zip(ins, self._dropout, strict=True)
        ]
        self._below = [self.samples.images, *self.activations[:-1]]
        # Without dropout the inputs of a layer are the activations below it, not a copy.
        self.inputs = [
            a if mask is None else np.empty_like(a)
            for a, mask in zip(self._below, self._masks, strict=True)
        ]
        self._operands: list[Array] = [
            np.empty(w.shape) if exact and not (blocked and layer == 0) else w
            for layer, w in enumerate(network.weights)
        ]
        self.calls = [*self._plan_forward(rng), *self._plan_backward()]

    def bind_load(self, samples: Samples) -> list[Callable[[], object]]:
        """The calls that copy `size` samples; not their images, if the first layer is blocked."""
        return [
            partial(np.copyto, mine, theirs)
            for mine, theirs in zip(self.samples, samples, strict=True)
            if mine is not None and theirs is not None and mine.size
        ]

    def bind_gradients(self, layer: int, weights: Array, biases: Array) -> tuple[Product, Product]:
        """Prepare the sums of a layer's gradients over the samples.

        Args:
            layer: Its number.
            weights: Where the weights' goes, (units, units below); see `blas.bind_gemm`.
            biases: Where the biases' goes, (units,).
        """
        delta = self.deltas[layer]
        if self.exact:
            return bind_exact_gradients(delta, self.inputs[layer], weights, biases)
        return (
            bind_gemm(delta.T, self.inputs[layer], out=weights),
            bind_row_sum(delta, out=biases),
        )

    def _plan_forward(self, rng: np.random.Generator) -> Iterator[Callable[[], object]]:
        last = len(self.activations) - 1
        layers = zip(self.network.weights, self.network.biases, self.network.units, strict=True)
        for layer, (w, b, unit) in enumerate(layers):
            z = self.activations[layer]
            if not (self.blocked and layer == 0):
                a, mask = self.inputs[layer], self._masks[layer]
                if mask is not None:
                    yield partial(draw_mask, mask, self._dropout[layer], rng)
                    yield partial(np.multiply, self._below[layer], mask, a)
                if self.exact:
                    # Hidden sigmoid and tanh units are on their grid already.
                    if layer == 0 or mask is not None or self.network.activation == "relu":
                        yield bind_rounding(a, ACTIVATION_BITS)
                    scale, scaled_b = np.array(unit.input_scale), np.empty(b.shape)
                    yield bind_weight_rounding(w, self._operands[layer])
                    yield partial(np.multiply, b, scale, scaled_b)
                    # The scale is a power of two, so the product stays exact.
                    yield partial(bind_gemm(a, self._operands[layer].T, out=z), unit.input_scale)
                    yield partial(np.add, z, scaled_b, z)
                else:
                    # z ← b, then z ← k·a @ W.T + k·z: faster than adding b and scaling afterwards.
                    yield partial(np.copyto, z, b)
                    yield partial(bind_gemm(a, w.T, out=z), unit.input_scale, unit.input_scale)
            if self.exact:
                bits = output_bits(self.network.loss) if layer == last else ACTIVATION_BITS
                yield unit.bind_exact(z, bits)
            else:
                yield partial(unit.apply, z)

    def _plan_backward(self) -> Iterator[Callable[[], object]]:
        output_delta = LOSSES[self.network.loss].output_delta
        multiply_by_derivative = ACTIVATIONS[self.network.activation].multiply_by_derivative
        delta, (_, targets, weights) = self.deltas[-1], self.samples
        yield partial(output_delta, self.activations[-1], targets, delta, self._scratch[-1])
        if weights is not None:
            yield partial(np.multiply, delta, weights[:, None], delta)
        yield from self._plan_rounding(len(self.deltas) - 1)
        for layer in reversed(range(len(self.deltas) - 1)):
            above, delta, mask = delta, self.deltas[layer], self._masks[layer + 1]
            yield bind_gemm(above, self._operands[layer + 1], out=delta)
            if mask is not None:
                yield partial(np.multiply, delta, mask, delta)
            yield partial(
                multiply_by_derivative, delta, self.activations[layer], self._scratch[layer]
            )
            yield from self._plan_rounding(layer)

    def _plan_rounding(self, layer: int) -> Iterator[Callable[[], object]]:
        # A blocked layer rounds to a grid of its own.
        if self.exact and not (self.blocked and layer == 0):
            units, inputs = self.network.weights[layer].shape
            yield bind_rounding(self.deltas[layer], delta_bits(units, inputs, self.size))
