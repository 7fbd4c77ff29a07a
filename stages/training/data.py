"""The data that `train` reads, and checks that the configuration fits them."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psutil
from numpy.typing import NDArray

from nn import TrainingConfig
from nn.images.info import DatasetInfo
from stages.common.command_line.errors import ParameterError
from stages.common.files.prepared_data import read_info, read_part


class TrainingData(NamedTuple):
    """The prepared data set without its test part.

    Attributes:
        about: Description of the data set.
        images: Training images, (n, d) float32 in [0, 1].
        labels: Their one-hot labels, (n, classes) float32.
        validation: Validation images and labels.
        files: The files that were read.
    """

    about: DatasetInfo
    images: NDArray
    labels: NDArray
    validation: tuple[NDArray, NDArray]
    files: list[Path]

    @classmethod
    def read(cls, folder: Path) -> "TrainingData":
        """Open what `preprocess` wrote; raises `StageError` if it is missing or damaged."""
        about = read_info(folder)
        train, validation = (read_part(folder, part, about) for part in ("train", "validation"))
        names = [
            f"{part}_{k}.npy" for part in ("train", "validation") for k in ("images", "labels")
        ]
        return cls(about, *train, validation, [folder / name for name in [*names, "about.json"]])

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of inputs and of classes."""
        return self.images.shape[1], self.labels.shape[1]

    def sample_weights(self, class_weight: str) -> NDArray | None:
        """Return the weight of each training sample, (n,) float32 of mean 1; None if all are 1."""
        if class_weight == "equal":
            return None
        # Imported here: scikit-learn takes a second to import, and few trainings need it.
        from sklearn.utils.class_weight import compute_sample_weight

        return compute_sample_weight(class_weight, self.labels.argmax(axis=1)).astype("float32")

    def check(self, config: TrainingConfig) -> None:
        """Raise `ParameterError` if the configuration does not fit the data or the memory."""
        if config.batch_size > len(self.images):
            raise ParameterError(
                f"train.batch_size: expected at most the {len(self.images)} training images, got "
                f"{config.batch_size}."
            )
        if self.about.image_shape is None and config.augmentation:
            used = next(name for name, value in vars(config.augmentation).items() if value)
            raise ParameterError(
                f"augmentation.{used}: expected 0, because height and width of the images of "
                f"{self.sizes[0]} pixels are unknown, got {getattr(config, used):g}."
            )
        layers = [self.sizes[0], *config.hidden, self.sizes[1]]
        # The first weights, in float64: some systems promise more memory than they have.
        size = 8 * sum(a * b for a, b in pairwise(layers))
        if size > (free := psutil.virtual_memory().available):
            raise ParameterError(
                f"train.hidden: layers of {', '.join(map(str, config.hidden))} units need "
                f"{size / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are free; choose less."
            )
