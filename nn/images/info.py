"""What is known of the images of a data set, and of those that a network takes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn.images.deslanting import deslant
from nn.images.framing import Framing
from nn.images.pixels import scale


@dataclass(frozen=True)
class DatasetInfo:
    """Description of the inputs and outputs of a network.

    Attributes:
        classes: Name of each class, in the order of the outputs.
        pixel_range: Raw pixel values that correspond to the inputs 0 and 1; see `scale`.
        image_shape: Height and width of an image in pixels, None if unknown.
        deslanted: Whether the inputs are deslanted images; see `deslanting`.
        framing: Place and size of the objects on the images, before they are deslanted; None if
            unknown.
    """

    classes: tuple[str, ...]
    pixel_range: tuple[float, float] = (0.0, 1.0)
    image_shape: tuple[int, int] | None = None
    deslanted: bool = False
    framing: Framing | None = None

    def prepare(self, pixels: ArrayLike, dtype: Any = np.float32) -> NDArray:
        """Turn raw pixels into inputs, in the way in which the training images were prepared.

        Args:
            pixels: Raw pixels of one image, (d,), or many, (n, d).
            dtype: float32 or float64.

        Returns:
            An array of this shape: scaled so that `pixel_range` becomes [0, 1], then deslanted if
            the inputs are deslanted images.
        """
        images = scale(pixels, self.pixel_range, dtype)
        if not self.deslanted or self.image_shape is None:
            return images
        return deslant(np.atleast_2d(images), self.image_shape).reshape(images.shape)
