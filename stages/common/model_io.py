"""Reading of the model that `train` writes."""

from pathlib import Path

from nn import ModelFileError, Network, load
from stages.common.artifacts import invalid_artifact
from stages.common.datasets import DatasetInfo


def read_model(path: Path) -> Network:
    """Read a network; raises `StageError` if the file is missing or is not a model."""
    try:
        with path.open("rb") as file:
            return load(file)
    except FileNotFoundError as error:
        raise invalid_artifact(path, "the file does not exist", "train") from error
    except ModelFileError as error:
        raise invalid_artifact(path, f"expected a model ({error})", "train") from error


def read_model_for(path: Path, about: DatasetInfo, d: int) -> Network:
    """Read a network; raises `StageError` if it does not fit images of `d` pixels of a data set."""
    network = read_model(path)
    if network.sizes[0] != d:
        fault = f"expected a model for images of {d} pixels, got one for {network.sizes[0]}"
        raise invalid_artifact(path, fault, "train")
    made_for = DatasetInfo(
        list(network.classes), network.pixel_range, network.image_shape, network.deslanted
    )
    if made_for != about:
        fault = (
            "expected a model with the classes, pixel values, image shape and deslanting of the "
            "data set"
        )
        raise invalid_artifact(path, fault, "train")
    return network
