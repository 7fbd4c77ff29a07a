"""Does a network that says "90 % sure" turn out right nine times in ten?

Expected calibration error (Naeini, Cooper & Hauskrecht 2015, "Obtaining Well Calibrated
Probabilities Using Bayesian Binning"; Guo et al. 2017, equation 3): sort the samples into M bins of
equal width by their confidence, and average |accuracy - confidence| over the bins,
ECE = Σₘ |Bₘ|/n · |acc(Bₘ) - conf(Bₘ)|.
"""

import numpy as np
from numpy.typing import NDArray


def expected_calibration_error(
    confidence: NDArray, correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error, from 0 (honest) to 1.

    Args:
        confidence: (n,) probability given to the predicted class, in [0, 1].
        correct: (n,) whether the prediction was right.
        bins: Number of bins M of equal width.

    Raises:
        ValueError: If there is no sample or no bin.
    """
    if len(confidence) == 0 or bins < 1:
        raise ValueError("calibration needs at least one sample and one bin")
    # Bins are (0, 1/M], (1/M, 2/M], …, as in the papers; 0 itself goes into the first.
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, weights=correct.astype(float) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))
