"""How the learning rate changes during training.

With e epochs done (a fraction within an epoch) out of E, the learning rate is multiplied by

| name | factor |
|---|---|
| constant | 1 |
| step | decay^⌊e / decay_every⌋ |
| exponential | decay^e |
| cosine | ½·(1 + cos(π·e/E)), from 1 down to 0 (Loshchilov & Hutter 2017, "SGDR", equation 5) |
| one_cycle | from 1/25 up to 1 at 30 % of the training, then down to 0, along half cosines (Smith & Topin 2018, "Super-Convergence") |

Warm-up multiplies the first epochs by e / warmup on top (Goyal et al. 2017, §2.2); cosine then
starts where warm-up ends. One-cycle's rise *is* a warm-up: `warmup` says how long it takes, if not
30 %.
"""  # noqa: E501

import math
from dataclasses import dataclass

SCHEDULES = ("constant", "step", "exponential", "cosine", "one_cycle")
_ONE_CYCLE_START = 1 / 25
_ONE_CYCLE_RISE = 0.3


@dataclass(frozen=True)
class Schedule:
    """A function from the number of epochs done, e.g. 2.75, to the factor of the learning rate.

    Attributes:
        name: One of `SCHEDULES`.
        epochs: E, the length of the whole training.
        warmup: Epochs in which the rate rises from 0, fewer than `epochs`.
        decay: Factor of `step` and `exponential`, above 0 and at most 1.
        decay_every: Epochs between two steps of `step`, above 0.
    """

    name: str = "constant"
    epochs: float = 1.0
    warmup: float = 0.0
    decay: float = 0.5
    decay_every: float = 10.0

    def __post_init__(self) -> None:
        """Raise ValueError if something does not fit."""
        if self.name not in SCHEDULES:
            raise ValueError(f"schedule: {self.name!r} is none of {', '.join(SCHEDULES)}")
        if not (self.warmup == 0 or 0 < self.warmup < self.epochs):
            raise ValueError(
                f"warmup: {self.warmup} is not from 0 to fewer than the {self.epochs} epochs"
            )
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay: {self.decay} is not above 0 and at most 1")
        if not 0 < self.decay_every < math.inf:
            raise ValueError(f"decay_every: {self.decay_every} is not a number above 0")

    @property
    def ends(self) -> bool:
        """Whether the factor depends on how long the whole training is."""
        return self.name in ("cosine", "one_cycle")

    def __call__(self, done: float) -> float:
        """The factor after `done` epochs, from 0 to 1."""
        if self.name == "one_cycle":
            rise = self.warmup or _ONE_CYCLE_RISE * self.epochs
            if done < rise:
                return _half_cosine(_ONE_CYCLE_START, 1.0, done / rise)
            return _half_cosine(1.0, 0.0, (done - rise) / (self.epochs - rise))
        if done < self.warmup:
            return done / self.warmup
        if self.name == "step":
            return self.decay ** (done // self.decay_every)
        if self.name == "exponential":
            return self.decay**done
        if self.name == "cosine":
            return _half_cosine(1.0, 0.0, (done - self.warmup) / (self.epochs - self.warmup))
        return 1.0


CONSTANT = Schedule()


def _half_cosine(start: float, end: float, progress: float) -> float:
    bounded = min(1.0, max(0.0, progress))
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * bounded))
