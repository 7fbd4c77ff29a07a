"""Deformed copies of images: the same digits as other hands would have written them.

Each pixel of a new image looks up the old one a little beside its own place. How far beside is a
field of displacements, in pixels, different for every image:

- affine: rotation, scaling, shear and shift of the whole image about its centre;
- elastic: smooth random displacements, as of a sheet of rubber (Simard, Steinkraus & Platt 2003,
  "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis", §2;
  Cireşan et al. 2010, "Deep, Big, Simple Neural Nets Excel on Handwritten Digit Recognition", §2).

Simard and Cireşan blur white noise with a Gaussian of width s. The field that comes out is itself
Gaussian, with covariance exp(-d²/4s²) between places d pixels apart, so it can be drawn without
the noise: as a sum of the few eigenvectors of that covariance with random weights. The affine part
is a sum of such functions too (1, x and y), so the places where an image is looked up are one
matrix product: random coefficients times the functions.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

# Images deformed at a time: what they need then fits the processor's cache.
_CHUNK = 256
# The part of a field's variance that may be lost with the eigenvectors that are left out.
_LOST_VARIANCE = 1e-3


@dataclass(frozen=True)
class Deformation:
    """How strongly images are deformed; 0 switches a part off.

    Attributes:
        rotation: Greatest angle in degrees, either way.
        scaling: Greatest relative growth or shrinkage, of width and height apart: 0.15 is 15 %.
        shear: Greatest slant, either way: a shear of 0.1 moves the top 0.1 heights sideways.
        shift: Greatest shift in pixels, in each direction.
        elastic: Standard deviation of the elastic displacement in pixels, in each direction.
        smoothness: Width s of the Gaussian in pixels; the larger, the stiffer the rubber.
    """

    rotation: float = 0.0
    scaling: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0

    def __post_init__(self) -> None:
        limits = {"rotation": 180.0, "scaling": 0.9, "shear": 2.0}
        for field in fields(self):
            value, limit = getattr(self, field.name), limits.get(field.name, 1e3)
            if not 0.0 <= value <= limit:
                raise ValueError(f"{field.name}: {value} is not from 0 to {limit:g}")
        if self.smoothness < 1.0:
            raise ValueError(f"smoothness: {self.smoothness} is less than 1 pixel")

    def __bool__(self) -> bool:
        return any((self.rotation, self.scaling, self.shear, self.shift, self.elastic))


class Deformer:
    """Deforms images of one shape."""

    def __init__(self, deformation: Deformation, shape: tuple[int, int]) -> None:
        """Prepare the functions that fields are made of.

        Args:
            deformation: How strongly.
            shape: Height and width of an image in pixels.
        """
        self.deformation, self.shape = deformation, shape
        height, width = shape
        y, x = np.mgrid[:height, :width].astype(np.float64)
        plane = np.stack([np.ones_like(x), x - x.mean(), y - y.mean()]).reshape(3, -1)
        functions = [plane]  # each (functions, pixels)
        if deformation.elastic:
            vertical, horizontal = (_smooth_functions(n, deformation.smoothness) for n in shape)
            sheet = np.einsum("ay,bx->abyx", vertical, horizontal).reshape(-1, height * width)
            # At every pixel exactly the standard deviation that is asked for.
            functions.append(sheet * (deformation.elastic / np.sqrt((sheet**2).sum(axis=0))))
        self._functions = np.concatenate(functions).astype(np.float32)
        # Images get a margin of one background pixel, in which everything outside is looked up.
        self._centre = (x.mean() + 1.0, y.mean() + 1.0)

    def places(self, count: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Where the pixels of `count` new images look up the old: x and y, each (count, pixels).

        Measured in pixels from the corner of the image with its margin; float32.
        """
        wanted = self.deformation

        def uniform(greatest: float) -> NDArray:
            return rng.uniform(-greatest, greatest, count)

        angle = np.deg2rad(uniform(wanted.rotation))
        wide, high = 1.0 + uniform(wanted.scaling), 1.0 + uniform(wanted.scaling)
        slant = uniform(wanted.shear)
        cosine, sine = np.cos(angle), np.sin(angle)
        # Columns: 1, x and y. The matrix is rotation · shear · scaling.
        planes = (
            (
                uniform(wanted.shift) + self._centre[0],
                cosine * wide,
                (cosine * slant - sine) * high,
            ),
            (uniform(wanted.shift) + self._centre[1], sine * wide, (sine * slant + cosine) * high),
        )
        x, y = (self._field(np.stack(plane, axis=1), rng) for plane in planes)
        return x, y

    def _field(self, plane: NDArray, rng: np.random.Generator) -> NDArray:
        coefficients = np.empty((len(plane), len(self._functions)), np.float32)
        coefficients[:, :3] = plane
        rest = coefficients[:, 3:]
        rest[...] = rng.standard_normal(rest.shape, np.float32)
        return coefficients @ self._functions

    def deform(self, images: NDArray, rng: np.random.Generator, out: NDArray) -> None:
        """Write a deformed copy of each of (n, d) `images` to `out`, bilinearly interpolated.

        What an image looks up beyond its edge is background, 0.
        """
        for start in range(0, len(images), _CHUNK):
            chunk = images[start : start + _CHUNK]
            _look_up(chunk, self.shape, *self.places(len(chunk), rng), out[start : start + _CHUNK])


def _look_up(images: NDArray, shape: tuple[int, int], x: NDArray, y: NDArray, out: NDArray) -> None:
    """`out` ← `images` at (x, y), measured in images with a margin; overwrites x and y."""
    height, width = shape
    padded = np.zeros((len(images), height + 3, width + 3), images.dtype)
    padded[:, 1 : height + 1, 1 : width + 1] = images.reshape(-1, height, width)
    np.clip(x, 0.0, width + 1.0, out=x)
    np.clip(y, 0.0, height + 1.0, out=y)
    left, top = x.astype(np.intp), y.astype(np.intp)
    x -= left
    y -= top
    # One index for the pixel above and to the left; its three neighbours are found by offsets.
    top *= width + 3
    top += left
    top += np.arange(len(images))[:, None] * padded[0].size
    flat = padded.reshape(-1)
    above, right = flat.take(top, mode="clip"), flat[1:].take(top, mode="clip")
    right -= above
    right *= x
    above += right
    below = flat[width + 3 :].take(top, mode="clip")
    right = flat[width + 4 :].take(top, mode="clip")
    right -= below
    right *= x
    below += right
    below -= above
    below *= y
    np.add(above, below, out=out)


def _smooth_functions(places: int, smoothness: float) -> NDArray:
    """Eigenvectors of the covariance exp(-d²/4s²), times the roots of their eigenvalues."""
    distance = np.subtract.outer(np.arange(places), np.arange(places))
    values, vectors = np.linalg.eigh(np.exp(-(distance**2) / (4.0 * smoothness**2)))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = np.searchsorted(np.cumsum(values) / values.sum(), 1.0 - _LOST_VARIANCE) + 1
    return (vectors[:, :kept] * np.sqrt(values[:kept])).T
