"""Learning rate schedules.

With e epochs done (a fraction within an epoch) out of E, the learning rate is multiplied by

| name | factor |
|---|---|
| constant | 1 |
| step | lr_decay^⌊e / lr_decay_epochs⌋ |
| exponential | lr_decay^e |
| cosine | ½·(1 + cos(π·e/E)), from 1 down to 0 (Loshchilov & Hutter 2017, "SGDR", equation 5) |
| one_cycle | from 1/25 up to 1 at 30 % of the training, then down to 0, along half cosines (Smith & Topin 2018, "Super-Convergence") |

With warm-up, the factor is e / warmup in the first `warmup` epochs (Goyal et al. 2017, "Accurate,
Large Minibatch SGD", §2.2), and cosine starts after them. In one_cycle, `warmup` is the length of
the rise, if it is not 0.
"""  # noqa: E501

import math
from dataclasses import dataclass
from functools import partial

from nn.checks.hyperparameters import Range, hyperparameter, validate
from nn.exact.portable import integer_power, power, sine

SCHEDULES = ("constant", "step", "exponential", "cosine", "one_cycle")
_ONE_CYCLE_START = 1 / 25
_ONE_CYCLE_RISE = 0.3

_parameter = partial(hyperparameter, section="schedule")


@dataclass(frozen=True)
class Schedule:
    """A function from the number of completed epochs, such as 2.75, to the learning rate factor.

    Attributes:
        epochs: E, the number of epochs of the whole training.

    Raises:
        ValueError: If a value is invalid.
    """

    name: str = _parameter(
        "constant",
        SCHEDULES,
        "Learning rate over the epochs: constant; decreasing in steps (step), exponentially, or "
        "along a half cosine; or rising and then falling (one_cycle).",
    )
    epochs: float = 1.0
    warmup: float = _parameter(
        0.0,
        Range(0.0, 1e9),
        "Epochs in which the learning rate rises linearly from 0; fewer than epochs.",
    )
    lr_decay: float = _parameter(
        0.5,
        Range(0.0, 1.0, excluded=(0.0,)),
        "Factor by which the schedules step and exponential multiply the learning rate.",
    )
    lr_decay_epochs: float = _parameter(
        10.0, Range(0.0, 1e9, excluded=(0.0,)), "Epochs between two decreases of the schedule step."
    )

    def __post_init__(self) -> None:
        """Raise ValueError if a field is out of range."""
        validate(self)
        if self.warmup and self.warmup >= self.epochs:
            raise ValueError(
                f"warmup: expected fewer than the {self.epochs} epochs, got {self.warmup}"
            )

    @property
    def ends(self) -> bool:
        """Whether the factor depends on the total number of epochs."""
        return self.name in ("cosine", "one_cycle")

    def __call__(self, done: float) -> float:
        """The factor after `done` epochs, between 0 and 1."""
        if self.name == "one_cycle":
            rise = self.warmup or _ONE_CYCLE_RISE * self.epochs
            if done < rise:
                return half_cosine(_ONE_CYCLE_START, 1.0, done / rise)
            return half_cosine(1.0, 0.0, (done - rise) / (self.epochs - rise))
        if done < self.warmup:
            return done / self.warmup
        if self.name == "step":
            return integer_power(self.lr_decay, int(done // self.lr_decay_epochs))
        if self.name == "exponential":
            return power(self.lr_decay, done)
        if self.name == "cosine":
            return half_cosine(1.0, 0.0, (done - self.warmup) / (self.epochs - self.warmup))
        return 1.0


CONSTANT = Schedule()


def half_cosine(start: float, end: float, progress: float) -> float:
    """From `start` to `end` along half a cosine, while `progress` goes from 0 to 1."""
    bounded = min(1.0, max(0.0, progress))
    # ½·(1 + cos πp) = 1 - sin² ½πp
    return end + (start - end) * (1.0 - sine(0.5 * math.pi * bounded) ** 2)
