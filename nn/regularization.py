"""What keeps a network from learning its training samples by heart.

- L2 adds ½λ Σ W² to the loss, so λW to the gradient (Nielsen, chapter 3, equation 87).
- Decoupled weight decay shrinks weights directly, W ← (1 - ηλ)·W, whatever the optimizer does with
  gradients (Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization"). For plain gradient
  descent the two are the same.
- Max-norm keeps the length of each unit's incoming weights at or below c (Srivastava et al. 2014,
  "Dropout", §5.1).
- Dropout silences each input or hidden unit with probability p while training, and scales the
  others by 1/(1 - p), so that nothing changes afterwards (the same paper, §10).
- Label smoothing: see `losses.smooth`.

Biases are left alone by the first three.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nn.blas import Array


@dataclass(frozen=True)
class Regularization:
    """How much of each; 0 switches it off.

    Attributes:
        l2: λ of the penalty on squared weights.
        weight_decay: λ of the decoupled decay.
        max_norm: c, the greatest length of a unit's incoming weights.
        dropout_input: Probability that an input is silenced, 0 to below 1.
        dropout_hidden: Probability that a hidden unit is silenced, 0 to below 1.
        label_smoothing: ε, the part of each target that is spread over all classes, 0 to below 1.
    """

    l2: float = 0.0
    weight_decay: float = 0.0
    max_norm: float = 0.0
    dropout_input: float = 0.0
    dropout_hidden: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            limit = np.inf if field.name in ("l2", "weight_decay", "max_norm") else 1.0
            if not 0.0 <= value < limit:
                raise ValueError(f"{field.name}: {value} is not from 0 to below {limit:g}")

    def dropout(self, layers: int) -> list[float]:
        """The probability that an input of each of `layers` layers of weights is silenced."""
        return [self.dropout_input] + [self.dropout_hidden] * (layers - 1)


NONE = Regularization()


def limit_norms(weights: Array, greatest: float) -> None:
    """Scale down in place each row of (units out, units in) `weights` longer than `greatest`."""
    norms = np.sqrt(np.einsum("oi,oi->o", weights, weights))
    weights *= (greatest / np.maximum(norms, greatest))[:, None]


def draw_mask(mask: NDArray, dropped: float, rng: np.random.Generator) -> None:
    """Fill `mask` with 0, with probability `dropped`, and with 1/(1 - `dropped`) otherwise."""
    rng.random(out=mask, dtype=mask.dtype)
    np.greater_equal(mask, dropped, out=mask)
    mask *= 1.0 / (1.0 - dropped)
