"""Exact training: bit for bit the plain algorithm, whatever the blocks and the threads."""

from unittest import mock

import numpy as np
import pytest
import threadpoolctl
from exact_training import samples, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_training import PlainTraining

from nn import (
    ACTIVATIONS,
    INITIALIZATIONS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    Network,
    Trainer,
    TrainingConfig,
    score,
)
from nn.training import blocked_inputs, blocked_layer, minibatches

RATES = {"sgd": 2.0, "momentum": 0.3, "nesterov": 0.3, "adam": 0.02}


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_array_equal(one, other)


def sometimes(value):
    return st.sampled_from([type(value)(0), type(value)(0), value])


CONFIGS = st.builds(
    TrainingConfig,
    hidden=st.lists(st.integers(1, 7), max_size=2).map(tuple),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    initialization=st.sampled_from(INITIALIZATIONS),
    # Half of them without what rules out a blocked first layer.
    optimizer=st.sampled_from(["sgd", "sgd", *OPTIMIZERS]),
    batch_size=st.integers(1, 10),
    epochs=st.just(2),
    schedule=st.sampled_from(SCHEDULES),
    warmup=sometimes(0.5),
    l2=sometimes(0.01),
    weight_decay=sometimes(0.01),
    max_norm=sometimes(1.0),
    dropout_input=sometimes(0.2),
    dropout_hidden=sometimes(0.3),
    label_smoothing=sometimes(0.1),
    ema_decay=sometimes(0.8),
    shift=sometimes(1.0),
    elastic=sometimes(0.7),
    smoothness=st.just(1.0),
)
PLAIN_SGD = {"optimizer": "sgd"} | dict.fromkeys(
    ("l2", "weight_decay", "max_norm", "dropout_input", "ema_decay"), 0.0
)


def check_plain(config, pixels, classes, weighted, seed, black=0.0):
    # Units without a bound diverge sooner.
    config.learning_rate = RATES[config.optimizer] / (50 if config.activation == "relu" else 1)
    images, targets = samples(21, (3, 4), classes, pixels, seed)
    images[np.random.default_rng(seed).random(images.shape) < black] = 0.0
    network = Network.initialize(
        [12, *config.hidden, classes],
        np.random.default_rng(seed),
        activation=config.activation,
        loss=config.loss,
        initialization=config.initialization,
        pixel_range=(0.0, pixels),
        image_shape=(3, 4),
    )
    weights = np.linspace(0.25, 4, 21, dtype=np.float32) if weighted else None
    levels = None
    if pixels < 256 and all(getattr(config, k) == v for k, v in PLAIN_SGD.items()):
        levels = 255 if config.augmentation else pixels
    plain = PlainTraining(network, config, np.random.default_rng(1))
    plain.train(images, targets, weights, levels=levels)
    expected = [*plain.w, *plain.b, *(plain.mean if config.ema_decay else [])]
    for together in (None, 1, 2, 7):
        assert_same(
            trained(network, images, targets, config, weights=weights, together=together), expected
        )


@settings(max_examples=60, deadline=None)
@given(
    config=CONFIGS,
    pixels=st.sampled_from([1, 16, 255, 65535]),
    classes=st.sampled_from([2, 3, 11]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_exact_training_is_the_plain_algorithm(config, pixels, classes, weighted, seed):
    check_plain(config, pixels, classes, weighted, seed)


@settings(max_examples=40, deadline=None)
@given(
    config=CONFIGS,
    pixels=st.sampled_from([1, 16, 255]),
    classes=st.sampled_from([2, 10]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
    black=st.sampled_from([0.0, 0.9, 1.0]),
)
def test_exact_training_in_blocks_is_the_plain_algorithm(
    config, pixels, classes, weighted, seed, black
):
    for name, value in PLAIN_SGD.items():
        setattr(config, name, value)
    # So that a block leaves out all inputs that its samples do not use.
    with mock.patch.object(blocked_inputs, "_STEP", 1):
        check_plain(config, pixels, classes, weighted, seed, black)


def test_blocks_leave_out_inputs_that_are_0():
    images, _ = samples(40, (28, 28), 3, 255)
    images[:, 300:] = 0.0
    images[:10, 700] = 1.0
    parts = blocked_inputs.parts_by_use(images)
    inputs = blocked_inputs.BlockedInputs(40, parts, 5, 2, 255, np.float32, exact=True)
    inputs.fill(blocked_inputs.as_grey_levels(images, np.concatenate(parts), 255))
    widths = [sum(x.shape[1] for x in inputs.of_block(block, 10)) for block in range(4)]
    assert 301 <= widths[0] <= 301 + 2 * 16
    assert 300 <= widths[1] <= 300 + 2 * 16
    for block, expected in enumerate(images.reshape(4, 10, 784) * 255):
        multiplied = np.concatenate(inputs.of_block(block, 10), axis=1)
        assert multiplied.sum() == expected.sum()
        for later, sooner, products in inputs.corrections(block):
            gram = expected[later] @ expected[sooner].T.astype(float) + 255.0**2
            np.testing.assert_array_equal(products, gram)


def large():
    images, targets = samples(300, (28, 28), 10, 255)
    rng = np.random.default_rng(2)
    return Network.initialize([784, 100, 10], rng, pixel_range=(0.0, 255.0)), images, targets


def test_large_products_are_the_same_with_one_thread_and_two_in_any_blocks(monkeypatch):
    network, images, targets = large()
    config = TrainingConfig(epochs=2, batch_size=10)
    # Products with 80 rows are large enough to be made in halves.
    results = []
    for threads, together in [(1, 1), (1, 8), (2, 8), (2, 16), (2, 5)]:
        with threadpoolctl.threadpool_limits(threads):
            results.append(trained(network, images, targets, config, together=together))
    # As for images that are too many to copy.
    monkeypatch.setattr(minibatches, "_PIXELS_IN_A_COPY", 0)
    results.append(trained(network, images, targets, config))
    for other in results[1:]:
        assert_same(other, results[0])


def test_augmented_chunks_are_the_same_in_any_blocks(monkeypatch):
    monkeypatch.setattr(minibatches, "_ROWS_IN_A_CHUNK", 20)
    images, targets = samples(60, (3, 4), 3, 255)
    network = Network.initialize([12, 4, 3], np.random.default_rng(0), image_shape=(3, 4))
    config = TrainingConfig(epochs=2, batch_size=3, elastic=1.0, smoothness=1.0)
    expected = trained(network, images, targets, config, together=1)
    for together in (2, 5, 8, None):
        assert_same(trained(network, images, targets, config, together=together), expected)


@pytest.mark.parametrize("together", [2, 3, 8])
def test_a_block_that_ends_early_gives_the_same_bits(together, monkeypatch):
    images, targets = samples(40, (2, 3), 3, 255)
    network = Network.initialize([6, 4, 3], np.random.default_rng(0), pixel_range=(0.0, 255.0))
    config = TrainingConfig(epochs=2, batch_size=3, learning_rate=3.0)
    expected = trained(network, images, targets, config, together=1)
    starts = []
    start = blocked_layer.BlockedLayer.check

    def counted(layer):
        layer._bound = np.inf  # so that it is computed anew for every block
        start(layer)
        starts.append(layer._bound)

    monkeypatch.setattr(blocked_layer.BlockedLayer, "check", counted)
    assert_same(trained(network, images, targets, config, together=together), expected)
    whole = len(starts)
    # Not far above what the weights need.
    monkeypatch.setattr(blocked_layer, "_CAPACITY", 1.02 * max(starts))
    assert_same(trained(network, images, targets, config, together=together), expected)
    assert len(starts) > 2 * whole
    monkeypatch.setattr(blocked_layer.BlockedLayer, "check", start)
    assert_same(trained(network, images, targets, config, together=together), expected)


def test_very_large_images_do_not_begin_beyond_the_exact_range():
    images, targets = samples(6, (100, 100), 2, 255)
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


@pytest.mark.parametrize("pixels", [255, 65535])
@pytest.mark.parametrize("options", RESUMED, ids=str)
def test_resumed_after_any_epoch_it_ends_in_the_same_bits(options, pixels):
    images, targets = samples(50, (3, 4), 3, pixels)
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
