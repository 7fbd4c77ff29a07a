"""IDX, the format of MNIST's original four files, gzipped or not.

A file consists of two zero bytes, a byte for the data type, a byte for the number of dimensions,
each dimension as a big-endian 32-bit integer, then the numbers, big-endian, in C order
(http://yann.lecun.com/exdb/mnist, "The IDX file format").
"""

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import StageError
from stages.sources.dataset import LabelledImages, Part, join
from stages.sources.gzipped import reading

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMENSIONS = 4
# train-images-idx3-ubyte, t10k-labels.idx1-ubyte.gz, emnist-letters-test-images-idx3-ubyte.gz
_NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[.-]idx\d-ubyte(\.gz)?"
)


def from_idx_folder(folder: Path) -> LabelledImages | None:
    """Read files with the names of MNIST's, training images first; None if there are none.

    Raises:
        StageError: If a file is missing or damaged, or the files belong to several data sets.
    """
    # Sorted, so that an unpacked file is preferred to its gzipped copy.
    found: dict[tuple[str, str, str], Path] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match and path.is_file():
            part = "train" if match["part"] == "train" else "test"
            found.setdefault((match["set"], part, match["what"]), path)
    if not found:
        return None
    sets = sorted({name for name, _, _ in found})
    if len(sets) > 1:
        raise StageError(
            f"{folder}: expected the IDX files of one data set, got several with the prefixes "
            f"{', '.join(map(repr, sets))}; put each into its own folder."
        )
    parts = []
    for part in ("train", "test"):
        images, labels = (found.get((sets[0], part, what)) for what in ("images", "labels"))
        if images and labels:
            parts.append(_read_pair(part, images, labels))
        elif images or labels:
            missing = "images" if labels else "labels"
            raise StageError(
                f"{images or labels}: expected a file of its {missing} in the same folder, got "
                "none; images and labels have names like train-images-idx3-ubyte and "
                "train-labels-idx1-ubyte."
            )
    return join(parts)


def from_idx_file(images: Path) -> LabelledImages:
    """Read a file of images and the file of their labels in the same folder.

    Raises:
        StageError: If there is no file of labels, or one of them is damaged.
    """
    if "images" not in images.name:
        raise StageError(
            f"{images}: expected an IDX file of images, with a name such as "
            "train-images-idx3-ubyte, beside the file of its labels."
        )
    plain = re.sub(r"idx\d", "idx1", images.name.replace("images", "labels")).removesuffix(".gz")
    names = [plain, plain.replace("-idx1", ".idx1"), plain.replace(".idx1", "-idx1")]
    candidates = [images.with_name(name + end) for name in names for end in ("", ".gz")]
    for labels in candidates:
        if labels.is_file():
            return join([_read_pair("", images, labels)])
    raise StageError(f"{images}: expected the file of its labels, {plain}, in the same folder.")


def _read_pair(part: str, images: Path, labels: Path) -> Part:
    return Part(part, str(images), read_idx(images), read_idx(labels))


def read_idx(path: Path) -> NDArray:
    """Read the array in an IDX file, in native byte order.

    Raises:
        StageError: If it is not an IDX file, or has another size than its header announces.
    """
    with reading(path) as file:
        head = file.read(4)
        is_idx = len(head) == 4 and head[:2] == b"\0\0" and head[2] in DTYPES
        if not is_idx or not 1 <= head[3] <= _MAX_DIMENSIONS:
            codes = ", ".join(f"{code:02x}" for code in DTYPES)
            raise StageError(
                f"{path}: expected an IDX file, which begins with 00 00, a data type ({codes}) and "
                f"the number of dimensions, got {head.hex(' ') or 'an empty file'}."
            )
        dtype = np.dtype(DTYPES[head[2]])
        sizes = file.read(4 * head[3])
        # The whole file, and not what its header announces, which may be more than the memory.
        content = file.read()
    if len(sizes) < 4 * head[3]:
        raise StageError(
            f"{path}: expected {4 * head[3]} bytes of dimensions, got {len(sizes)}; get the file "
            "again."
        )
    shape = tuple(map(int, np.frombuffer(sizes, ">u4")))
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise StageError(
            f"{path}: expected {math.prod(shape) * dtype.itemsize} bytes for the "
            f"{'×'.join(map(str, shape))} numbers that the header announces, got {len(content)}; "
            "get the file again."
        )
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
