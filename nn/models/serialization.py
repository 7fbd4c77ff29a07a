"""Networks and ensembles as `.npz` files, which load without pickle.

| entry | shape | content |
|---|---|---|
| `format` | () | the text of `FORMAT`, which identifies the file format |
| `weights_0`, `biases_0`, `weights_1`, … | (out, in), (out,) | the layers, first to last |
| `activation` | () | activation function of the hidden layers |
| `loss` | () | loss function; determines the activation function of the output layer |
| `classes` | (classes,) | name of each output |
| `pixel_range` | (2,) | the raw pixel values that are scaled to 0 and 1 |
| `image_shape` | (2,) | height and width of an image; (0, 0) if unknown |
| `deslanted` | () | whether the inputs are deslanted images |
| `framing` | (14,) | the numbers of `framing.Framing`; (0,) if there is none |

The file of an ensemble has the entries of each member, except `format`, in a folder of its own:
`member_0/weights_0`, …
"""

from os import PathLike
from typing import BinaryIO

import numpy as np

from nn.activations import ACTIVATIONS
from nn.checks.array_files import read_archive, write_archive
from nn.images.framing import Framing
from nn.images.info import DatasetInfo
from nn.images.pixels import is_range
from nn.losses import LOSSES
from nn.models.ensemble import Ensemble
from nn.network import Network

FORMAT = "multi-layer perceptron, 4"
# Prefix of the entries of a member.
_MEMBER = "member_{}/"


class ModelFileError(ValueError):
    """The file is not a complete model; the message says what was expected and what was found."""


def save(model: Network | Ensemble, file: BinaryIO) -> None:
    """Write a model to a file opened for binary writing; equal models give equal bytes.

    Raises:
        TypeError: If the first argument is not a network or an ensemble.
        ValueError: If a network is not complete: `load` would not read it.
    """
    if not isinstance(model, Network | Ensemble):
        raise TypeError(
            "save: expected a network or an ensemble, and then a file, got "
            f"{type(model).__name__} and {type(file).__name__}; write save(network, file)"
        )
    entries = {"format": np.array(FORMAT)}
    if isinstance(model, Network):
        entries |= _entries_of(model)
    else:
        for k, member in enumerate(model.members):
            of_member = _entries_of(member)
            entries |= {_MEMBER.format(k) + name: array for name, array in of_member.items()}
    write_archive(file, entries)


def _entries_of(network: Network) -> dict[str, np.ndarray]:
    require_consistent(network)
    entries = {
        "activation": np.array(network.activation),
        "loss": np.array(network.loss),
        "classes": np.array(network.classes),
        "pixel_range": np.array(network.pixel_range, dtype=np.float64),
        "image_shape": np.array(network.image_shape or (0, 0), dtype=np.int64),
        "deslanted": np.array(network.deslanted),
        "framing": np.array(network.framing.numbers() if network.framing else [], np.float64),
    }
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        entries[f"weights_{layer}"] = w
        entries[f"biases_{layer}"] = b
    return entries


def load(file: str | PathLike | BinaryIO) -> Network | Ensemble:
    """Read a network or an ensemble written by `save`.

    Raises:
        ModelFileError: If the file is truncated, altered, or of another format.
        OSError: If the file cannot be read.
    """
    if isinstance(file, str | PathLike):
        with open(file, "rb") as opened:
            try:
                return load(opened)
            except ModelFileError as error:
                raise ModelFileError(f"{file}: {error}") from error
    try:
        return _model_of(read_archive(file.read()))
    except ModelFileError:
        raise
    except ValueError as error:
        raise ModelFileError(str(error)) from error


def _model_of(entries: dict[str, np.ndarray]) -> Network | Ensemble:
    if (found := str(entries.get("format"))) != FORMAT:
        raise ModelFileError(f"expected the entry `format` {FORMAT!r}, got {found[:60]!r}")
    members: list[Network] = []
    while of_member := {
        name.removeprefix(prefix): array
        for name, array in entries.items()
        if name.startswith(prefix := _MEMBER.format(len(members)))
    }:
        members.append(_network_of(of_member))
    return Ensemble(members) if members else _network_of(entries)


def _network_of(entries: dict[str, np.ndarray]) -> Network:
    try:
        low, high = map(float, entries["pixel_range"])
        height, width = map(int, entries["image_shape"])
        deslanted, framing = entries["deslanted"], entries["framing"].tolist()
        if deslanted.dtype != np.bool_ or deslanted.shape != ():
            found = f"{deslanted.dtype} {deslanted.shape}"
            raise ValueError(f"expected one bool as deslanted, got {found}")
        network = Network(
            weights=_layers(entries, "weights"),
            biases=_layers(entries, "biases"),
            data=DatasetInfo(
                tuple(str(name) for name in entries["classes"]),
                (low, high),
                (height, width) if height or width else None,
                bool(deslanted),
                None if framing == [] else Framing.of_numbers(framing, (height, width)),
            ),
            activation=str(entries["activation"]),
            loss=str(entries["loss"]),
        )
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(f"an entry is missing or malformed: {error}") from error
    require_consistent(network)
    return network


def _layers(entries: dict, kind: str) -> list:
    count = sum(name.startswith(f"{kind}_") for name in entries)
    return [entries[f"{kind}_{layer}"] for layer in range(count)]


def require_consistent(network: Network) -> None:
    """Raise ValueError unless the parts of a network fit together and can be saved."""
    if network.activation not in ACTIVATIONS or network.loss not in LOSSES:
        raise ValueError(
            f"expected an activation of {', '.join(ACTIVATIONS)} "
            f"and a loss of {', '.join(LOSSES)}, got {network.activation!r} and {network.loss!r}"
        )
    network.require_shapes()
    if not all(np.isfinite(a).all() for a in network.weights + network.biases):
        raise ValueError("expected finite weights and biases")
    if not len(network.classes) == (outputs := network.sizes[-1]) >= 2:
        raise ValueError(
            f"expected {outputs} class names, one per output, and at least 2, got "
            f"{len(network.classes)}"
        )
    "".join(network.classes).encode()  # for a lone surrogate, its error is a ValueError
    low, high = network.pixel_range
    if not is_range(low, high):
        raise ValueError(
            f"expected two different numbers as pixel_range, whose difference fits float32, got "
            f"{low} and {high}"
        )
    shape, pixels = network.image_shape, network.sizes[0]
    if shape is not None and (min(shape) < 1 or shape[0] * shape[1] != pixels):
        raise ValueError(f"expected an image_shape of {pixels} pixels, got {shape}")
    if network.deslanted and shape is None:
        raise ValueError("expected an image_shape, because images are deslanted, got none")
