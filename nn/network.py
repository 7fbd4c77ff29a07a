"""A fully connected network, and the forward pass through it.

Layer l computes  zˡ = aˡ⁻¹ @ Wˡ.T + bˡ  and  aˡ = σ(zˡ)  (Nielsen, chapter 2, equation 25, with one
sample a row); σ is any function of `activations`, in the last layer the one that belongs to the
loss. The activations of the last layer are the class scores.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.activations import ACTIVATIONS, Unit
from nn.blas import Array, bind_product, single_threaded
from nn.initialization import random_layer
from nn.losses import LOSSES
from nn.pixels import scale, square

# Big enough for BLAS to run at full speed, small enough that a layer's activations stay in the
# processor's cache; memory for predictions does not grow with the number of images.
_CHUNK = 500


@dataclass
class Network:
    """Weights and biases, with what a person needs to know to use them.

    Attributes:
        weights: One array a layer, (units out, units in), C-ordered, float32 or float64.
        biases: One array a layer, (units out,), of the same dtype.
        classes: The name of each output, in order.
        pixel_range: The raw pixel values that became the inputs 0 and 1; see `scale`.
        activation: The function of the hidden units, a name in `activations.ACTIVATIONS`.
        loss: What it is trained to minimise, a name in `losses.LOSSES`; it decides the function of
            the outputs.
        image_shape: Height and width of the images that the rows are, None if they are none.
    """

    weights: list[Array]
    biases: list[Array]
    classes: tuple[str, ...]
    pixel_range: tuple[float, float] = (0.0, 1.0)
    activation: str = "sigmoid"
    loss: str = "quadratic"
    image_shape: tuple[int, int] | None = None

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
        dtype: type[np.float32] | type[np.float64] = np.float32,
    ) -> Self:
        """A network with random weights, ready to be trained.

        Args:
            sizes: Units of every layer, inputs first: `[784, 100, 10]`.
            rng: Where the randomness comes from; the same state gives the same network.
            activation: The function of the hidden units.
            loss: What training will minimise.
            initialization: How the weights are drawn; see `initialization`.
            classes: Names of the outputs; by default "0", "1", …
            pixel_range: See `scale`.
            image_shape: Height and width of an image; by default, those of a square one.
            dtype: float32 or float64.

        Raises:
            ValueError: If `sizes` has no layer or a size below 1, a name is unknown, or the images
                have another number of pixels.
        """
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"a network needs inputs and outputs, at least 1 of each: {sizes}")
        for what, name, known in (
            ("activation", activation, ACTIVATIONS),
            ("loss", loss, LOSSES),
        ):
            if name not in known:
                raise ValueError(f"{what} {name!r} is none of {tuple(known)}")
        shape = square(sizes[0]) if image_shape is None else image_shape
        if shape is not None and math.prod(shape) != sizes[0]:
            raise ValueError(f"image_shape: {shape} are not {sizes[0]} pixels")
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
        )

    def copy(self) -> Self:
        """The same network in arrays of its own."""
        return replace(
            self, weights=[w.copy() for w in self.weights], biases=[b.copy() for b in self.biases]
        )

    @property
    def units(self) -> list[Unit]:
        """The function of each layer of weights, in order."""
        hidden = ACTIVATIONS[self.activation].unit
        return [hidden] * (len(self.weights) - 1) + [LOSSES[self.loss].output]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of every layer, inputs first."""
        return (self.weights[0].shape[1], *(len(b) for b in self.biases))

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64: the precision of everything the network computes."""
        return self.weights[0].dtype

    def scale(self, pixels: ArrayLike) -> Array:
        """Raw pixels, any shape, as inputs of this network: `pixel_range` becomes [0, 1]."""
        return scale(pixels, self.pixel_range, self.dtype)

    def scores(self, images: ArrayLike) -> Array:
        """Activations of the output layer.

        Args:
            images: One image, (d,), or many, (n, d): floats in [0, 1]. Raw integer pixels are
                refused; turn them into inputs with `scale`. Memory-mapped arrays are read in
                pieces, so that n may exceed what memory holds.

        Returns:
            (classes,) for one image, (n, classes) for many; each from 0 to 1. Same dtype as the
            weights.

        Raises:
            ValueError: If the shape or the dtype does not fit the network.
        """
        rows = np.asanyarray(images)
        if rows.ndim not in (1, 2) or rows.shape[-1] != self.sizes[0]:
            wanted = f"({self.sizes[0]},) or (n, {self.sizes[0]})"
            raise ValueError(f"images have shape {rows.shape}; this network takes {wanted}")
        if not np.issubdtype(rows.dtype, np.floating):
            raise ValueError(f"images are {rows.dtype}; scale raw pixels first: network.scale(…)")
        outputs = self._forward(np.atleast_2d(rows))
        return outputs[0] if rows.ndim == 1 else outputs

    def probabilities(self, images: ArrayLike) -> Array:
        """Scores divided by their sum: how sure the network is of each class. Shapes as `scores`.

        Each sigmoid output estimates the probability of "this class, not any other" on its own
        (Bishop 1995, §6.6); dividing by the sum makes them a distribution over the classes. The
        outputs of a softmax are one already.
        """
        scores = self.scores(images)
        # A score can round to 0 but a sum of 0 must not become nan: the classes are then equal.
        scores += np.finfo(self.dtype).tiny
        return scores / scores.sum(axis=-1, keepdims=True)

    def predict(self, images: ArrayLike) -> NDArray[np.intp]:
        """Index of the highest score: a scalar for one image, (n,) for many."""
        return self.scores(images).argmax(axis=-1)

    def require_samples(self, images: NDArray, targets: NDArray) -> None:
        """Raise ValueError unless images are (n, d) and targets (n, classes), with n at least 1."""
        n, d, classes = len(images), self.sizes[0], self.sizes[-1]
        if n == 0 or images.shape != (n, d) or targets.shape != (n, classes):
            raise ValueError(
                f"images have shape {images.shape} and targets {targets.shape}; this network takes "
                f"(n, {d}) and (n, {classes}), with n at least 1"
            )

    def _forward(self, rows: NDArray) -> Array:
        """Class scores of (n, d) rows, one chunk after another."""
        outputs = np.empty((len(rows), self.sizes[-1]), self.dtype)
        with single_threaded():
            for start in range(0, len(rows), _CHUNK):
                a = np.ascontiguousarray(rows[start : start + _CHUNK], dtype=self.dtype)
                for w, b, unit in zip(self.weights, self.biases, self.units, strict=True):
                    z = np.empty((len(a), len(b)), self.dtype)
                    z[...] = b
                    bind_product(a, w.T, out=z)(unit.input_scale, unit.input_scale)
                    a = unit.apply(z)
                outputs[start : start + _CHUNK] = a
        return outputs
