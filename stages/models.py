"""Reading the model that `train` wrote."""

from pathlib import Path

from nn import ModelFileError, Network, load
from stages.datasets import About
from stages.files import refuse


def read_model(path: Path) -> Network:
    """The network in a file; raises `Refusal` if there is none."""
    try:
        with path.open("rb") as file:
            return load(file)
    except FileNotFoundError as error:
        raise refuse(path, "it is not there", "train") from error
    except ModelFileError as error:
        raise refuse(path, f"it is no model: {error}", "train") from error


def read_model_for(path: Path, about: About, d: int) -> Network:
    """The network in a file, for images of `d` pixels; raises `Refusal` if it does not fit."""
    network = read_model(path)
    if network.sizes[0] != d:
        fault = f"it takes {network.sizes[0]} pixels, and the test images have {d}"
        raise refuse(path, fault, "train")
    if About(list(network.classes), network.pixel_range, network.image_shape) != about:
        fault = "it was trained for other classes, pixel values or image shapes"
        raise refuse(path, fault, "train")
    return network
