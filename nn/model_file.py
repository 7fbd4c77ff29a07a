"""A network as one self-describing `.npz` file that loads without pickle.

| entry | shape | what |
|---|---|---|
| `format` | () | the text of `FORMAT`; tells this file from any other `.npz` |
| `weights_0`, `biases_0`, `weights_1`, … | (out, in), (out,) | the layers, first to last |
| `activation` | () | the function of the hidden units |
| `loss` | () | what it was trained to minimise; decides the function of the outputs |
| `classes` | (classes,) | the name of each output |
| `pixel_range` | (2,) | the raw pixel values that became the inputs 0 and 1 |
| `image_shape` | (2,) | height and width of an image; (0, 0) if the inputs are no image |
"""

import io
import tokenize
import zipfile
import zlib
from itertools import pairwise
from os import PathLike
from typing import BinaryIO

import numpy as np

from nn.activations import ACTIVATIONS
from nn.losses import LOSSES
from nn.network import Network

FORMAT = "multi-layer perceptron, 2"

# What the readers of zip archives and of .npy headers raise when they meet nonsense.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    ValueError,
)


class ModelFileError(ValueError):
    """The file is not a whole model of this project; the message says what is wrong with it."""


def save(network: Network, file: BinaryIO) -> None:
    """Write the network to a file opened for binary writing; equal networks give equal bytes.

    Raises:
        TypeError: If it is a committee: save its members.
    """
    if type(network) is not Network:
        raise TypeError(f"a {type(network).__name__} is no single network")
    entries = {
        "format": np.array(FORMAT),
        "activation": np.array(network.activation),
        "loss": np.array(network.loss),
        "classes": np.array(network.classes),
        "pixel_range": np.array(network.pixel_range, dtype=np.float64),
        "image_shape": np.array(network.image_shape or (0, 0), dtype=np.int64),
    }
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        entries[f"weights_{layer}"] = w
        entries[f"biases_{layer}"] = b
    # As `np.savez` does it, but the bytes of its archives depend on Python's version and on the
    # operating system.
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in entries.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3
            archive.writestr(entry, content.getbuffer())


def load(file: str | PathLike | BinaryIO) -> Network:
    """Read a network that `save` wrote.

    Raises:
        ModelFileError: If the file is truncated, altered, or something else.
        OSError: If it cannot be read at all.
    """
    try:
        return _network_of(_entries_of(file))
    except ModelFileError as error:
        if isinstance(file, str | PathLike):
            raise ModelFileError(f"{file}: {error}") from error
        raise


def _entries_of(file: str | PathLike | BinaryIO) -> dict[str, np.ndarray]:
    try:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ModelFileError("it is a single array")
        with archive:
            return dict(archive)
    except ModelFileError:
        raise
    except DAMAGE as error:
        raise ModelFileError(f"it is no whole .npz archive of plain arrays ({error})") from error


def _network_of(entries: dict[str, np.ndarray]) -> Network:
    if str(entries.get("format")) != FORMAT:
        raise ModelFileError(f"it has no entry `format` that says {FORMAT!r}")
    try:
        network = Network(
            weights=_layers(entries, "weights"),
            biases=_layers(entries, "biases"),
            classes=tuple(str(name) for name in entries["classes"]),
            pixel_range=_pair(entries["pixel_range"]),
            activation=str(entries["activation"]),
            loss=str(entries["loss"]),
            image_shape=_shape(entries["image_shape"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"an entry is missing or malformed ({error})") from error
    _require_consistent(network)
    return network


def _layers(entries: dict, kind: str) -> list:
    count = sum(name.startswith(f"{kind}_") for name in entries)
    return [np.ascontiguousarray(entries[f"{kind}_{layer}"]) for layer in range(count)]


def _pair(values: np.ndarray) -> tuple[float, float]:
    low, high = (float(value) for value in values)
    return low, high


def _shape(values: np.ndarray) -> tuple[int, int] | None:
    height, width = (int(value) for value in values)
    return (height, width) if height or width else None


def _require_consistent(network: Network) -> None:
    weights, biases = network.weights, network.biases
    if network.activation not in ACTIVATIONS or network.loss not in LOSSES:
        raise ModelFileError(
            f"its activation {network.activation!r} or its loss {network.loss!r} is unknown"
        )
    if not weights or len(weights) != len(biases):
        raise ModelFileError("it needs one array of weights and one of biases for every layer")
    if any(w.ndim != 2 or b.shape != w.shape[:1] for w, b in zip(weights, biases, strict=True)):
        raise ModelFileError("the shapes of its weights and biases do not fit together")
    if any(after.shape[1] != before.shape[0] for before, after in pairwise(weights)):
        raise ModelFileError("its layers do not fit on one another")
    if {a.dtype for a in (*weights, *biases)} not in ({np.dtype("f4")}, {np.dtype("f8")}):
        raise ModelFileError("its weights and biases must all be float32 or all float64")
    if not all(np.isfinite(a).all() for a in (*weights, *biases)):
        raise ModelFileError("it holds weights that are not finite")
    if len(network.classes) != len(biases[-1]):
        raise ModelFileError("it has not one class name for each output")
    low, high = network.pixel_range
    if low == high or not np.isfinite([low, high]).all():
        raise ModelFileError("its pixel_range is no range")
    shape, pixels = network.image_shape, network.sizes[0]
    if shape is not None and (min(shape) < 1 or shape[0] * shape[1] != pixels):
        raise ModelFileError(f"its image_shape {shape} is not that of {pixels} pixels")
