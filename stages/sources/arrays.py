"""Files of named arrays: which of them are the images and the labels of which part.

`.npy` and `.npz` of NumPy, `.mat` of MATLAB, HDF5 and IDX; one file with several arrays, or a
folder of files with one array each. `names.py` says what a name means.
"""

import io
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.checks.array_files import read_array
from stages.common.command_line.errors import StageError
from stages.sources.dataset import LabelledImages, Part, join
from stages.sources.idx import read_idx
from stages.sources.names import parse
from stages.sources.reading import read_all, reading, require_room

# Arrays by name; each is read when it is needed.
Arrays = Mapping[str, Callable[[], NDArray]]
_ORDER = ("", "train", "validation", "test")
EXPECTED = "x_train, y_train, x_test and y_test, or x and y, or images and labels"


def from_arrays(arrays: Arrays, where: Callable[[str], str]) -> LabelledImages | None:
    """Read the arrays that are images and labels: training, then validation, then test images.

    Args:
        arrays: The arrays by name.
        where: Start of error messages for the array of a name.

    Returns:
        The data set; None if no name says images or labels.

    Raises:
        StageError: If images or labels are missing or damaged, or belong to several data sets.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    ranks: dict[str, int] = {}
    for name in sorted(arrays):  # so that an unpacked file is preferred to its gzipped copy
        title, part, what, ranks[name] = parse(name)
        if what:
            pair = found.setdefault((title, part), {})
            pair[what] = min(pair.get(what, name), name, key=ranks.__getitem__)
    if not found:
        return None
    for name in arrays:  # ARDIS_train_2828.csv beside ARDIS_train_labels.csv
        title, part, what, _ = parse(name)
        if not what and "images" not in (pair := found.get((title, part), {"images": ""})):
            pair["images"] = name
    # A lone `classes`, or a further array of images without labels, is no reason to fail.
    if whole := {key for key, pair in found.items() if len(pair) == 2}:
        lone = {part for title, part in found.keys() - whole if part}
        found = {key: pair for key, pair in found.items() if key in whole or lone & {key[1]}}
    titles = sorted({title for title, _ in found})
    if len(titles) > 1:
        several = ", ".join(f"{where('')}/{title}" for title in titles if title)
        raise StageError(
            f"{where('')}: expected the arrays of one data set, got several; set fetch.source to "
            f"one of {several}."
        )
    parts, notes = [], []
    for (_, part), pair in sorted(found.items(), key=lambda item: _ORDER.index(item[0][1])):
        for what, other in (("images", "labels"), ("labels", "images")):
            if what not in pair:
                raise StageError(
                    f"{where(pair[other])}: expected an array of its {what} beside it, got none; "
                    f"names are like {EXPECTED}."
                )
        images, labels = (arrays[pair[what]]() for what in ("images", "labels"))
        parts.append(Part(part, where(pair["images"]), images, labels))
        shape = "×".join(map(str, images.shape))
        notes.append(f"{where(pair['images'])}: {shape} numbers, labels in {pair['labels']}")
    data = join(parts)
    return replace(data, notes=(*notes, *data.notes))


def from_arrays_by_class(arrays: Arrays, where: str) -> LabelledImages | None:
    """Read arrays of the images of one class each, which their names say; None for other arrays.

    `train0`, …, `test9` of mnist_all.mat; `cat.npy` and `dog.npy` of Quick, Draw!, also with a
    prefix that all have.
    """
    names = sorted(arrays)
    # Of full_numpy_bitmap_cat.npy and full_numpy_bitmap_car.npy, they have full_numpy_bitmap_.
    prefix = re.match(r".*[-_ ]|", os.path.commonprefix(names))  # noqa: RUF071
    start = prefix.end() if prefix else 0
    parts: dict[str, list[tuple[str, NDArray]]] = {}
    for name in names:
        match = re.fullmatch(r"(train|test|)[-_ ]?(.+?)(\.npy)?", name[start:])
        array = np.atleast_2d(arrays[name]())  # SciPy takes the axis from a single image
        if match is None or array.ndim not in (2, 3) or array.dtype.kind not in "buif":
            return None
        parts.setdefault(match[1], []).append((match[2], array))
    if not parts or any(len(classes) < 2 for classes in parts.values()):
        return None
    joined = []
    for part in filter(parts.get, _ORDER):
        labels, images = zip(*parts[part], strict=True)
        if len({array.shape[1:] for array in images}) > 1:
            return None
        n_each = [len(array) for array in images]
        joined.append(Part(part, where, np.concatenate(images), np.repeat(labels, n_each)))
    return replace(join(joined), notes=(f"{where}: classes from the names of arrays.",))


def npz_arrays(path: Path) -> Arrays:
    """The arrays of an `.npz` archive."""
    with _damaged_npz(path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return {name.removesuffix(".npy"): partial(_from_npz, path, name) for name in names}


def _from_npz(path: Path, name: str) -> NDArray:
    with _damaged_npz(path, name), zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
        require_room(entry.file_size, f"{path}: {name}")
        return read_array(archive.read(entry))


@contextmanager
def _damaged_npz(path: Path, name: str = "") -> Iterator[None]:
    try:
        yield
    except (StageError, MemoryError):
        raise
    except Exception as error:  # `zipfile` raises exceptions of many types for damaged archives
        if getattr(error, "errno", None):  # the disk failed
            raise
        raise _bad_array(f"{path}: {name}" if name else str(path), error) from error


def _bad_array(where: str, error: Exception) -> StageError:
    if "object" in str(error):
        return StageError(
            f"{where}: expected an array of numbers or text, got one of Python objects, which only "
            "pickle can read, and a pickle can run code; if you trust the file, load it with "
            "allow_pickle=True and save the array again as .astype(str) or .astype(int)."
        )
    return StageError(
        f"{where}: expected a whole file of plain arrays, got another one ({error}); get the file "
        "again."
    )


def read_npy(path: Path) -> NDArray:
    """The array of an `.npy` file."""
    with reading(path) as file:
        content = read_all(file, path)
    try:
        return read_array(bytes(content))
    except ValueError as error:
        raise _bad_array(str(path), error) from error


def mat_arrays(path: Path) -> Arrays:
    """The arrays of a `.mat` file of MATLAB before version 7.3, also those inside structs."""
    with reading(path) as file:
        content = read_all(file, path)
    try:
        require_room(sum(_unpacked(content)), str(path))
        # In another process, because SciPy's reader crashes on some damaged files.
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            variables = process.submit(_load_mat, content).result()
    except (StageError, MemoryError):
        raise
    except BrokenProcessPool as error:
        raise _bad_array(str(path), ValueError("its reader crashed")) from error
    except Exception as error:  # `loadmat` raises exceptions of many types for damaged files
        raise _bad_array(str(path), error) from error
    return {name: partial(_plain, array) for name, array in _leaves("", variables)}


def _load_mat(content: bytearray) -> dict[str, Any]:
    # Imported here: SciPy's readers take a moment to import, and `--help` should be fast.
    from scipy.io import loadmat

    return loadmat(io.BytesIO(content), simplify_cells=True)


def _plain(array: NDArray) -> NDArray:
    return array


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, NDArray]]:
    """Arrays in nested structs, with names such as dataset.train.images."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not name.startswith("__"):
                yield from _leaves(f"{prefix}.{name}" if prefix else name, inner)
    elif isinstance(value, np.ndarray):
        yield prefix, value


def _unpacked(content: bytearray) -> Iterator[int]:
    """Sizes of the elements of a `.mat` file, of which a small one may unpack to gigabytes."""
    order = "little" if content[126:128] == b"IM" else "big"
    at, compressed = 128, 15
    while at + 8 <= len(content):
        kind, size = (int.from_bytes(content[k : k + 4], order) for k in (at, at + 4))  # type: ignore[arg-type]
        if kind == compressed:
            stream, rest = zlib.decompressobj(), bytes(content[at + 8 : at + 8 + size])
            while rest and not stream.eof:
                yield len(stream.decompress(rest, 1 << 20))
                rest = stream.unconsumed_tail
        else:
            yield min(size, len(content))
        at += 8 + size


def hdf5_arrays(path: Path) -> Arrays:
    """The arrays of an HDF5 file, or of a `.mat` file of MATLAB 7.3, with the names of groups."""
    try:
        import h5py
    except ImportError as error:
        raise StageError(
            f"{path}: HDF5 files and .mat files of version 7.3 need a package; install it with "
            "pip install -e '.[hdf5]'."
        ) from error
    with path.open("rb") as head:
        is_matlab = head.read(6) == b"MATLAB"
    names: list[str] = []

    def visit(name: str, item: Any) -> None:
        # `external` would read any other file of the machine.
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "buif" and not (
            item.external or item.is_virtual or name.startswith("#")
        ):  # fmt: skip
            names.append(name)

    def load(name: str) -> NDArray:
        with _damaged_npz(path, name), h5py.File(path, "r") as file:
            require_room(file[name].size * file[name].dtype.itemsize, f"{path}: {name}")
            array = np.asarray(file[name][()])
            # MATLAB's arrays are column-major, so HDF5 has their axes in reverse.
            return array.T if is_matlab else array

    with _damaged_npz(path), h5py.File(path, "r") as file:
        file.visititems(visit)
    return {name: partial(load, name) for name in names}


def idx_array(path: Path) -> NDArray:
    """The array of an IDX file; of QMNIST's labels, (n, 8), the classes in the first column."""
    array = read_idx(path)
    is_qmnist = array.ndim == 2 and array.shape[1] == 8 and "labels" in path.name
    return array[:, 0] if is_qmnist else array
