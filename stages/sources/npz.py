"""NumPy's `.npz` archives: Keras's `mnist.npz`, the MedMNIST collection, or arrays of your own."""

import zipfile
from pathlib import Path

import psutil
from numpy.typing import NDArray

from nn.checks.array_files import read_array
from stages.common.command_line.errors import StageError
from stages.sources.dataset import LabelledImages, Part, join

# Names of the arrays of images and of labels, and the part of the data set that they contain.
# The first pair of each group is required, the others are optional.
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
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
            pairs = next((pairs for pairs in _NAMES if names.issuperset(pairs[0][:2])), ())
            parts = []
            for images, labels, part in pairs:
                if names.intersection((images, labels)):
                    arrays = (_read(archive, name, path) for name in (images, labels))
                    parts.append(Part(part, f"{path}: {images}", *arrays))
    except (StageError, MemoryError):
        raise
    except Exception as error:  # `zipfile` raises exceptions of many types for damaged archives
        if getattr(error, "errno", None):  # the disk failed
            raise
        raise StageError(
            f"{path}: expected a whole .npz file of plain arrays, got another one ({error}); get "
            "the file again."
        ) from error
    if parts:
        return join(parts)
    listed = ", ".join(sorted(names)[:6]) + (", …" if len(names) > 6 else "")
    raise StageError(
        f"{path}: expected arrays x_train, y_train, x_test and y_test, or x and y, or images and "
        f"labels, got {listed or 'none'}."
    )


def _read(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray:
    try:
        entry = archive.getinfo(f"{name}.npy")
    except KeyError as error:
        found = ", ".join(archive.namelist()[:6])
        raise StageError(f"{path}: expected an array {name}, got only {found}.") from error
    free = psutil.virtual_memory().available // 3
    if entry.file_size > free:
        raise StageError(
            f"{path}: {name}: expected at most {free} bytes, a third of the free memory, got "
            f"{entry.file_size}."
        )
    return read_array(archive.read(entry))
