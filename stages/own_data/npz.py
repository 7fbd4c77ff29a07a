"""NumPy's `.npz`: Keras's `mnist.npz`, the MedMNIST collection, or whatever one saved oneself."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.cli import Refusal
from stages.own_data.labelled import Labelled, Part, join

# What images and labels are called, and the part of the data set that they are.
_SPELLINGS = (
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


def from_npz(path: Path) -> Labelled:
    """The arrays of an `.npz` file, training images first, then validation and test images.

    Raises:
        Refusal: If the file is damaged, needs pickle, or has no arrays of the usual names.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            present = list(archive.files)
            for spelling in _SPELLINGS:
                # The first of a spelling must be there, and those after it may be.
                if not set(spelling[0][:2]) <= set(present):
                    continue
                return join(
                    [
                        Part(
                            part,
                            f"{path}: {images}",
                            _read(archive, images),
                            _read(archive, labels),
                        )
                        for images, labels, part in spelling
                        if {images, labels} & set(present)
                    ]
                )
    except (ValueError, EOFError, KeyError, RuntimeError) as error:
        raise Refusal(f"{path}: it is no whole .npz file ({error}); get it again.") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise Refusal(f"{path}: the archive is damaged ({error}); get it again.") from error
    listed = ", ".join(present[:6]) + (", …" if len(present) > 6 else "")
    raise Refusal(
        f"{path}: it has {listed or 'nothing'}; right would be arrays x_train, y_train, x_test and "
        "y_test, or x and y, or images and labels (of another zip archive, name a file in it)."
    )


def _read(archive: np.lib.npyio.NpzFile, name: str) -> NDArray:
    if name not in archive.files:
        raise KeyError(f"it has no array {name}")
    array = archive[name]
    if not isinstance(array, np.ndarray):  # a member that is no .npy file comes as bytes
        raise ValueError(f"{name} is no array")
    return array
