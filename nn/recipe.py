"""Everything that can be chosen about a training run, in one place, with the defaults.

The defaults are the article's configuration. The stage `train` offers each choice as a parameter,
`NetworkClassifier` as an argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real

from nn.activations import ACTIVATIONS
from nn.deformation import Deformation
from nn.initialization import INITIALIZATIONS
from nn.losses import LOSSES
from nn.optimizers import OPTIMIZERS
from nn.regularization import Regularization
from nn.schedules import SCHEDULES, Schedule

MONITORS = ("loss", "accuracy")


@dataclass(eq=False)
class Recipe:
    """How a network is made and trained. Only `validate` looks whether the choices make sense.

    Attributes:
        hidden: Units of each hidden layer, from the input up.
        activation: The function of the hidden units; see `activations`.
        loss: What is minimised; see `losses`.
        initialization: The random weights to start from; see `initialization`.
        optimizer: What is done with the gradient; see `optimizers`.
        learning_rate: Step size η, above 0.
        momentum: μ of momentum and nesterov, β₁ of adam.
        second_momentum: β₂ of adam.
        batch_size: Samples in a minibatch.
        epochs: Passes over the training samples.
        schedule: How the learning rate changes; see `schedules`.
        warmup: Epochs in which it rises from 0.
        decay: Factor of the schedules `step` and `exponential`.
        decay_every: Epochs between two steps of `step`.
        l2, weight_decay, max_norm, dropout_input, dropout_hidden, label_smoothing: See
            `regularization`.
        average: How much of the averaged weights each step keeps; 0 for none. See `averaging`.
        rotation, scaling, shear, shift, elastic, smoothness: See `deformation`.
        patience: Epochs without a better validation score before training stops, and the best
            weights are taken; 0 to go through all epochs.
        monitor: The score that patience looks at, loss or accuracy.
    """

    hidden: tuple[int, ...] = (100,)
    activation: str = "sigmoid"
    loss: str = "quadratic"
    initialization: str = "scaled"
    optimizer: str = "sgd"
    learning_rate: float = 3.0
    momentum: float = 0.9
    second_momentum: float = 0.999
    batch_size: int = 10
    epochs: int = 30
    schedule: str = "constant"
    warmup: float = 0.0
    decay: float = 0.5
    decay_every: float = 10.0
    l2: float = 0.0
    weight_decay: float = 0.0
    max_norm: float = 0.0
    dropout_input: float = 0.0
    dropout_hidden: float = 0.0
    label_smoothing: float = 0.0
    average: float = 0.0
    rotation: float = 0.0
    scaling: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0
    patience: int = 0
    monitor: str = "loss"

    def validate(self) -> None:
        """Raise ValueError, starting with the name of the field, if something does not fit."""
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                wanted = ", ".join(known)
                raise ValueError(f"{name}: {getattr(self, name)!r} is none of {wanted}")
        for field in fields(Recipe):
            value = getattr(self, field.name)
            if field.type is float and (isinstance(value, bool) or not isinstance(value, Real)):
                raise ValueError(f"{field.name}: {value!r} is not a number")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate: {self.learning_rate} is not a number above 0")
        if not isinstance(self.hidden, Sequence) or not all(
            isinstance(units, Integral) and units >= 1 for units in self.hidden
        ):
            raise ValueError(f"hidden: {self.hidden!r} is no list of units, each at least 1")
        for name, least in (("batch_size", 1), ("epochs", 1), ("patience", 0)):
            value = getattr(self, name)
            if not (isinstance(value, Integral) and int(value) >= least):
                raise ValueError(f"{name}: {value} is not a whole number from {least} up")
        for name in ("momentum", "second_momentum", "average"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name}: {getattr(self, name)} is not from 0 to below 1")
        # Made to be checked; they name the field, too.
        _ = self.learning_rate_schedule, self.regularization, self.deformation

    @property
    def learning_rate_schedule(self) -> Schedule:
        """The factor of the learning rate, over the epochs."""
        return Schedule(self.schedule, self.epochs, self.warmup, self.decay, self.decay_every)

    @property
    def regularization(self) -> Regularization:
        """What keeps the network from learning the samples by heart."""
        return Regularization(**{f.name: getattr(self, f.name) for f in fields(Regularization)})

    @property
    def deformation(self) -> Deformation:
        """How images are deformed."""
        return Deformation(**{f.name: getattr(self, f.name) for f in fields(Deformation)})


_CHOICES = {
    "activation": tuple(ACTIVATIONS),
    "loss": tuple(LOSSES),
    "initialization": INITIALIZATIONS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "monitor": MONITORS,
}
