"""Snapshots: weights of the network after some epochs, which `train` writes for the page.

One `.npz` file, which loads without pickle:

| entry | shape | content |
|---|---|---|
| `epochs` | (s + 1,) | epochs done at each of s snapshots, and at the end of training |
| `accuracies` | (s + 1,) | accuracy on the validation images at each of them |
| `parameters` | (s, p) | weights and biases of each layer, first to last, one row per snapshot |

The network at the end of training is the model, so it is not in this file.
"""

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn import Network
from nn.checks.array_files import ArrayFileError, read_archive, write_archive
from stages.common.files.artifacts import invalid_artifact, read_bytes

# Snapshots are taken after these numbers of epochs; 0 means the initial weights.
EPOCHS = (0, 1, 2, 3, 5, 10, 20, 30)
# Larger networks have no snapshots, because the page would exceed its limit on bytes.
MAX_PARAMETERS = 600_000


class Snapshots(NamedTuple):
    """The content of the file; see above.

    Attributes:
        epochs: (s + 1,) integers.
        accuracies: (s + 1,) float64.
        parameters: (s, p) float32.
    """

    epochs: NDArray
    accuracies: NDArray
    parameters: NDArray

    def write(self, file: BinaryIO) -> None:
        """Write the file; equal snapshots give equal bytes."""
        write_archive(file, self._asdict())

    @classmethod
    def read(cls, path: Path, network: Network) -> "Snapshots":
        """Read the snapshots of a network's training.

        Raises:
            StageError: If the file is missing or damaged, or belongs to a network of other layers.
        """
        try:
            archive = read_archive(read_bytes(path, "train"))
            found = cls(*(archive[name] for name in cls._fields))
        except (ArrayFileError, KeyError) as error:
            raise invalid_artifact(path, f"expected snapshots ({error})", "train") from error
        s, p = found.epochs.size - 1, parameters_of(network).size
        if (
            [a.shape for a in found] != [(s + 1,), (s + 1,), (s, p)]
            or found.epochs.dtype.kind != "i"
            or not all(a.dtype.kind in "fi" and np.isfinite(a).all() for a in found)
        ):
            fault = f"expected finite snapshots of a network of {p} weights and biases"
            raise invalid_artifact(path, fault, "train")
        return found

    def networks(self, like: Network) -> list[Network]:
        """The s snapshots as networks with the layers of another one."""
        return [_network_of(row, like) for row in self.parameters]


def parameters_of(network: Network) -> NDArray:
    """A copy of weights and biases of each layer, first to last, as one row."""
    layers = zip(network.weights, network.biases, strict=True)
    return np.concatenate([a.reshape(-1) for layer in layers for a in layer])


def snapshot_of(network: Network, epoch: int) -> NDArray:
    """The parameters of the network if a snapshot is taken after `epoch`, else an empty row."""
    parameters = parameters_of(network)
    kept = epoch in EPOCHS and parameters.size <= MAX_PARAMETERS
    return parameters if kept else parameters[:0]


def _network_of(parameters: NDArray, like: Network) -> Network:
    layers = [a for layer in zip(like.weights, like.biases, strict=True) for a in layer]
    parts = np.split(parameters, np.cumsum([a.size for a in layers])[:-1])
    arrays = [part.reshape(a.shape) for part, a in zip(parts, layers, strict=True)]
    return replace(like, weights=arrays[::2], biases=arrays[1::2])
