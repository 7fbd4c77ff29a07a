"""Every activation with every loss and every optimizer, and all regularizers at once."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nn import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    Network,
    Optimizer,
    Regularization,
    Schedule,
    score,
    train_epochs,
)

RATES = {"sgd": 0.5, "momentum": 0.1, "nesterov": 0.1, "adam": 0.01}
# Its errors, times the derivative of the sigmoid, are several times smaller.
QUADRATIC_RATES = {"sgd": 2.0, "momentum": 0.3, "nesterov": 0.3, "adam": 0.01}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_combination_learns(activation, loss, name):
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32)
    targets = np.eye(10, dtype=np.float32)[labels]
    rng = np.random.default_rng(0)
    network = Network.initialize(
        [64, 40, 10], rng, activation=activation, loss=loss, initialization="glorot"
    )
    small_errors = loss == "quadratic" and activation != "relu"
    options = {
        "learning_rate": (QUADRATIC_RATES if small_errors else RATES)[name],
        "optimizer": Optimizer(network, name),
        "schedule": Schedule("cosine", epochs=25, warmup=1),
        "regularization": Regularization(
            l2=1e-5, dropout_hidden=0.1, dropout_input=0.05, label_smoothing=0.02, max_norm=8
        ),
    }
    for _ in train_epochs(
        network, images[:1400], targets[:1400], epochs=25, batch_size=20,
        rng=rng, **options,
    ):  # fmt: skip
        pass
    assert score(network, images[1400:], targets[1400:]).accuracy > 0.88
