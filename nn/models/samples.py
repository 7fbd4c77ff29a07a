"""Weights and a validation part of training samples, from the arguments of an estimator."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight

from nn.training.inputs import Samples


def split_off_validation(
    samples: Samples, fraction: float, random_state: Any
) -> tuple[Samples, Samples]:
    """Split samples at random, in equal proportions of the classes: training, validation.

    Raises:
        ValueError: If the fraction of validation samples is not above 0 and below 1.
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(
            f"validation_fraction: expected a number above 0 and below 1, got {fraction}"
        )
    chosen, kept = train_test_split(
        np.arange(len(samples.images)),
        test_size=fraction,
        random_state=check_random_state(random_state).randint(2**31),
        stratify=samples.targets.argmax(axis=1),
    )
    return samples.rows(chosen), samples.rows(kept)


def weights_of(
    labels: NDArray, class_weight: Any, sample_weight: ArrayLike | None
) -> NDArray[np.float64] | None:
    """The weight of each of n samples with these labels, (n,); None if all weights are 1.

    Raises:
        ValueError: If a weight is negative or not finite, all are 0, or their number is not n.
    """
    if sample_weight is None and class_weight is None:
        return None
    if isinstance(class_weight, dict) and min(class_weight.values(), default=0) < 0:
        raise ValueError(f"class_weight: expected weights of at least 0, got {class_weight}")
    weights = np.asarray(1.0 if sample_weight is None else sample_weight, np.float64)
    is_valid = np.isfinite(weights).all() and weights.min() >= 0 and weights.any()
    if weights.shape not in ((), (len(labels),)) or not is_valid:
        raise ValueError(
            f"sample_weight: expected ({len(labels)},) finite numbers from zero up, not all zero, "
            f"got {weights.shape} with minimum {weights.min():g}"
        )
    return weights * compute_sample_weight(class_weight, labels)
