"""Reading of the model that `train` or `combine` writes."""

import io
from pathlib import Path

from nn import Classifier, Ensemble, ModelFileError, Network, TestTimeAugmentation, load
from nn.images.info import DatasetInfo
from stages.common.command_line.errors import ParameterError
from stages.common.files.artifacts import invalid_artifact, read_bytes


def read_model(path: Path) -> Network | Ensemble:
    """Read a model; raises `StageError` if the file is missing or is not a model."""
    try:
        return load(io.BytesIO(read_bytes(path, "train")))
    except ModelFileError as error:
        raise invalid_artifact(path, f"expected a model ({error})", "train") from error


def read_model_for(path: Path, about: DatasetInfo, d: int) -> Network | Ensemble:
    """Read a model; raises `StageError` if it does not fit images of `d` pixels of a data set."""
    model = read_model(path)
    if model.members[0].sizes[0] != d:
        found = model.members[0].sizes[0]
        fault = f"expected a model for images of {d} pixels, got one for {found}"
        raise invalid_artifact(path, fault, "train")
    if model.data != about:
        fault = (
            "expected a model with the classes, pixel values, image shape, deslanting and framing "
            "of the data set"
        )
        raise invalid_artifact(path, fault, "train")
    return model


def augmented(model: Network | Ensemble, command: str, copies: int) -> Classifier:
    """The model with test-time augmentation, or the model itself if `copies` is 0.

    Raises:
        ParameterError: If height and width of the images are unknown; the message begins with
            `command`.
    """
    if not copies:
        return model
    if model.image_shape is None:
        raise ParameterError(
            f"{command}.copies: expected 0, because height and width of the images are unknown, "
            f"got {copies}."
        )
    return TestTimeAugmentation(model, copies)
