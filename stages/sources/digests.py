"""SHA-256 digests of data sets whose content is known in advance."""

import hashlib

import numpy as np

from stages.common.command_line.errors import StageError
from stages.common.files.raw_data import Raw

# SHA-256 of the images as C-ordered uint8 (70000, 784) and of the labels as uint8 (70000,).
PINNED = {
    ("mnist_784", 1): (
        "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96",
        "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27",
    )
}


def digests(raw: Raw) -> tuple[str, str]:
    """SHA-256 of the images and of the labels, as C-ordered arrays."""
    images, labels = (np.ascontiguousarray(array).data for array in (raw.images, raw.labels))
    return hashlib.sha256(images).hexdigest(), hashlib.sha256(labels).hexdigest()


def require_pinned(raw: Raw, name: str, version: int) -> None:
    """Check a data set against its pinned digests, if it has any.

    Raises:
        StageError: If the images or the labels have another digest.
    """
    if (name, version) not in PINNED:
        return
    for what, found, pinned in zip(
        ("images", "labels"), digests(raw), PINNED[name, version], strict=True
    ):
        if found != pinned:
            raise StageError(
                f"fetch.name: expected SHA-256 {pinned} for the {what} of {name} version "
                f"{version}, got {found}; the source is damaged or altered. Delete "
                "scikit-learn's cache (SCIKIT_LEARN_DATA), or choose another fetch.source."
            )
