"""A multilayer perceptron written from scratch in NumPy; all functions take and return arrays.

What explains a network, an idea a file, in a good order to read them:

- `network`          weights, biases, forward pass and predictions
- `initialization`   random initial weights
- `activations`      activation functions and their derivatives
- `losses`           loss functions and their errors at the output layer
- `backpropagation`  the forward pass, and the four equations of backpropagation
- `optimizers`       parameter updates from the gradient
- `rules`            their formulas
- `schedules`        learning rate schedules
- `regularization`   penalties, max-norm, dropout and label smoothing
- `classifier`       the methods that networks and ensembles share
- `metrics`          loss, accuracy and calibration

how it is computed:

- `scores`           scores that do not depend on the processor
- `operations`       the operations on arrays, in NumPy
- `arithmetic`       which functions compute them: compiled ones, BLAS, or two threads
- `layouts`          how arrays lie in memory
- `threads`          the number of BLAS threads, and threads that help

and the subpackages, each with a list of its own:

- `training`  the training loop, and a training run that follows a `TrainingConfig`
- `exact`     arithmetic without rounding errors, the same on every processor
- `images`    pixels, framing, deslanting
- `models`    ensembles, files, the scikit-learn estimator
- `compiled`  the operations as functions compiled by Numba
- `checks`    checks of hyperparameters, arrays and files

Notation follows Michael Nielsen, *Neural Networks and Deep Learning* (2015): weighted input `z`,
activation `a`, error `delta`. Rows are samples, so a layer is `z = a @ W.T + b`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nn.activations import ACTIVATIONS
    from nn.classifier import Classifier
    from nn.exact.grids import DivergedError
    from nn.images.deslanting import deslant
    from nn.images.pixels import scale
    from nn.initialization import INITIALIZATIONS
    from nn.losses import LOSSES
    from nn.metrics import Score, expected_calibration_error, score
    from nn.models.ensemble import Ensemble
    from nn.models.estimator import NetworkClassifier
    from nn.models.serialization import ModelFileError, load, save
    from nn.models.test_time_augmentation import TestTimeAugmentation
    from nn.network import Network
    from nn.optimizers import OPTIMIZERS, Optimizer
    from nn.regularization import Regularization
    from nn.schedules import SCHEDULES, Schedule
    from nn.training.augmentation import Augmentation, Augmenter
    from nn.training.config import TrainingConfig
    from nn.training.ema import EMA
    from nn.training.loop import train_epochs
    from nn.training.stagnation import NotLearningWarning
    from nn.training.trainer import Trainer

# The public names of each module, which is imported when one of them is used for the first time.
_NAMES = {
    "activations": ["ACTIVATIONS"],
    "classifier": ["Classifier"],
    "exact.grids": ["DivergedError"],
    "images.deslanting": ["deslant"],
    "images.pixels": ["scale"],
    "initialization": ["INITIALIZATIONS"],
    "losses": ["LOSSES"],
    "metrics": ["Score", "expected_calibration_error", "score"],
    "models.ensemble": ["Ensemble"],
    "models.estimator": ["NetworkClassifier"],
    "models.serialization": ["ModelFileError", "load", "save"],
    "models.test_time_augmentation": ["TestTimeAugmentation"],
    "network": ["Network"],
    "optimizers": ["OPTIMIZERS", "Optimizer"],
    "regularization": ["Regularization"],
    "schedules": ["SCHEDULES", "Schedule"],
    "training.augmentation": ["Augmentation", "Augmenter"],
    "training.config": ["TrainingConfig"],
    "training.ema": ["EMA"],
    "training.loop": ["train_epochs"],
    "training.stagnation": ["NotLearningWarning"],
    "training.trainer": ["Trainer"],
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = [*_MODULES]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"nn.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_MODULES]
