"""What is known of the images of a data set, and of those that a network takes."""

from dataclasses import dataclass, replace
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


class _Field:
    """An attribute that is a field of the attribute `data`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else getattr(instance.data, self._name)

    def __set__(self, instance: Any, value: object) -> None:
        instance.data = replace(instance.data, **{self._name: value})


def _field() -> Any:
    return _Field()


class Described:
    """The fields of `DatasetInfo` as attributes of what has one, `data`."""

    data: DatasetInfo
    classes: tuple[str, ...] = _field()
    pixel_range: tuple[float, float] = _field()
    image_shape: tuple[int, int] | None = _field()
    deslanted: bool = _field()
    framing: Framing | None = _field()
