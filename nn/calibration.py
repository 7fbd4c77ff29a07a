"""Expected calibration error: the mean difference between confidence and accuracy.

The samples are sorted by confidence into M bins of equal width. The error is the mean of
|accuracy - confidence| over the bins, weighted by their number of samples:
ECE = Σₘ |Bₘ|/n · |acc(Bₘ) - conf(Bₘ)| (Naeini, Cooper & Hauskrecht 2015, "Obtaining Well Calibrated
Probabilities Using Bayesian Binning"; Guo et al. 2017, "On Calibration of Modern Neural Networks",
equation 3).
"""

import numpy as np
from numpy.typing import NDArray


def expected_calibration_error(
    confidence: NDArray, correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error, from 0 (perfectly calibrated) to 1.

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
