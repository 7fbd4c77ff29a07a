"""A multi-layer perceptron from scratch: NumPy arrays in, NumPy arrays out.

Read it in this order, one idea a file:

- `network`          what a network is: weights, biases, the forward pass, predictions
- `activations`      the function of a unit, and its derivative
- `losses`           what is minimised, and the error it sends back
- `backpropagation`  the four equations, as plainly as NumPy can say them
- `minibatch`        the same equations without a temporary array: what training runs
- `optimizers`       what is done with the gradient
- `training`         the loop around it all
- `scoring`          loss and accuracy of a network
- `blas`             one BLAS, few threads: why the products are made the way they are
- `model_file`       a network as one `.npz` file
- `pixels`           from raw pixels to inputs
- `calibration`      does "90 % sure" mean right nine times in ten?

Notation follows Michael Nielsen, *Neural Networks and Deep Learning* (2015): weighted input `z`,
activation `a`, error `delta`. Rows are samples, so a layer is `z = a @ W.T + b`.
"""

from nn.calibration import expected_calibration_error
from nn.model_file import ModelFileError, load, save
from nn.network import INITIALIZATIONS, Network
from nn.pixels import scale
from nn.scoring import Score, score
from nn.training import DivergedError, fit

__all__ = [
    "INITIALIZATIONS",
    "DivergedError",
    "ModelFileError",
    "Network",
    "Score",
    "expected_calibration_error",
    "fit",
    "load",
    "save",
    "scale",
    "score",
]
