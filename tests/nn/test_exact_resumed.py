"""Exact training: its bound, very large images, and what is resumed after an epoch."""

import numpy as np
import pytest
from exact_training import assert_same, samples, trained

from nn import (
    DivergedError,
    Network,
    Trainer,
    TrainingConfig,
    score,
)
from nn.training import direct

# The labels are random.
pytestmark = pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("batch_size", [3, 7])
def test_a_bound_that_is_computed_anew_gives_the_same_bits(black, batch_size, monkeypatch):
    images, targets = samples(40, (2, 3), 3, 255)
    images[np.random.default_rng(1).random(images.shape) < black] = 0.0
    network = Network.initialize([6, 4, 3], np.random.default_rng(0), pixel_range=(0.0, 255.0))
    config = TrainingConfig(epochs=2, batch_size=batch_size, learning_rate=3.0)
    expected = trained(network, images, targets, config)
    bounds, computed = [], []
    check = direct.DirectLayer._check

    def checked(layer):
        before = layer._bound
        check(layer)
        computed.append(before != layer._bound)

    def always_computed(layer):
        layer._bound = np.inf
        check(layer)
        bounds.append(layer._bound)

    monkeypatch.setattr(direct.DirectLayer, "_check", always_computed)
    assert_same(trained(network, images, targets, config), expected)
    # As it is, the bound is computed at the start of each epoch only.
    monkeypatch.setattr(direct.DirectLayer, "_check", checked)
    assert_same(trained(network, images, targets, config), expected)
    assert sum(computed) == 2
    assert len(computed) == len(bounds) == 2 * -(-40 // batch_size)
    # Not far above what the weights need, and then just below.
    monkeypatch.setattr(direct, "_CAPACITY", 1.02 * max(bounds))
    computed.clear()
    assert_same(trained(network, images, targets, config), expected)
    assert sum(computed) > len(bounds) / 3
    monkeypatch.setattr(direct, "_CAPACITY", 0.98 * max(bounds))
    with pytest.raises(DivergedError, match="too large for exact arithmetic"):
        trained(network, images, targets, config)


@pytest.mark.parametrize("black", [0.0, 0.8])
def test_very_large_images_do_not_begin_beyond_the_exact_range(black):
    images, targets = samples(6, (100, 100), 2, 255)
    images[:, : int(black * 10_000)] = 0.0
    rng = np.random.default_rng(0)
    network = Network.initialize([10_000, 3, 2], rng, initialization="normal")
    config = TrainingConfig(epochs=1, batch_size=3, learning_rate=0.1)
    assert np.isfinite(trained(network, images, targets, config)[0]).all()


RESUMED = [
    {},
    {"dropout_hidden": 0.3, "shift": 1.0, "schedule": "exponential", "lr_decay": 0.9},
    {"optimizer": "adam", "learning_rate": 0.02, "ema_decay": 0.9, "l2": 1e-3},
    {"optimizer": "nesterov", "learning_rate": 0.1, "max_norm": 2.0, "activation": "tanh"},
    {"loss": "softmax_cross_entropy", "learning_rate": 0.1, "activation": "relu", "patience": 9},
]


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("pixels", [255, 65535])
@pytest.mark.parametrize("options", RESUMED, ids=str)
def test_resumed_after_any_epoch_it_ends_in_the_same_bits(options, pixels, black):
    images, targets = samples(50, (3, 4), 3, pixels)
    images[np.random.default_rng(1).random(images.shape) < black] = 0.0
    config = TrainingConfig(hidden=(5,), batch_size=4, epochs=5, **options)

    def trainer():
        return Trainer(config, sizes=(12, 3), seed=3, image_shape=(3, 4), pixel_range=(0.0, pixels))

    def go(one, until=None):
        for _ in one.train_epochs(images, targets, until=until):
            one.record_validation(score(one.current, images, targets))
        return [*one.result.weights, *one.result.biases]

    expected = go(trainer())
    for epochs in range(1, 5):
        half, rest = trainer(), trainer()
        go(half, until=epochs)
        rest.restore(half.state())
        assert_same(go(rest), expected)


def test_exact_arithmetic_is_for_float32():
    network = Network.initialize([6, 2], np.random.default_rng(0), dtype=np.float64)
    images, targets = (a.astype(np.float64) for a in samples(6, (2, 3), 2, 255))
    with pytest.raises(ValueError, match="needs a float32 network, not float64"):
        trained(network, images, targets, TrainingConfig(batch_size=2))
