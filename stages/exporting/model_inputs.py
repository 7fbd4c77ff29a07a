"""Conversion of a picture to inputs of a model, in the way its training images were made."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nn import Ensemble, Network
from nn.images.pixels import scale
from stages.common.files.image_files import read_grey
from stages.exporting.image_preparation import resized
from stages.exporting.segmentation import Digit, find_digits

_WHOLE = (0.0, 0.0, 1.0, 1.0)


def model_inputs(model: Network | Ensemble, content: bytes, picture: NDArray) -> list[Digit]:
    """Find the digits on a picture, and convert each to an input of the model.

    A picture that has the size and the framing of the training images is only scaled to [0, 1], as
    they were. If the training images are not drawings, other pictures are resized as a whole.

    Args:
        model: A model with a known image shape.
        content: Content of the file.
        picture: Its brightness in [0, 1], as `read_picture` returns it.

    Raises:
        BlankImageError: If there is nothing on the picture.
        UnreadableError: If it is not a single image.
    """
    assert model.image_shape is not None
    shape, framing = model.image_shape, model.framing
    if framing and picture.shape == shape:
        for pixels in _pixels(model, content, picture):
            if framing.fits(scale(pixels, model.pixel_range)):
                return [Digit(_WHOLE, model.prepare(pixels.reshape(-1)).reshape(shape))]
    if framing and not framing.drawings:
        pixels = _with_range(model, resized(picture, shape))
        return [Digit(_WHOLE, model.prepare(pixels.reshape(-1)).reshape(shape))]
    return find_digits(picture, shape, framing=framing, deslanted=model.deslanted)


def _pixels(model: Network | Ensemble, content: bytes, picture: NDArray) -> Iterator[NDArray]:
    """Yield the pixels of the file, and its brightness scaled to the range of the model's pixels.

    The second is for data sets whose pixels have another range than image files, such as 0 to 16.
    """
    stored, _ = read_grey(content)
    low, high = sorted(model.pixel_range)
    if low <= stored.min() and stored.max() <= high:
        yield stored
    yield _with_range(model, picture)


def _with_range(model: Network | Ensemble, brightness: NDArray) -> NDArray:
    low, high = sorted(model.pixel_range)
    return np.asarray(low + brightness * (high - low))
