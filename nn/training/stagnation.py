"""A warning for training that does not learn.

The best constant output is p, the frequency of each class. If the mean loss of a network is not
below that of p after some steps, it has learned nothing. Either its output units are saturated
(their activations are near 0 or 1, where the gradient vanishes), or its steps have no effect.
"""

import numpy as np
from numpy.typing import NDArray

from nn.losses import LOSSES
from nn.metrics import score
from nn.network import Network

# Number of samples that are evaluated, and number of steps before.
_SAMPLES, STEPS = 1_000, 1_000
# The network has not learned if its loss is at least this fraction of that of p.
_MIN_LOSS = 0.98
# The outputs are saturated if the first fraction of them is closer to 0 or 1 than the distance.
_SATURATED, _DISTANCE = 0.9, 0.01


class NotLearningWarning(UserWarning):
    """The loss has not decreased; the message says why, and what to change."""


def not_learning(network: Network, images: NDArray, targets: NDArray) -> str | None:
    """Describe why a network does not learn, and the likely remedy; None if it has learned.

    Args:
        network: The network after about `STEPS` steps.
        images: (n, d) training images.
        targets: (n, classes), one-hot.
    """
    some = slice(None, None, max(1, len(images) // _SAMPLES))
    images, targets = np.array(images[some]), np.array(targets[some])
    frequencies = np.broadcast_to(targets.mean(axis=0, dtype=targets.dtype), targets.shape)
    constant = float(LOSSES[network.loss].of_samples(frequencies, targets).mean())
    found = score(network, images, targets)
    if found.loss < _MIN_LOSS * constant:
        return None
    outputs = network.scores(images)
    saturated = np.minimum(outputs, 1 - outputs) < _DISTANCE
    loss = f"the loss is {found.loss:.3f}, and that of guessing {constant:.3f}"
    if saturated.mean() >= _SATURATED:
        return (
            f"the network does not learn, because its output units are saturated ({loss}); choose "
            "a smaller learning_rate, such as a third, and initialization: scaled"
        )
    return (
        f"the network does not learn ({loss}); choose another learning_rate, fewer hidden layers, "
        "or activation: relu"
    )
