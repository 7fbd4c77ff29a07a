"""Regularization: methods that reduce overfitting to the training samples.

- L2 adds ½λ Σ W² to the loss, so λW to the gradient (Nielsen, chapter 3, equation 87).
- Decoupled weight decay multiplies the weights by 1 - ηλ in each step, W ← (1 - ηλ)·W, apart from
  the gradient (Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization"). For plain
  gradient descent it is the same as L2.
- Max-norm keeps the Euclidean norm of each unit's incoming weights at or below c (Srivastava et
  al. 2014, "Dropout", §5.1).
- Dropout sets each input or hidden unit to 0 with probability p during training and scales the
  others by 1/(1 - p), so that prediction needs no correction (the same paper, §10).
- Label smoothing replaces one-hot targets y by (1 - ε)·y + ε/classes, so that minimizing the loss
  does not let the weights grow without bound (Szegedy et al. 2016, "Rethinking the Inception
  Architecture for Computer Vision", §7).

The first three apply to weights, not to biases.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.activations import Array
from nn.checks.hyperparameters import Range, hyperparameter, validate
from nn.exact.portable import ordered_sum

_parameter = partial(hyperparameter, section="regularization")
_AMOUNT = Range(0.0, 1e6)
_PROBABILITY = Range(0.0, 1.0, excluded=(1.0,))


@dataclass(frozen=True)
class Regularization:
    """Strength of each method; 0 turns it off.

    Raises:
        ValueError: If a value is invalid.
    """

    l2: float = _parameter(0.0, _AMOUNT, "Coefficient λ of the L2 penalty on the weights.")
    weight_decay: float = _parameter(
        0.0, _AMOUNT, "Coefficient λ of decoupled weight decay; with adam, this is AdamW."
    )
    max_norm: float = _parameter(
        0.0, _AMOUNT, "Limit on the L2 norm of each unit's incoming weights; 0 for no limit."
    )
    dropout_input: float = _parameter(
        0.0, _PROBABILITY, "Probability that an input is dropped during training."
    )
    dropout_hidden: float = _parameter(
        0.0, _PROBABILITY, "Probability that a hidden unit is dropped during training."
    )
    label_smoothing: float = _parameter(
        0.0, _PROBABILITY, "Fraction of each target that is spread evenly over all classes."
    )

    def __post_init__(self) -> None:
        validate(self)

    @property
    def of_inputs(self) -> bool:
        """Whether it changes the gradient or the weights of the first layer, or its inputs."""
        return any((self.l2, self.weight_decay, self.max_norm, self.dropout_input))


NONE = Regularization()


def limit_norms(weights: Array, limit: float) -> None:
    """Scale rows of `weights`, (units out, units in), in place to a norm of at most `limit`."""
    norms = np.sqrt(ordered_sum(weights * weights))
    weights *= (limit / np.maximum(norms, limit))[:, None]


def dropout_mask(
    shape: tuple[int, ...], dropped: float, rng: np.random.Generator, dtype: Any
) -> NDArray:
    """Random factors: 0 with probability `dropped`, and 1/(1 - `dropped`) otherwise."""
    kept = rng.random(shape, dtype=dtype) >= dropped
    return kept * np.array(1.0 / (1.0 - dropped), dtype)


def smooth_labels(targets: Array, amount: float) -> Array:
    """Replace, in place, targets y by (1 - ε)·y + ε/classes, with ε = `amount`.

    Args:
        targets: (n, classes), one-hot.
        amount: ε, from 0 to below 1.

    Returns:
        `targets`.
    """
    targets *= 1.0 - amount
    targets += amount / targets.shape[1]
    return targets
