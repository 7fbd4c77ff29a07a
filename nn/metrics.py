"""Loss, accuracy and calibration of a classifier."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn.classifier import Classifier
from nn.losses import LOSSES

# Samples per call, so that memory does not grow with the number of samples.
_CHUNK = 5_000
# Losses are summed as integer multiples of 2^-40.
_LOSS_SCALE = 2.0**40


@dataclass(frozen=True)
class Score:
    """Loss and accuracy on a set of samples.

    Attributes:
        loss: Mean loss of the samples, without penalties.
        accuracy: Fraction of the samples whose highest score is that of the true class, 0 to 1.
    """

    loss: float
    accuracy: float


class RunningScore:
    """Loss and accuracy of samples that come in chunks; `loss` is a key of `losses.LOSSES`."""

    def __init__(self, loss: str) -> None:
        self._loss_of = LOSSES[loss].of_samples
        self._loss = self._right = self._samples = 0

    def add(self, outputs: NDArray, targets: NDArray) -> None:
        """Add (n, classes) outputs and one-hot targets."""
        # A sum of integers does not depend on the order of its terms.
        losses = np.rint(self._loss_of(outputs, targets) * _LOSS_SCALE)
        self._loss += int(losses.astype(np.int64).sum())
        self._right += int(np.count_nonzero(outputs.argmax(axis=1) == targets.argmax(axis=1)))
        self._samples += len(outputs)

    def add_members(self, add: Callable[[list[NDArray]], None]) -> None:
        """Add the samples of the other members of a team; see `training.team.Team.add`."""
        high, low = divmod(self._loss, 2**32)  # the sum of all may need more than 64 bits
        numbers = np.array([high, low, self._right, self._samples], np.int64)
        add([numbers])
        high, low, self._right, self._samples = map(int, numbers)
        self._loss = high * 2**32 + low

    @property
    def score(self) -> Score:
        """Score of all samples so far."""
        return Score(self._loss / _LOSS_SCALE / self._samples, self._right / self._samples)


def score(classifier: Classifier, images: NDArray, targets: NDArray) -> Score:
    """Loss and accuracy of a network or an ensemble.

    Args:
        classifier: The model.
        images: (n, d) floats in [0, 1]; may be memory-mapped, since it is read in chunks.
        targets: (n, classes), one-hot.

    Raises:
        ValueError: If the shapes do not fit the classifier or each other, or n is 0.
    """
    classifier.require_samples(images, targets)
    running = RunningScore(classifier.loss)
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        running.add(classifier.scores(images[part]), targets[part])
    return running.score


def expected_calibration_error(
    confidence: NDArray, correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error (ECE), from 0 (perfectly calibrated) to 1.

    The samples are sorted by confidence into M bins of equal width. The error is the mean of
    |accuracy - confidence| over the bins, weighted by their number of samples:
    Σₘ |Bₘ|/n · |acc(Bₘ) - conf(Bₘ)| (Naeini, Cooper & Hauskrecht 2015, "Obtaining Well Calibrated
    Probabilities Using Bayesian Binning"; Guo et al. 2017, "On Calibration of Modern Neural
    Networks", equation 3).

    Args:
        confidence: (n,) probability of the predicted class, in [0, 1].
        correct: (n,) whether each prediction is right.
        bins: Number of bins, M.

    Raises:
        ValueError: If there is no sample or no bin.
    """
    if len(confidence) == 0 or bins < 1:
        raise ValueError(
            f"expected at least one sample and one bin, got {len(confidence)} and {bins}"
        )
    # Bins are (0, 1/M], (1/M, 2/M], …, as in the papers; 0 itself belongs to the first.
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, weights=correct.astype(float) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))
