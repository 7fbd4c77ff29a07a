"""NumPy's `.npz` archives: Keras's `mnist.npz`, the MedMNIST collection, or arrays of your own."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.errors import StageError
from stages.sources.dataset import LabelledImages, Part, join

# Names of the arrays of images and of labels, and the part of the data set that they hold.
# The first pair of a line must be present, and the others may be.
_NAMES = (
    (
        ("x_train", "y_train", "train"),
        ("x_val", "y_val", "validation"),
        ("x_test", "y_test", "test"),
    ),
    (
        ("train_images", "train_labels", "train"),
        ("val_images", "val_labels", "validation"),
        ("test_images", "test_labels", "test"),
    ),
    (("x", "y", ""),),
    (("X", "y", ""),),
    (("images", "labels", ""),),
)


def from_npz(path: Path) -> LabelledImages:
    """Read the arrays of an archive: training images first, then validation and test images.

    Raises:
        StageError: If the file is damaged, needs pickle, or lacks arrays of the usual names.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            present = set(archive.files)
            pairs = next((pairs for pairs in _NAMES if present.issuperset(pairs[0][:2])), ())
            parts = []
            for images, labels, part in pairs:
                if present.intersection((images, labels)):
                    arrays = (_read(archive, name, path) for name in (images, labels))
                    parts.append(Part(part, f"{path}: {images}", *arrays))
    except (ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise StageError(
            f"{path}: expected a whole .npz file of plain arrays, got another one ({error}); get "
            "the file again."
        ) from error
    if parts:
        return join(parts)
    names = sorted(present)
    listed = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    raise StageError(
        f"{path}: expected arrays x_train, y_train, x_test and y_test, or x and y, or images and "
        f"labels, got {listed or 'none'}."
    )


def _read(archive: np.lib.npyio.NpzFile, name: str, path: Path) -> NDArray:
    if name not in archive.files:
        raise StageError(f"{path}: expected an array {name}, got only {', '.join(archive.files)}.")
    array = archive[name]
    if not isinstance(array, np.ndarray):  # other members of the archive are returned as bytes
        raise ValueError(f"{name} is not an array")
    return array
