"""A fully connected network, and the forward pass through it.

Layer l computes  zˡ = aˡ⁻¹ @ Wˡ.T + bˡ  and  aˡ = σ(zˡ)  (Nielsen, chapter 2, equation 25, with one
sample per row). In hidden layers, σ is a function of `activations`; in the last layer it belongs to
the loss. The activations of the last layer are the scores of the classes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.activations import ACTIVATIONS, Activation, Array
from nn.backpropagation import forward, plain_layers
from nn.checks.arrays import are_targets, require_values, square
from nn.classifier import Classifier
from nn.exact.grids import round_weights
from nn.images.info import DatasetInfo
from nn.initialization import random_layer
from nn.losses import LOSSES, Loss
from nn.scores import PreparedNetwork
from nn.threads import limit_blas_threads

# Rows at a time in float64, so that memory does not grow with their number.
_CHUNK = 500


@dataclass(repr=False)
class Network(Classifier):
    """A multilayer perceptron: weights, biases, and the description of its inputs and outputs.

    Attributes:
        weights: One array per layer, (units out, units in), float32 or float64.
        biases: One array per layer, (units out,), of the same dtype.
        data: Description of inputs and outputs, or only the names of the classes; its fields are
            attributes of the network too: `network.classes`.
        activation: Activation function of the hidden units, a key of `activations.ACTIVATIONS`.
        loss: Loss that training minimizes, a key of `losses.LOSSES`; it determines the activation
            function of the outputs.
    """

    weights: list[Array]
    biases: list[Array]
    data: DatasetInfo
    activation: str = "sigmoid"
    loss: str = "quadratic"
    _prepared: PreparedNetwork | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.data, DatasetInfo):
            self.data = DatasetInfo(tuple(self.data))

    def __repr__(self) -> str:
        """One line, `<Network 784-100-10, sigmoid, quadratic loss, float32, 79510 parameters>`."""
        layers = "-".join(map(str, self.sizes))
        parameters = sum(a.size for a in (*self.weights, *self.biases))
        return (
            f"<Network {layers}, {self.activation}, {self.loss} loss, {self.dtype}, "
            f"{parameters} parameters>"
        )

    @classmethod
    def initialize(
        cls,
        sizes: Sequence[int],
        rng: np.random.Generator,
        *,
        activation: str = "sigmoid",
        loss: str = "quadratic",
        initialization: str = "scaled",
        dtype: type[np.float32] | type[np.float64] = np.float32,
        **description: Any,
    ) -> Self:
        """Create a network with random weights.

        Args:
            sizes: Number of inputs and number of units of each layer, such as `[784, 100, 10]`.
            rng: Random number generator; the same state gives the same network.
            activation: Activation function of the hidden units.
            loss: Loss that training will minimize.
            initialization: Distribution of the weights; see `initialization`.
            dtype: float32 or float64.
            **description: Fields of `DatasetInfo`; by default, the classes are "0", "1", …, and
                the images are square.

        Raises:
            ValueError: If `sizes` has fewer than two numbers or one below 1, a name is unknown, or
                `image_shape` does not fit the number of inputs.
        """
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes: expected two or more numbers of at least 1, got {sizes}")
        for what, name, known in ("activation", activation, ACTIVATIONS), ("loss", loss, LOSSES):
            if name not in known:
                raise ValueError(f"{what}: expected one of {tuple(known)}, got {name!r}")
        shape = description.pop("image_shape", None) or square(sizes[0])
        if shape is not None and math.prod(shape) != sizes[0]:
            raise ValueError(f"image_shape: expected {sizes[0]} pixels, got {shape}")
        gains = [ACTIVATIONS[activation].gain] * (len(sizes) - 2) + [LOSSES[loss].output.gain]
        layers = [
            random_layer(initialization, (units, fan_in), gain, rng, dtype)
            for (fan_in, units), gain in zip(pairwise(sizes), gains, strict=True)
        ]
        classes = description.pop("classes", None) or map(str, range(sizes[-1]))
        data = DatasetInfo(tuple(classes), image_shape=shape, **description)
        return cls([w for w, _ in layers], [b for _, b in layers], data, activation, loss)

    def copy(self) -> Self:
        """A copy of the network and its arrays."""
        return replace(
            self,
            weights=[w.copy(order="K") for w in self.weights],
            biases=[b.copy() for b in self.biases],
        )

    def on_grid(self) -> Self:
        """The same float32 network with weights on the grid on which it is evaluated (see `exact`).

        They are what `scores` rounds them to, so scores do not change.
        """
        rounded = [round_weights(w).astype(np.float32, order="C") for w in self.weights]
        return replace(self, weights=rounded, biases=[b.copy() for b in self.biases])

    @property
    def members(self) -> "tuple[Network, ...]":  # type: ignore[override]
        """The network itself, so that a network is used as an ensemble of one."""
        return (self,)

    @property
    def units(self) -> list[Activation]:
        """Activation function of each layer, in order."""
        hidden = [ACTIVATIONS[self.activation]] * (len(self.weights) - 1)
        return [*hidden, self.loss_function.output]

    @property
    def loss_function(self) -> Loss:
        """The loss that training minimizes."""
        return LOSSES[self.loss]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of inputs, and number of units of each layer."""
        return (self.weights[0].shape[1], *(len(b) for b in self.biases))

    @property
    def dtype(self) -> np.dtype:
        """Type of the weights, and of everything that the network computes: float32 or float64."""
        return self.weights[0].dtype

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
        rows, inputs = np.asanyarray(images), self.weights[0].shape[1]
        if rows.ndim not in (1, 2) or rows.shape[-1] != inputs:
            wanted = f"({inputs},) or (n, {inputs})"
            raise ValueError(f"images: expected shape {wanted}, got {rows.shape}")
        if rows.dtype.kind != "f":
            raise ValueError(
                f"images: expected floats in [0, 1], got {rows.dtype}; scale raw pixels first: "
                "network.prepare(…)"
            )
        return self._forward(rows[None])[0] if rows.ndim == 1 else self._forward(rows)

    def require_inputs(self, images: NDArray) -> None:
        """Raise ValueError unless all values of (n, d) images are valid inputs.

        These are the numbers in [0, 1] if the network was trained on pixels of another range, which
        `prepare` scales; else, it may have been trained on features of any range.
        """
        require_values("images", images, *self._limits)

    @property
    def _limits(self) -> tuple[float, float]:
        return (-math.inf, math.inf) if self.pixel_range == (0.0, 1.0) else (0.0, 1.0)

    def require_shapes(self) -> None:
        """Raise ValueError unless the arrays of all layers fit each other."""
        if not self.weights or len(self.weights) != len(self.biases):
            raise ValueError(
                "expected an array of weights and one of biases for each layer, got "
                f"{len(self.weights)} and {len(self.biases)}"
            )
        types = {str(a.dtype) for a in self.weights + self.biases}
        if types not in ({"float32"}, {"float64"}):
            raise ValueError(
                f"expected weights and biases all float32 or all float64, got {sorted(types)}"
            )
        inputs = self.weights[0].shape[-1:]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            if w.shape != (*b.shape, *inputs) or w.ndim != 2:
                raise ValueError(
                    f"layer {k}: expected biases of shape (units,) and weights of shape (units, "
                    f"{inputs[0] if inputs else 'inputs'}), got {b.shape} and {w.shape}"
                )
            inputs = b.shape

    def require_samples(self, images: NDArray, targets: NDArray) -> None:
        """Raise ValueError unless images are an array (n, d), n ≥ 1, and targets (n, classes).

        Each row of targets must add up to 1.
        """
        for name, array in (("images", images), ("targets", targets)):
            if not isinstance(array, np.ndarray):
                raise ValueError(
                    f"{name}: expected a NumPy array, got {type(array).__name__}; write "
                    f"np.array({name}, dtype=np.{self.dtype})"
                )
        n, d, classes = len(images), self.sizes[0], self.sizes[-1]
        if targets.shape == (n,):
            raise ValueError(
                f"targets: expected one-hot rows, shape ({n}, {classes}), got shape ({n},); for "
                f"labels from 0 to {classes - 1}, write np.eye({classes}, dtype=np.{self.dtype})"
                "[labels]"
            )
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
        """Scores of (n, d) rows."""
        if self.dtype == np.float32:
            if self._prepared is None or not self._prepared.fits(self):
                self._prepared = PreparedNetwork(self)
            return self._prepared.scores(rows, *self._limits)
        self.require_inputs(rows)
        outputs = np.empty((len(rows), self.sizes[-1]))
        layers = plain_layers(self)
        with limit_blas_threads():
            for k in range(0, len(rows), _CHUNK):
                part = slice(k, k + _CHUNK)
                outputs[part] = forward(layers, np.asarray(rows[part], np.float64))
        return outputs

    def __getstate__(self) -> dict[str, Any]:
        # What is prepared for scores is neither copied nor pickled.
        return vars(self) | {"_prepared": None}
