"""Data augmentation: random affine and elastic deformations of images.

Each pixel of the new image is interpolated from the old image at a displaced position. The field of
displacements, in pixels, is drawn for each image separately:

- affine: rotation, scaling, shear and shift of the whole image about its centre;
- elastic: smooth random displacements (Simard, Steinkraus & Platt 2003,
  "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis", §2;
  Cireşan et al. 2010, "Deep, Big, Simple Neural Nets Excel on Handwritten Digit Recognition", §2).

Simard and Cireşan blur white noise with a Gaussian of standard deviation s. The result is a
Gaussian random field with the covariance exp(-d²/4s²) between positions d pixels apart. Here the
field is drawn directly, as a sum of the columns of a Cholesky decomposition of that covariance with
random coefficients. The affine part is such a sum of the functions 1, x and y. So the sampling
positions are one matrix product: random coefficients times the functions.

The strength of all deformations may decrease along half a cosine, so that training ends with images
like those to be predicted (He et al. 2019, "Data Augmentation Revisited", who end it with images
that are augmented less).
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nn.arithmetic import operations_for
from nn.checks.hyperparameters import Range, hyperparameter, validate
from nn.exact.grids import ceil_log2, round_rows
from nn.exact.portable import exp, sine, standard_normal
from nn.images.pixels import real_type
from nn.schedules import half_cosine

# Number of images augmented at a time; their arrays then fit the processor's cache.
_CHUNK = 256
# Maximum fraction of a field's variance that the omitted functions may have.
_LOST_VARIANCE = 1e-3
# Bits of the functions in exact products; the coefficients have the rest of 53.
_FUNCTION_BITS = 20

_parameter = partial(hyperparameter, section="augmentation")


@dataclass(frozen=True)
class Augmentation:
    """Strength of each deformation; 0 turns it off.

    Raises:
        ValueError: If a value is invalid.
    """

    rotation: float = _parameter(0.0, Range(0.0, 180.0), "Maximum rotation in degrees.")
    scaling: float = _parameter(
        0.0, Range(0.0, 0.9), "Maximum relative change of width and of height: 0.15 is 15 %."
    )
    shear: float = _parameter(
        0.0, Range(0.0, 2.0), "Maximum horizontal shear, as a fraction of the height."
    )
    shift: float = _parameter(0.0, Range(0.0, 1e3), "Maximum shift in each direction, in pixels.")
    elastic: float = _parameter(
        0.0,
        Range(0.0, 1e3),
        "Standard deviation of the elastic displacement in each direction, in pixels.",
    )
    smoothness: float = _parameter(
        4.0,
        Range(1.0, 1e3),
        "Width s of the Gaussian that smooths the elastic displacement, in pixels.",
    )
    final_strength: float = _parameter(
        1.0,
        Range(0.0, 1.0),
        "Factor of all deformations at the end of training, to which they decrease along half a "
        "cosine.",
    )

    def __post_init__(self) -> None:
        validate(self)

    def __bool__(self) -> bool:
        return any((self.rotation, self.scaling, self.shear, self.shift, self.elastic))


class Augmenter:
    """Applies random deformations to images of a given shape."""

    def __init__(
        self, augmentation: Augmentation, shape: tuple[int, int], epochs: float = 1
    ) -> None:
        """Compute the functions whose sums are the displacement fields.

        Args:
            augmentation: Strength of each deformation.
            shape: Height and width of an image in pixels.
            epochs: Epochs of the whole training, in which the strength decreases.
        """
        self.augmentation, self.shape, self.epochs = augmentation, shape, epochs
        height, width = shape
        y, x = np.mgrid[:height, :width].astype(np.float64)
        plane = np.stack([np.ones_like(x), x - x.mean(), y - y.mean()]).reshape(3, -1)
        functions = [plane]  # each (functions, pixels)
        if augmentation.elastic:
            vertical, horizontal = (_smooth_functions(n, augmentation.smoothness) for n in shape)
            sheet = np.einsum("ay,bx->abyx", vertical, horizontal).reshape(-1, height * width)
            # Scaled to the requested standard deviation at every pixel.
            functions.append(sheet * (augmentation.elastic / np.sqrt((sheet**2).sum(axis=0))))
        self._functions = np.concatenate(functions)
        round_rows(self._functions, _FUNCTION_BITS)
        # Images are padded with one background pixel; positions outside are clipped to it.
        self._centre = (x.mean() + 1.0, y.mean() + 1.0)

    def sampling_positions(
        self,
        count: int,
        rng: np.random.Generator,
        chosen: NDArray | slice = slice(None),
        epochs_done: float = 0,
    ) -> tuple[NDArray, NDArray]:
        """Draw the sampling positions of `count` images.

        Args:
            count: Number of images.
            rng: Random number generator.
            chosen: The images whose positions are computed, of which there are n.
            epochs_done: The strength decreases with them.

        Returns:
            x and y, each (n, pixels), float32, in pixels from the corner of the padded image.
        """
        maximum = self.augmentation
        strength = half_cosine(1.0, maximum.final_strength, epochs_done / self.epochs)

        def uniform(limit: float) -> NDArray:
            limit *= strength
            return (2.0 * limit) * rng.random(count)[chosen] - limit

        angle = np.deg2rad(uniform(maximum.rotation))
        wide, high = 1.0 + uniform(maximum.scaling), 1.0 + uniform(maximum.scaling)
        slant = uniform(maximum.shear)
        # From the sine of half the angle, because `sine` takes angles from -π/2 to π/2.
        half = sine(0.5 * angle)
        cosine, sin = 1.0 - 2.0 * half * half, 2.0 * half * np.sqrt(1.0 - half * half)
        # Coefficients of 1, x and y; the matrix is rotation · shear · scaling.
        matrix = (
            (cosine * wide, (cosine * slant - sin) * high),
            (sin * wide, (sin * slant + cosine) * high),
        )
        constants = [uniform(maximum.shift) + centre for centre in self._centre]
        planes = [np.stack([c, *row], axis=1) for c, row in zip(constants, matrix, strict=True)]
        others = count, len(self._functions) - 3
        x, y = (
            self._field(plane, strength * standard_normal(rng, others)[chosen]) for plane in planes
        )
        return x, y

    def _field(self, plane: NDArray, rest: NDArray) -> NDArray:
        coefficients = np.concatenate([plane, rest], axis=1)
        # Both operands are on grids, so the product is exact (see `exact`).
        terms = ceil_log2(len(self._functions))
        round_rows(coefficients, 53 - _FUNCTION_BITS - terms)
        return (coefficients @ self._functions).astype(np.float32)

    def augment(
        self,
        images: NDArray,
        rng: np.random.Generator,
        out: NDArray,
        chosen: NDArray[np.bool_] | None = None,
        epochs_done: float = 0,
    ) -> None:
        """Write augmented copies of images to `out`.

        Args:
            images: (n, d); see `deform`.
            rng: Random number generator.
            out: (n, d).
            chosen: Random numbers are drawn for so many images, and `images` are those that are
                true; None for all.
            epochs_done: The strength decreases with them.
        """
        chosen = np.ones(len(images), bool) if chosen is None else chosen
        at = 0
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            x, y = self.sampling_positions(len(part), rng, part, epochs_done)
            rows = slice(at, at := at + len(x))
            out[rows] = self.deform(images[rows], x, y)

    def deform(self, images: NDArray, x: NDArray, y: NDArray) -> NDArray:
        """Images at sampling positions, (n, d), with bilinear interpolation.

        Args:
            images: (n, d); beyond the edges of an image there is background, 0.
            x: Columns, (n, d), or (d,) for all images; see `sampling_positions`.
            y: Rows, likewise.

        Raises:
            ValueError: If the images have another number of pixels.
        """
        if images.shape[1:] != (math.prod(self.shape),):
            raise ValueError(
                f"images: expected shape (n, {math.prod(self.shape)}), got {images.shape}"
            )
        images = np.array(images, real_type(images), order="C")
        x, y = (
            np.array(np.broadcast_to(at, images.shape), images.dtype, order="C") for at in (x, y)
        )
        out = np.empty_like(images)
        operations_for("exact").interpolate(images, *self.shape, x, y, out)
        return out


def _smooth_functions(places: int, smoothness: float) -> NDArray:
    """Functions, (k, places), with Σₖ fₖ(x)·fₖ(y) ≈ exp(-(x - y)²/4s²).

    Pivoted Cholesky decomposition of the covariance (Higham 1990, "Analysis of the Cholesky
    decomposition of a semi-definite matrix"). Unlike the eigenvectors of LAPACK it uses elementwise
    operations only, so it is the same on every processor.
    """
    distance = np.subtract.outer(np.arange(places), np.arange(places)).astype(np.float64)
    residual = exp(-(distance**2) / (4.0 * smoothness**2))
    functions: list[NDArray] = []
    while len(functions) < places and residual.diagonal().sum() > _LOST_VARIANCE * places:
        pivot = int(residual.diagonal().argmax())
        functions.append(residual[pivot] / np.sqrt(residual[pivot, pivot]))
        residual -= np.multiply.outer(functions[-1], functions[-1])
    return np.array(functions)
