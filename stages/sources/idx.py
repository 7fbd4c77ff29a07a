"""IDX, the format of MNIST's original four files, gzipped or not.

A file consists of two zero bytes, a byte for the data type, a byte for the number of dimensions,
each dimension as a big-endian 32-bit integer, then the numbers, big-endian, in C order
(http://yann.lecun.com/exdb/mnist, "The IDX file format").
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import StageError
from stages.sources.reading import read_all, reading

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMENSIONS = 4


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
        content = read_all(file, path)
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
