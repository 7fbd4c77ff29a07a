"""How good a network is: its loss and its accuracy on some samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn.losses import LOSSES
from nn.network import Network

_SCORED_AT_ONCE = 5_000


@dataclass(frozen=True)
class Score:
    """How good a network is on some samples.

    Attributes:
        loss: Mean of the network's loss over the samples, without penalties.
        accuracy: Fraction of the samples whose highest output is the right one, 0 to 1.
    """

    loss: float
    accuracy: float


def score(network: Network, images: NDArray, targets: NDArray) -> Score:
    """Loss and accuracy on (n, d) images with (n, classes) one-hot targets, in bounded memory.

    Raises:
        ValueError: If the shapes do not fit the network or each other, or n is 0.
    """
    network.require_samples(images, targets)
    loss, right = 0.0, 0
    for start in range(0, len(images), _SCORED_AT_ONCE):
        part = slice(start, start + _SCORED_AT_ONCE)
        outputs, wanted = network.scores(images[part]), targets[part]
        loss += float(LOSSES[network.loss].of_samples(outputs, wanted).sum(dtype=np.float64))
        right += int(np.count_nonzero(outputs.argmax(axis=1) == wanted.argmax(axis=1)))
    return Score(loss / len(images), right / len(images))
