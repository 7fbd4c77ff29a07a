"""Arrays in `.npy` files and `.npz` archives, which may be damaged or come from untrusted sources.

A header may announce any size, and a small archive may unpack to any size. The functions here use
no more memory than the size of the file, because they require that it contains exactly the numbers
that its headers announce. They never unpickle objects.
"""

import io
import math
import warnings
import zipfile
from collections.abc import Mapping
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class ArrayFileError(ValueError):
    """The content is damaged or of another format; the message says what was expected."""


def read_header(file: BinaryIO) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype]:
    """Read the header of a `.npy` file; afterwards, the file is at the numbers.

    Returns:
        The shape, the order (C or Fortran), and the dtype (booleans, numbers or text).

    Raises:
        ArrayFileError: If the header is damaged, or announces more or fewer bytes than follow.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            shape, is_fortran, dtype = _READERS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # NumPy raises exceptions of many types for damaged headers
        raise ArrayFileError("expected the header of a .npy file, got another one") from error
    start = file.tell()
    found = file.seek(0, io.SEEK_END) - start
    file.seek(start)
    are_sizes = all(type(n) is int and n >= 0 for n in shape)
    if dtype.kind not in "buifSU" or dtype.itemsize == 0 or not are_sizes:
        raise ArrayFileError(f"expected an array of numbers or text, got {dtype} {shape}")
    if math.prod(shape) * dtype.itemsize != found:
        raise ArrayFileError(
            f"expected {math.prod(shape) * dtype.itemsize} bytes for {dtype} {shape}, got {found}"
        )
    if max(shape, default=0) > np.iinfo(np.intp).max or len(shape) > 32:
        raise ArrayFileError(f"expected an array that NumPy can hold, got shape {shape}")
    return shape, "F" if is_fortran else "C", dtype


def read_archive(content: bytes) -> dict[str, NDArray]:
    """Read all arrays of an `.npz` archive, by name.

    Raises:
        ArrayFileError: If the archive is damaged, or unpacks to more bytes than it has itself.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > len(content):
                raise ArrayFileError("expected entries without compression, got compressed ones")
            parts = {entry.filename: archive.read(entry) for entry in entries}
    except (ArrayFileError, MemoryError):
        raise
    except Exception as error:  # `zipfile` raises exceptions of many types for damaged archives
        raise ArrayFileError("expected a complete .npz archive, got another file") from error
    return {name.removesuffix(".npy"): read_array(part) for name, part in parts.items()}


def read_array(content: bytes) -> NDArray:
    """The array in the content of a `.npy` file; raises `ArrayFileError` as `read_header`."""
    shape, order, dtype = read_header(file := io.BytesIO(content))
    flat = np.frombuffer(content, dtype, offset=file.tell())
    return np.array(flat.reshape(shape, order=order), order="C")


def write_archive(file: BinaryIO, arrays: Mapping[str, NDArray]) -> None:
    """Write an `.npz` archive; equal arrays give equal bytes."""
    # Not `np.savez`, whose bytes depend on the version of Python and on the operating system.
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            in_order = np.asarray(array, order="C")
            np.lib.format.write_array(content, in_order, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3
            archive.writestr(entry, content.getbuffer())
