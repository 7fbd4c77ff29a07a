"""A fully connected network, and the forward pass through it.

Layer l computes  zˡ = aˡ⁻¹ @ Wˡ.T + bˡ  and  aˡ = σ(zˡ)  (Nielsen, chapter 2, equation 25, with one
sample per row). In hidden layers, σ is a function of `activations`; in the last layer it belongs to
the loss. The activations of the last layer are the scores of the classes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.activations import ACTIVATIONS, Unit
from nn.blas import Array, bind_gemm
from nn.checks import are_targets, require_values
from nn.exact.grids import SCORE_ACTIVATION_BITS, round_weights, weighted_inputs
from nn.images.deslanting import deslant
from nn.images.framing import Framing
from nn.images.pixels import scale, square
from nn.initialization import random_layer
from nn.losses import LOSSES
from nn.models.classifier import normalize
from nn.threads import limit_blas_threads

# Rows per matrix product in predictions: enough for BLAS to run at full speed, and few enough for
# the activations of a layer to stay in the processor's cache.
_CHUNK = 500


@dataclass(repr=False)
class Network:
    """A multilayer perceptron: weights, biases, and the description of its inputs and outputs.

    Attributes:
        weights: One array per layer, (units out, units in), C-ordered, float32 or float64.
        biases: One array per layer, (units out,), of the same dtype.
        classes: Name of each output, in order.
        pixel_range: Raw pixel values that correspond to the inputs 0 and 1; see `scale`.
        activation: Activation function of the hidden units, a key of `activations.ACTIVATIONS`.
        loss: Loss that training minimizes, a key of `losses.LOSSES`; it determines the activation
            function of the outputs.
        image_shape: Height and width of an image in pixels, None if unknown.
        deslanted: Whether the inputs are deslanted images; see `deslanting`.
        framing: Place and size of the objects on the images, before they are deslanted; None if
            unknown.
    """

    weights: list[Array]
    biases: list[Array]
    classes: tuple[str, ...]
    pixel_range: tuple[float, float] = (0.0, 1.0)
    activation: str = "sigmoid"
    loss: str = "quadratic"
    image_shape: tuple[int, int] | None = None
    deslanted: bool = False
    framing: Framing | None = None

    def __repr__(self) -> str:
        """One line, such as `<Network 784-100-10, sigmoid, quadratic loss, float32>`."""
        layers = "-".join(map(str, self.sizes))
        return f"<Network {layers}, {self.activation}, {self.loss} loss, {self.dtype}>"

    @classmethod
    def initialize(
        cls,
        sizes: Sequence[int],
        rng: np.random.Generator,
        *,
        activation: str = "sigmoid",
        loss: str = "quadratic",
        initialization: str = "scaled",
        classes: Sequence[str] | None = None,
        pixel_range: tuple[float, float] = (0.0, 1.0),
        image_shape: tuple[int, int] | None = None,
        deslanted: bool = False,
        framing: Framing | None = None,
        dtype: type[np.float32] | type[np.float64] = np.float32,
    ) -> Self:
        """Create a network with random weights.

        Args:
            sizes: Number of inputs and number of units of each layer, such as `[784, 100, 10]`.
            rng: Random number generator; the same state gives the same network.
            activation: Activation function of the hidden units.
            loss: Loss that training will minimize.
            initialization: Distribution of the weights; see `initialization`.
            classes: Names of the outputs; by default "0", "1", …
            pixel_range: See `scale`.
            image_shape: Height and width of an image; by default, those of a square image.
            deslanted: Whether its inputs will be deslanted images.
            framing: See above.
            dtype: float32 or float64.

        Raises:
            ValueError: If `sizes` has fewer than two numbers or one below 1, a name is unknown, or
                `image_shape` does not fit the number of inputs.
        """
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes: expected two or more numbers of at least 1, got {sizes}")
        for what, name, known in (
            ("activation", activation, ACTIVATIONS),
            ("loss", loss, LOSSES),
        ):
            if name not in known:
                raise ValueError(f"{what}: expected one of {tuple(known)}, got {name!r}")
        shape = square(sizes[0]) if image_shape is None else image_shape
        if shape is not None and math.prod(shape) != sizes[0]:
            raise ValueError(f"image_shape: expected {sizes[0]} pixels, got {shape}")
        gains = [ACTIVATIONS[activation].gain] * (len(sizes) - 2) + [LOSSES[loss].gain]
        layers = [
            random_layer(initialization, (units, fan_in), gain, rng, dtype)
            for (fan_in, units), gain in zip(pairwise(sizes), gains, strict=True)
        ]
        names = tuple(str(k) for k in range(sizes[-1])) if classes is None else tuple(classes)
        return cls(
            [w for w, _ in layers],
            [b for _, b in layers],
            names,
            pixel_range,
            activation,
            loss,
            shape,
            deslanted,
            framing,
        )

    def copy(self) -> Self:
        """A copy of the network and its arrays."""
        return replace(
            self, weights=[w.copy() for w in self.weights], biases=[b.copy() for b in self.biases]
        )

    def on_grid(self) -> Self:
        """The same float32 network with weights on the grid on which it is evaluated (see `exact`).

        They are what `scores` rounds them to, so scores do not change.
        """
        rounded = [round_weights(w).astype(np.float32) for w in self.weights]
        return replace(self, weights=rounded, biases=[b.copy() for b in self.biases])

    @property
    def members(self) -> "tuple[Network, ...]":
        """The network itself, so that a network is used as an ensemble of one."""
        return (self,)

    @property
    def units(self) -> list[Unit]:
        """Activation function of each layer, in order."""
        hidden = ACTIVATIONS[self.activation].unit
        return [hidden] * (len(self.weights) - 1) + [LOSSES[self.loss].output]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of inputs, and number of units of each layer."""
        return (self.weights[0].shape[1], *(len(b) for b in self.biases))

    @property
    def dtype(self) -> np.dtype:
        """Type of the weights, and of everything that the network computes: float32 or float64."""
        return self.weights[0].dtype

    def prepare(self, pixels: ArrayLike) -> Array:
        """Turn raw pixels into inputs, in the way in which the training images were prepared.

        Args:
            pixels: Raw pixels of one image, (d,), or many, (n, d).

        Returns:
            An array of this shape and of the dtype of the weights: scaled so that `pixel_range`
            becomes [0, 1], then deslanted if the network is for deslanted images.
        """
        images = scale(pixels, self.pixel_range, self.dtype)
        if not self.deslanted or self.image_shape is None:
            return images
        return deslant(np.atleast_2d(images), self.image_shape).reshape(images.shape)

    def scores(self, images: ArrayLike) -> Array:
        """Activations of the output layer.

        Args:
            images: One image, (d,), or many, (n, d), floats in [0, 1]; see `prepare` for raw
                pixels. Memory-mapped arrays are read in chunks, so they may be larger than the
                memory.

        Returns:
            (classes,) for one image, (n, classes) for many, from 0 to 1, in the dtype of the
            weights. A float32 network has the same scores on every processor (see `exact`).

        Raises:
            ValueError: If the shape does not fit the network, the images are integers, or a value
                is not valid; see `require_inputs`.
        """
        rows = np.asanyarray(images)
        if rows.ndim not in (1, 2) or rows.shape[-1] != self.sizes[0]:
            wanted = f"({self.sizes[0]},) or (n, {self.sizes[0]})"
            raise ValueError(f"images: expected shape {wanted}, got {rows.shape}")
        if not np.issubdtype(rows.dtype, np.floating):
            raise ValueError(
                f"images: expected floats in [0, 1], got {rows.dtype}; scale raw pixels first: "
                "network.prepare(…)"
            )
        rows = np.atleast_2d(rows)
        self.require_inputs(rows)
        outputs = self._forward(rows)
        return outputs[0] if np.ndim(images) == 1 else outputs

    def probabilities(self, images: ArrayLike) -> Array:
        """Scores divided by their sum; shapes as `scores`.

        Each sigmoid output estimates the probability of its class independently of the others
        (Bishop 1995, §6.6); divided by their sum, the outputs are a distribution over the classes.
        The outputs of a softmax layer are one already.
        """
        return normalize(self.scores(images))

    def predict(self, images: ArrayLike) -> NDArray[np.intp]:
        """Index of the highest score: a scalar for one image, (n,) for many."""
        return self.scores(images).argmax(axis=-1)

    def require_inputs(self, images: NDArray) -> None:
        """Raise ValueError unless all values of (n, d) images are valid inputs.

        These are the numbers in [0, 1] if the network was trained on pixels of another range, which
        `prepare` scales; else, it may have been trained on features of any range.
        """
        limits = (-math.inf, math.inf) if tuple(self.pixel_range) == (0, 1) else (0.0, 1.0)
        require_values("images", images, *limits)

    def require_samples(self, images: NDArray, targets: NDArray) -> None:
        """Raise ValueError unless images are (n, d), n ≥ 1, and targets (n, classes).

        Each row of targets must add up to 1.
        """
        n, d, classes = len(images), self.sizes[0], self.sizes[-1]
        if n == 0 or images.shape != (n, d) or targets.shape != (n, classes):
            raise ValueError(
                f"expected images of shape (n, {d}) and targets of shape (n, {classes}), with n at "
                f"least 1, got {images.shape} and {targets.shape}"
            )
        if not are_targets(targets):
            raise ValueError(
                "targets: expected rows of numbers from 0 that add up to 1, such as one-hot rows, "
                "got others"
            )

    def _forward(self, rows: NDArray) -> Array:
        """Scores of (n, d) rows, computed in chunks."""
        outputs = np.empty((len(rows), self.sizes[-1]), self.dtype)
        exact = self.dtype == np.float32
        operands = [round_weights(w) if exact else w for w in self.weights]
        forward = self._exact_forward if exact else self._plain_forward
        # One array for all chunks, because new memory takes longer than the arithmetic.
        chunk = np.empty((min(_CHUNK, len(rows)), self.sizes[0]), operands[0].dtype)
        with limit_blas_threads():
            for start in range(0, len(rows), _CHUNK):
                inputs = chunk[: len(rows) - start]
                np.copyto(inputs, rows[start : start + len(inputs)], casting="same_kind")
                outputs[start : start + len(inputs)] = forward(inputs, operands)
        return outputs

    def _exact_forward(self, a: NDArray, operands: list[NDArray]) -> NDArray[np.float64]:
        unit = ACTIVATIONS[self.activation].unit
        for w, b in zip(operands[:-1], self.biases[:-1], strict=True):
            a = weighted_inputs(a, w, b)
            a *= unit.input_scale
            unit.bind_exact(a, SCORE_ACTIVATION_BITS)()
        return LOSSES[self.loss].exact_scores(weighted_inputs(a, operands[-1], self.biases[-1]))

    def _plain_forward(self, a: Array, operands: list[Array]) -> Array:
        for w, b, unit in zip(operands, self.biases, self.units, strict=True):
            z = np.empty((len(a), len(b)), self.dtype)
            z[...] = b
            bind_gemm(a, w.T, out=z)(unit.input_scale, unit.input_scale)
            a = unit.apply(z)
        return a
