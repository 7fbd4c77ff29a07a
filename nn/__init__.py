"""A multi-layer perceptron from scratch: NumPy arrays in, NumPy arrays out.

Read it in this order, one idea a file:

- `network`          what a network is: weights, biases, the forward pass, predictions
- `initialization`   the random weights that it starts from
- `activations`      the function of a unit, and its derivative
- `losses`           what is minimised, and the error it sends back
- `backpropagation`  the four equations, as plainly as NumPy can say them
- `minibatch`        the same equations without a temporary array: what training runs
- `optimizers`       what is done with the gradient
- `schedules`        how the learning rate changes
- `regularization`   what keeps a network from learning its samples by heart
- `deformation`      more samples than there are: digits as other hands would have written them
- `loading`          samples on their way to the network, one block ahead
- `averaging`        the mean of the weights over the last steps
- `training`         the loop around it all
- `stopping`         when to stop it
- `recipe`, `run`    all choices in one place, and a training run that follows them
- `scoring`          loss and accuracy of a network
- `blas`             one BLAS, few threads: why the products are made the way they are
- `committee`        several networks that decide together
- `model_file`       a network as one `.npz` file
- `pixels`           from raw pixels to inputs
- `centering`        from any picture of a digit to an image as MNIST's were made
- `estimator`        the network as a scikit-learn classifier
- `calibration`      does "90 % sure" mean right nine times in ten?

Notation follows Michael Nielsen, *Neural Networks and Deep Learning* (2015): weighted input `z`,
activation `a`, error `delta`. Rows are samples, so a layer is `z = a @ W.T + b`.
"""

from typing import TYPE_CHECKING

from nn.activations import ACTIVATIONS
from nn.averaging import Average
from nn.calibration import expected_calibration_error
from nn.committee import Committee
from nn.deformation import Deformation, Deformer
from nn.initialization import INITIALIZATIONS
from nn.losses import LOSSES
from nn.model_file import ModelFileError, load, save
from nn.network import Network
from nn.optimizers import OPTIMIZERS, Optimizer
from nn.pixels import scale
from nn.recipe import Recipe
from nn.regularization import Regularization
from nn.run import Run
from nn.schedules import SCHEDULES, Schedule
from nn.scoring import Score, score
from nn.training import DivergedError, fit

if TYPE_CHECKING:
    from nn.estimator import NetworkClassifier

__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "Average",
    "Committee",
    "Deformation",
    "Deformer",
    "DivergedError",
    "ModelFileError",
    "Network",
    "NetworkClassifier",
    "Optimizer",
    "Recipe",
    "Regularization",
    "Run",
    "Schedule",
    "Score",
    "expected_calibration_error",
    "fit",
    "load",
    "save",
    "scale",
    "score",
]


def __getattr__(name: str) -> object:
    # Imported when it is asked for: scikit-learn takes a second.
    if name == "NetworkClassifier":
        from nn.estimator import NetworkClassifier

        return NetworkClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
