"""A warning for training that does not learn, and the learning rate to try instead.

The best constant output is p, the frequency of each class. A network has learned something if its
mean loss is below that of p by more than chance, or it makes less than half the errors of p. If it
has not, either its inputs are not scaled, or its output units are saturated (their activations are
near 0 or 1, where the gradient vanishes), or its steps are too small or too few.

A step of learning rate η for one sample changes the weighted input of a unit by η·δ·(‖a‖² + 1), if
a are the unit's inputs. ‖a‖² is at most the number of units below, or the squared norm of the
image, so the learning rate of plain gradient descent must fall with the larger of them, F. δ is
four times smaller for the quadratic loss, because σ' ≤ 1/4. Momentum μ adds up 1/(1 - μ) steps,
and overshoots. Adam changes each weight by about η, and z by up to η·F. Hence the rule of
`suggested_learning_rate`:

| optimizer | quadratic | cross-entropies |
|---|---|---|
| sgd | 100/F, at most 3 | 30/F, at most 1 |
| momentum, nesterov | (1 - μ)/2 times that of sgd | (1 - μ)/2 times that of sgd |
| adam | 0.3/F, at most 0.01 | 0.3/F, at most 0.01 |

The constants are measured, about a third of the largest with which networks of sigmoid units with
30 to 1000 units learned.
"""

import numpy as np
from numpy.typing import NDArray

from nn.losses import LOSSES
from nn.network import Network
from nn.training.config import TrainingConfig
from nn.training.inputs import Samples

# Number of samples that are evaluated.
_SAMPLES = 1_000
# Numbers of steps after which saturated outputs, and any other lack of learning, are reported.
EARLY, STEPS = 200, 1_000
# The network has learned if its loss is below that of p by more than this fraction of it, and by
# more than these standard errors of the difference over the samples.
_MIN_GAIN, _STANDARD_ERRORS = 0.02, 2
# The outputs are saturated if the first fraction of them is closer to 0 or 1 than the distance.
_SATURATED, _DISTANCE = 0.9, 0.01
# Inputs are scaled if their root mean square and the mean of ‖x‖² are within these limits: for
# inputs in [0, 1] the first is at most 1, for standardized ones it is 1.
_MAX_RMS, _MIN_SQUARED_NORM = 2.0, 0.1


class NotLearningWarning(UserWarning):
    """The loss has not decreased; the message says why, and what to change."""


def suggested_learning_rate(config: TrainingConfig, images: NDArray) -> float:
    """A learning rate for this optimizer, loss and width, with one significant digit.

    Args:
        config: Its other parameters.
        images: (n, d) training images, or some of them.
    """
    largest = max([_mean_squared_norm(images), *config.hidden])
    if config.optimizer == "adam":
        rate = min(0.3 / largest, 0.01)
    else:
        factor, limit = (100, 3) if config.loss == "quadratic" else (30, 1)
        rate = min(factor / largest, limit)
        if config.optimizer != "sgd":
            rate *= (1 - config.momentum) / 2
    return _rounded(rate)


def not_learning(
    network: Network, config: TrainingConfig, samples: Samples, steps: int, *, ended: bool
) -> str | None:
    """Describe why a network does not learn, and the likely remedy; None if it has learned.

    Args:
        network: The network after the steps.
        config: How it was trained.
        samples: Training samples.
        steps: Number of steps, at least `EARLY` unless training has ended. Before `STEPS`, a
            network whose outputs are not saturated may still begin to learn.
        ended: Whether training has ended.
    """
    some = samples.rows(slice(None, None, max(1, len(samples.images) // _SAMPLES)))
    images, targets = np.array(some.images), np.array(some.targets)
    outputs, loss_of = network.scores(images), LOSSES[network.loss].of_samples
    # Weights that are all 0 among these samples are ignored.
    weights = some.weights if some.weights is not None and some.weights.any() else None
    frequencies = np.average(targets, axis=0, weights=weights).astype(targets.dtype)
    guessed = loss_of(np.broadcast_to(frequencies, targets.shape), targets)
    losses = loss_of(outputs, targets)
    constant, loss = (float(np.average(each, weights=weights)) for each in (guessed, losses))
    share = np.full(len(losses), 1 / len(losses)) if weights is None else weights / weights.sum()
    error = float(np.linalg.norm(share * (guessed - losses - (constant - loss))))
    right = float(np.average(outputs.argmax(axis=1) == targets.argmax(axis=1), weights=weights))
    # A network that is often right has learned, even if it is so sure that its loss is large. With
    # one class only, the constant output is right and its loss is 0.
    is_below = constant - loss > max(_MIN_GAIN * constant, _STANDARD_ERRORS * error)
    if constant == 0 or is_below or right > (1 + frequencies.max()) / 2:
        return None
    saturated = np.mean(np.minimum(outputs, 1 - outputs) < _DISTANCE) >= _SATURATED
    if not (saturated or ended or steps >= STEPS):
        return None
    reason, remedy = _reason_and_remedy(config, images, steps, saturated=bool(saturated))
    return (
        f"the network does not learn: its loss is {loss:.3f} after {steps} steps, and that of "
        f"guessing is {constant:.3f}, {reason}; {remedy}"
    )


def _reason_and_remedy(
    config: TrainingConfig, images: NDArray, steps: int, *, saturated: bool
) -> tuple[str, str]:
    rms, norm = float(np.sqrt(np.mean(np.square(images)))), _mean_squared_norm(images)
    if rms > _MAX_RMS or norm < _MIN_SQUARED_NORM:
        return (
            f"because the inputs are not scaled (their root mean square is {rms:.3g})",
            "scale features with StandardScaler, or raw pixels to [0, 1]",
        )
    rate, suggested = config.learning_rate, suggested_learning_rate(config, images)
    if saturated:
        normal = config.initialization == "normal"
        return (
            "because its output units are saturated",
            f"choose learning_rate: {min(suggested, _rounded(rate / 3)):g}, not {rate:g}"
            + (", and initialization: scaled" if normal else ""),
        )
    if rate > 3 * suggested or rate < suggested / 3:
        size = "large" if rate > suggested else "small"
        return (
            f"probably because learning_rate: {rate:g} is too {size}",
            f"choose learning_rate: {suggested:g}",
        )
    if steps < STEPS:
        return "probably because these steps are too few", "choose more epochs"
    return (
        "and neither its inputs nor its learning_rate are the likely reason",
        "choose fewer hidden layers, or activation: relu",
    )


def _mean_squared_norm(images: NDArray) -> float:
    return float(np.square(images).sum(axis=1).mean())


def _rounded(number: float) -> float:
    """The number with one significant digit."""
    return float(f"{number:.0e}")
