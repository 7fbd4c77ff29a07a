"""A multilayer perceptron written from scratch in NumPy; all functions take and return arrays.

The modules, one topic each, in a suggested reading order:

- `network`          weights, biases, forward pass and predictions
- `initialization`   random initial weights
- `activations`      activation functions and their derivatives
- `losses`           loss functions and their errors at the output layer
- `backpropagation`  the four equations of backpropagation, in plain NumPy
- `exact`            matrix products without rounding, the same on every processor
- `portable`         functions whose results are the same on every processor
- `training_step`    backpropagation in preallocated arrays, as used in training
- `blocked_layer`    the first layer for several minibatches at a time
- `blocked_inputs`   its inputs, which another thread prepares
- `optimizers`       parameter updates from the gradient
- `schedules`        learning rate schedules
- `hyperparameters`  name, range and description of each hyperparameter
- `regularization`   penalties, max-norm, dropout and label smoothing
- `augmentation`     random affine and elastic deformations of training images
- `batches`          chunks of shuffled samples, loaded in another thread
- `minibatches`      the minibatches of a chunk, prepared for training
- `ema`              exponential moving average of the weights
- `training`         the training loop
- `early_stopping`   the weights with the best validation score, and when to stop
- `training_config`  all hyperparameters of a training run
- `trainer`          a training run that follows a `TrainingConfig`
- `metrics`          loss and accuracy
- `stagnation`       a warning for training that does not learn
- `calibration`      expected calibration error
- `blas`             in-place matrix products
- `threads`          the number of BLAS threads, and threads that help to train
- `checks`           checks of the arrays that callers pass in
- `pixels`           scaling of raw pixels to [0, 1], shape and border of images
- `interpolation`    bilinear interpolation of images
- `deslanting`       a shear that makes the strokes of a digit upright
- `array_files`      reading of array files from untrusted sources
- `framing`          position and size of the objects on images
- `serialization`    networks as `.npz` files
- `classifier`       the methods that networks and ensembles share
- `ensemble`         an average of several networks
- `test_time_augmentation`  an average over augmented copies of an image
- `estimator`        the network as a scikit-learn classifier

Notation follows Michael Nielsen, *Neural Networks and Deep Learning* (2015): weighted input `z`,
activation `a`, error `delta`. Rows are samples, so a layer is `z = a @ W.T + b`.
"""

from typing import TYPE_CHECKING

from nn.activations import ACTIVATIONS
from nn.augmentation import Augmentation, Augmenter
from nn.calibration import expected_calibration_error
from nn.classifier import Classifier
from nn.deslanting import deslant
from nn.ema import EMA
from nn.ensemble import Ensemble
from nn.initialization import INITIALIZATIONS
from nn.losses import LOSSES
from nn.metrics import Score, score
from nn.network import Network
from nn.optimizers import OPTIMIZERS, Optimizer
from nn.pixels import scale
from nn.regularization import Regularization
from nn.schedules import SCHEDULES, Schedule
from nn.serialization import ModelFileError, load, save
from nn.stagnation import NotLearningWarning
from nn.test_time_augmentation import TestTimeAugmentation
from nn.trainer import Trainer
from nn.training import DivergedError, train_epochs
from nn.training_config import TrainingConfig

if TYPE_CHECKING:
    from nn.estimator import NetworkClassifier

__all__ = [
    "ACTIVATIONS",
    "EMA",
    "INITIALIZATIONS",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "Augmentation",
    "Augmenter",
    "Classifier",
    "DivergedError",
    "Ensemble",
    "ModelFileError",
    "Network",
    "NetworkClassifier",
    "NotLearningWarning",
    "Optimizer",
    "Regularization",
    "Schedule",
    "Score",
    "TestTimeAugmentation",
    "Trainer",
    "TrainingConfig",
    "deslant",
    "expected_calibration_error",
    "load",
    "save",
    "scale",
    "score",
    "train_epochs",
]


def __getattr__(name: str) -> object:
    # Imported on first use, because importing scikit-learn takes about a second.
    if name == "NetworkClassifier":
        from nn.estimator import NetworkClassifier

        return NetworkClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
