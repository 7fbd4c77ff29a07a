"""Conversion of a picture to inputs of a model, in the way its training images were made."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nn import Ensemble, Network
from nn.images.pixels import border, scale
from stages.common.files.image_files import read_grey
from stages.common.photographs.image_preparation import resized
from stages.common.photographs.segmentation import Digit, find_digits

_WHOLE = (0.0, 0.0, 1.0, 1.0)
# A bright border has more brightness than the first number, a uniform one a smaller deviation
# than the second. Number of images that are compared with the framing.
_BRIGHT, _UNIFORM, _SAMPLES = 0.5, 0.03, 200


def model_inputs(model: Network | Ensemble, content: bytes, picture: NDArray) -> list[Digit]:
    """Find the digits on a picture, and convert each to an input of the model.

    A picture that has the size and the framing of the training images is only scaled to [0, 1], as
    they were. If the training images are not drawings, other pictures are resized as a whole, and
    inverted if their background is bright.

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
        image = model.prepare(pixels.reshape(-1)).reshape(shape)
        # `preprocess` makes the background of training images dark; a bright border of a single
        # brightness is a background, too.
        edge = image[border(shape)]
        middle = np.median(edge)
        if middle > _BRIGHT and np.median(np.abs(edge - middle)) < _UNIFORM:
            image = 1 - image
        return [Digit(_WHOLE, image)]
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


def submitted_images(model: Network | Ensemble, pixels: NDArray) -> NDArray[np.float32] | None:
    """Convert rows of pixels to inputs of the model, whatever their range and polarity.

    The range is that of the model, or from 0 to 1. Both polarities are compared with the framing of
    the training images.

    Args:
        model: The model.
        pixels: (n, d) pixels.

    Returns:
        (n, d) inputs, or None if most of the images fit in neither polarity.
    """
    low, high = sorted(model.pixel_range)
    if pixels.min() < low or pixels.max() > high:
        return None
    if pixels.min() >= 0 and pixels.max() <= 1 < high:
        pixels = _with_range(model, pixels.astype(np.float64))
    if model.framing is None or model.image_shape is None or not model.framing.drawings:
        return model.prepare(pixels)
    some = slice(None, None, max(1, len(pixels) // _SAMPLES))
    for candidate in (pixels, low + (high - pixels.astype(np.float64))):
        images = scale(candidate[some], model.pixel_range).reshape(-1, *model.image_shape)
        if np.mean([model.framing.fits(image) for image in images]) > 0.5:
            return model.prepare(candidate)
    return None


def _with_range(model: Network | Ensemble, brightness: NDArray) -> NDArray:
    low, high = sorted(model.pixel_range)
    return np.asarray(low + brightness * (high - low))
