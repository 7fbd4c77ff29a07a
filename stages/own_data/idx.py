"""IDX, the format of MNIST's own four files, gzipped or not.

A file is: two zero bytes, a byte for the data type, a byte for the number of dimensions, each
dimension as a big-endian 32-bit integer, then the numbers, big-endian, the last index fastest
(http://yann.lecun.com/exdb/mnist, "The IDX file format").
"""

import math
import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from stages.cli import Refusal
from stages.own_data.gzipped import reading
from stages.own_data.labelled import Labelled, Part, join

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# train-images-idx3-ubyte, t10k-labels.idx1-ubyte.gz, emnist-letters-test-images-idx3-ubyte.gz
_NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[.-]idx\d-ubyte(\.gz)?"
)
_BYTES_AT_ONCE = 1 << 20


def from_idx_folder(folder: Path) -> Labelled | None:
    """A pair or quartet of files under their usual names, training images first; None if none is.

    Raises:
        Refusal: If a file is missing or damaged, or they belong to several data sets.
    """
    # Sorted, so that of a file and its gzipped copy the first stays.
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
        raise Refusal(
            f"{folder}: it has IDX files of several data sets ({', '.join(map(repr, sets))}); "
            "put those of one into a folder of their own."
        )
    parts = []
    for part in ("train", "test"):
        images, labels = (found.get((sets[0], part, what)) for what in ("images", "labels"))
        if images and labels:
            parts.append(_read_pair(part, images, labels))
        elif images or labels:
            missing = "images" if labels else "labels"
            raise Refusal(
                f"{images or labels}: the file of its {missing} is not beside it; right would be "
                "images and labels, as in train-images-idx3-ubyte and train-labels-idx1-ubyte."
            )
    return join(parts)


def from_idx_file(images: Path) -> Labelled:
    """A file of images and the file of their labels, which stands beside it.

    Raises:
        Refusal: If there is none, or one of them is damaged.
    """
    if "images" not in images.name:
        raise Refusal(
            f"{images}: it is an IDX file, and its name does not say images; name the file of the "
            "images, such as train-images-idx3-ubyte, and keep that of the labels beside it."
        )
    plain = re.sub(r"idx\d", "idx1", images.name.replace("images", "labels")).removesuffix(".gz")
    names = [plain, plain.replace("-idx1", ".idx1"), plain.replace(".idx1", "-idx1")]
    candidates = [images.with_name(name + end) for name in names for end in ("", ".gz")]
    for labels in candidates:
        if labels.is_file():
            return join([_read_pair("", images, labels)])
    raise Refusal(f"{images}: the file of its labels, {plain}, is not beside it.")


def _read_pair(part: str, images: Path, labels: Path) -> Part:
    return Part(part, str(images), read_idx(images), read_idx(labels))


def read_idx(path: Path) -> NDArray:
    """The array in an IDX file, in the byte order of this machine.

    Raises:
        Refusal: If the file is none, or shorter or longer than its header says.
    """
    with reading(path) as file:
        head = file.read(4)
        if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in DTYPES or head[3] == 0:
            codes = ", ".join(f"{code:02x}" for code in DTYPES)
            raise Refusal(
                f"{path}: it is no IDX file: it begins with {head.hex(' ') or 'nothing'}; right "
                f"would be 00 00, a data type ({codes}) and the number of dimensions."
            )
        dtype = np.dtype(DTYPES[head[2]])
        sizes = np.frombuffer(_read_exactly(file, 4 * head[3], path), ">u4")
        shape = tuple(int(size) for size in sizes)
        content = _read_exactly(file, math.prod(shape) * dtype.itemsize, path, shape)
        if file.read(1):
            raise Refusal(
                f"{path}: it goes on after the {len(content)} bytes of the {_by(shape)} numbers "
                "that its header announces; get the file again."
            )
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_exactly(file: BinaryIO, size: int, path: Path, shape: tuple[int, ...] = ()) -> bytearray:
    """Read `size` bytes; memory grows with the file, however many a damaged header announces."""
    content = bytearray()
    while len(content) < size:
        piece = file.read(min(_BYTES_AT_ONCE, size - len(content)))
        if not piece:
            what = (
                f"of the {_by(shape)} numbers that its header announces" if shape else "of header"
            )
            raise Refusal(
                f"{path}: it ends after {len(content)} of {size} bytes {what}; get the file again."
            )
        content += piece
    return content


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
