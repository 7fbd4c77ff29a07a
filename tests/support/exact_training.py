"""Training in exact arithmetic, in one call."""

import copy

import numpy as np

from nn import EMA, Augmenter, Optimizer, train_epochs
from nn.images.pixels import scale


def samples(n, shape, classes, pixels, seed=0):
    """Images with so many grey levels and labels."""
    rng = np.random.default_rng(seed)
    images = scale(rng.integers(0, pixels + 1, (n, shape[0] * shape[1])), (0.0, pixels))
    return images, np.eye(classes, dtype=np.float32)[rng.integers(0, classes, n)]


def trained(network, images, targets, config, *, weights=None, seed=1, then=None):
    """Weights, biases and averages after training a copy of the network.

    `then`: other images of the same targets, to train on afterwards in a second call.
    """
    network, rng = copy.deepcopy(network), np.random.default_rng(seed)
    augmented = bool(config.augmentation)
    ema = EMA(network, config.ema_decay) if config.ema_decay else None
    optimizer = Optimizer(network, config.optimizer, momentum=config.momentum, beta2=config.beta2)
    for data in (images,) if then is None else (images, then):
        for _ in train_epochs(
            network,
            data,
            targets,
            sample_weights=weights,
            epochs=config.epochs,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            rng=rng,
            optimizer=optimizer,
            schedule=config.learning_rate_schedule,
            regularization=config.regularization,
            augmenter=Augmenter(config.augmentation, network.image_shape) if augmented else None,
            ema=ema,
            exact=True,
        ):
            pass
    averages = [*ema.network.weights, *ema.network.biases] if ema else []
    return [*network.weights, *network.biases, *averages]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_array_equal(one, other)
