"""The configuration of a training run: all hyperparameters, with the article's defaults.

The stage `train` has an option for each, and `NetworkClassifier` an argument.
"""

from dataclasses import dataclass, fields

from nn.activations import ACTIVATIONS
from nn.checks.hyperparameters import Range, docstring_lines, field_of, hyperparameter, validate
from nn.initialization import INITIALIZATIONS
from nn.losses import LOSSES
from nn.optimizers import OPTIMIZERS
from nn.regularization import Regularization
from nn.schedules import Schedule
from nn.training.augmentation import Augmentation

MONITORS = ("loss", "accuracy")
ARITHMETICS = ("exact", "float32")
_COUNT = Range(1, 1_000_000_000)
_DECAY = Range(0.0, 1.0, excluded=(1.0,))


@dataclass(eq=False)
class TrainingConfig:
    """How a network is initialized and trained. Values are not checked before `validate`.

    Args:
    {hyperparameters}
    """

    hidden: tuple[int, ...] = hyperparameter(
        (100,), Range(1, 65_536), "Number of units of each hidden layer, from the input up."
    )
    activation: str = hyperparameter(
        "sigmoid", tuple(ACTIVATIONS), "Activation function of the hidden units."
    )
    loss: str = hyperparameter(
        "quadratic",
        tuple(LOSSES),
        "Loss to minimize: half the sum of squared errors (quadratic), the cross-entropy of each "
        "output (cross_entropy), or of outputs that sum to 1 (softmax_cross_entropy).",
    )
    initialization: str = hyperparameter(
        "scaled",
        tuple(INITIALIZATIONS),
        "Distribution of the initial weights: N(0, 1/fan-in) with biases 0 (scaled), N(0, 1) with "
        "biases N(0, 1) as in the article (normal), or uniform with a width that depends on the "
        "activation function (glorot).",
    )
    optimizer: str = hyperparameter(
        "sgd",
        tuple(OPTIMIZERS),
        "Update rule. Each needs a learning rate of its own; begin with 1 for sgd, 0.05 for "
        "momentum and nesterov, 0.003 for adam.",
    )
    learning_rate: float = hyperparameter(
        3.0,
        Range(1e-8, 1e6),
        "Learning rate η. Layers of more than 100 units and the cross-entropies need a smaller "
        "one; if the network does not learn, a warning names a number.",
    )
    batch_size: int = hyperparameter(10, _COUNT, "Samples per minibatch.")
    epochs: int = hyperparameter(30, _COUNT, "Passes over the training samples.")
    arithmetic: str = hyperparameter(
        "exact",
        ARITHMETICS,
        "Arithmetic of training: exact gives the same bytes on every processor; float32 is faster "
        "for large networks, and its rounding errors depend on the processor.",
    )
    momentum: float = hyperparameter(
        0.9, _DECAY, "Coefficient μ of momentum and nesterov, β₁ of adam; sgd does not use it."
    )
    beta2: float = hyperparameter(
        0.999, _DECAY, "Coefficient β₂ of adam: decay of its mean of squared gradients."
    )
    schedule: str = field_of(Schedule, "name")
    warmup: float = field_of(Schedule, "warmup")
    lr_decay: float = field_of(Schedule, "lr_decay")
    lr_decay_epochs: float = field_of(Schedule, "lr_decay_epochs")
    l2: float = field_of(Regularization, "l2")
    weight_decay: float = field_of(Regularization, "weight_decay")
    max_norm: float = field_of(Regularization, "max_norm")
    dropout_input: float = field_of(Regularization, "dropout_input")
    dropout_hidden: float = field_of(Regularization, "dropout_hidden")
    label_smoothing: float = field_of(Regularization, "label_smoothing")
    ema_decay: float = hyperparameter(
        0.0,
        _DECAY,
        "Decay of the exponential moving average of the weights, about the mean of the last "
        "1/(1 - ema_decay) steps, which replaces them; 0 to use the last weights.",
        section="regularization",
    )
    patience: int = hyperparameter(
        0,
        Range(0, 1_000_000),
        "Epochs without a better validation score before training stops and the best weights are "
        "restored; 0 to train for all epochs and use the last weights.",
        section="regularization",
    )
    monitor: str = hyperparameter(
        "loss", MONITORS, "Validation score that patience refers to.", section="regularization"
    )
    rotation: float = field_of(Augmentation, "rotation")
    scaling: float = field_of(Augmentation, "scaling")
    shear: float = field_of(Augmentation, "shear")
    shift: float = field_of(Augmentation, "shift")
    elastic: float = field_of(Augmentation, "elastic")
    smoothness: float = field_of(Augmentation, "smoothness")
    final_strength: float = field_of(Augmentation, "final_strength")

    def validate(self) -> None:
        """Check all values.

        Raises:
            ValueError: If one is invalid; the message begins with the name of its field.
        """
        validate(self)
        _ = self.learning_rate_schedule  # checks warmup against epochs

    @property
    def learning_rate_schedule(self) -> Schedule:
        """The factor of the learning rate, as a function of the epochs done."""
        return Schedule(
            self.schedule, self.epochs, self.warmup, self.lr_decay, self.lr_decay_epochs
        )

    @property
    def ends(self) -> bool:
        """Whether the first epochs depend on the total number of epochs."""
        return self.learning_rate_schedule.ends or (
            bool(self.augmentation) and self.final_strength != 1.0
        )

    @property
    def regularization(self) -> Regularization:
        """The fields of `Regularization`."""
        return Regularization(**{f.name: getattr(self, f.name) for f in fields(Regularization)})

    @property
    def augmentation(self) -> Augmentation:
        """The fields of `Augmentation`."""
        return Augmentation(**{f.name: getattr(self, f.name) for f in fields(Augmentation)})


TrainingConfig.__doc__ = str(TrainingConfig.__doc__).replace(
    "    {hyperparameters}", docstring_lines(TrainingConfig)
)
