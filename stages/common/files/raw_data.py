"""Files of a raw data set, `data/raw/`.

images.npy   uint8 (n, d); float32 if the pixels are not integers from 0 to 255
labels.npy   class index (n,)
about.json   names of the classes in order; height and width of an image; number of images of each
             part, if the source is split into parts
"""

import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.files.artifacts import Artifacts, invalid_artifact, read_array, read_json
from stages.common.files.checks import classes_of, image_shape_of, require, type_of

# Values of `fetch.source` that are not paths.
DOWNLOADS = ("auto", "openml", "mirror")


@dataclass(frozen=True)
class Raw:
    """A data set as written by `fetch`.

    Attributes:
        images: (n, d) uint8 or float32, memory-mapped when read.
        labels: (n,) index into `classes`.
        classes: Names of the classes.
        image_shape: Height and width of an image; None if unknown.
        parts: Number of images of each part (train, validation, test) that the source has, in this
            order; empty if it is in one piece.
    """

    images: NDArray
    labels: NDArray
    classes: list[str]
    image_shape: tuple[int, int] | None = None
    parts: dict[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the three files of `data/raw/`."""
        with Artifacts() as artifacts:
            artifacts.write_array(folder / "images.npy", self.images)
            artifacts.write_array(folder / "labels.npy", self.labels)
            value: dict = {"classes": self.classes, "image_shape": self.image_shape}
            if self.parts:
                value["parts"] = self.parts
            artifacts.write_json(folder / "about.json", value)

    @classmethod
    def read(cls, folder: Path) -> "Raw":
        """Open the files that `write` wrote; raises `StageError` if they are missing or invalid."""
        paths = [folder / name for name in ("images.npy", "labels.npy", "about.json")]
        images, labels = (read_array(path, "fetch") for path in paths[:2])
        value = read_json(paths[2], "fetch")
        try:
            classes, image_shape, parts = classes_of(value), image_shape_of(value), _parts(value)
        except (KeyError, TypeError, ValueError) as error:
            raise invalid_artifact(paths[2], "expected classes and image_shape", "fetch") from error
        is_table = images.ndim == 2 and images.size > 0 and images.dtype in (np.uint8, np.float32)
        check = partial(require, "fetch")
        check(is_table, paths[0], f"uint8 or float32 (n, d), got {type_of(images)}")
        fits = image_shape is None or math.prod(image_shape) == images.shape[1]
        check(fits, paths[2], f"an image_shape of {images.shape[1]} pixels, got {image_shape}")
        n = len(images)
        is_index = labels.shape == (n,) and np.issubdtype(labels.dtype, np.integer)
        check(is_index, paths[1], f"{n} class indexes, one per image, got {type_of(labels)}")
        sizes = sum(parts.values())
        check(sizes in (0, n), paths[2], f"parts of {n} images, got {sizes}")
        in_range = labels.min() >= 0 and labels.max() < len(classes)
        check(in_range, paths[1], f"class indexes from 0 to {len(classes) - 1}, got others")
        return cls(images, labels, classes, image_shape, parts)


def _parts(value: dict) -> dict[str, int]:
    parts = value.get("parts", {})
    if list(parts) != [part for part in ("train", "validation", "test") if part in parts]:
        raise ValueError("expected numbers of images by part")
    if not all(type(size) is int and size > 0 for size in parts.values()):
        raise ValueError("expected positive numbers of images")
    return parts
