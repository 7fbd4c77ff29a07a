"""Exact training: bit for bit the plain algorithm, whatever the kind of layer and the threads."""

import contextlib

import numpy as np
import pytest
import threadpoolctl
from exact_training import assert_same, samples, trained
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
    TrainingConfig,
    arithmetic,
    operations,
)
from nn.training import inputs, step

RATES = {"sgd": 2.0, "momentum": 0.3, "nesterov": 0.3, "adam": 0.02}


def sometimes(value):
    return st.sampled_from([type(value)(0), type(value)(0), value])


CONFIGS = st.builds(
    TrainingConfig,
    hidden=st.lists(st.integers(1, 7), max_size=2).map(tuple),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    initialization=st.sampled_from(INITIALIZATIONS),
    # Half of them without what rules out a first layer on the grid of grey levels.
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


BLACK = st.sampled_from([0.0, 0.0, 0.9, 1.0])
# Constants that make small problems large ones.
SETTINGS = {
    "small": {},
    "BLAS": {(arithmetic, "_BLAS"): 1},
    "halves": {(arithmetic, "LARGE_PRODUCT"): 1, (arithmetic, "LARGE_ARRAY"): 1},
    "chunks": {
        (inputs, "_PIXELS_AT_ONCE"): 0,
        (inputs, "_ROWS_IN_A_CHUNK"): 8,
        (inputs, "_ROWS_IN_A_UNIT"): 1,
    },
    "NumPy": {(step, "operations_for"): lambda name: operations},
}


@contextlib.contextmanager
def changed(kind):
    with pytest.MonkeyPatch.context() as patch, threadpoolctl.threadpool_limits(2):
        for (module, name), value in SETTINGS[kind].items():
            patch.setattr(module, name, value)
        yield


def grey_levels(images, pixels):
    whole = [k for k in (pixels, 255) if k < 256 and not (images * np.float32(k) % 1).any()]
    return next(iter(whole), None)


def problem(config, pixels, classes, seed, black):
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
    levels = None
    if all(getattr(config, k) == v for k, v in PLAIN_SGD.items()):
        levels = grey_levels(images, pixels)
        levels = 255 if levels and config.augmentation else levels
    return network, images, targets, levels


def plainly(config, network, data, targets, weights, levels, rows=None):
    plain = PlainTraining(network, config, np.random.default_rng(1))
    for images in data:
        plain.train(images, targets, weights, levels=levels, rows=rows)
    return [*plain.w, *plain.b, *(plain.mean if config.ema_decay else [])]


def check_plain(config, pixels, classes, weighted, seed, black):
    network, images, targets, levels = problem(config, pixels, classes, seed, black)
    weights = np.linspace(0.25, 4, 21, dtype=np.float32) if weighted else None
    whole = plainly(config, network, [images], targets, weights, levels)
    in_chunks = whole
    if config.augmentation:
        rows = config.batch_size * -(-8 // config.batch_size)
        in_chunks = plainly(config, network, [images], targets, weights, levels, rows)
    for kind in SETTINGS:
        if kind == "halves" and 1 in network.sizes:
            continue  # one number has no halves
        with changed(kind):
            found = trained(network, images, targets, config, weights=weights)
        assert_same(found, in_chunks if kind == "chunks" else whole)


@settings(max_examples=70, deadline=None)
@given(
    config=CONFIGS,
    pixels=st.sampled_from([1, 16, 255, 65535]),
    classes=st.sampled_from([2, 3, 11]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
    black=BLACK,
)
def test_exact_training_is_the_plain_algorithm(config, pixels, classes, weighted, seed, black):
    check_plain(config, pixels, classes, weighted, seed, black)


@settings(max_examples=40, deadline=None)
@given(
    config=CONFIGS,
    pixels=st.sampled_from([1, 16, 255]),
    classes=st.sampled_from([2, 10]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
    black=BLACK,
)
def test_plain_gradient_descent_on_grey_levels_is_the_plain_algorithm(
    config, pixels, classes, weighted, seed, black
):
    for name, value in PLAIN_SGD.items():
        setattr(config, name, value)
    check_plain(config, pixels, classes, weighted, seed, black)


@pytest.mark.parametrize("order", [(0.0, 0.9), (0.9, 0.0), (0.9, 0.9)])
@pytest.mark.parametrize("ema_decay", [0.0, 0.8])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("pixels", [255, 65535])
def test_training_on_other_images_continues(order, ema_decay, optimizer, pixels):
    config = TrainingConfig(
        hidden=(4,), batch_size=5, epochs=1, optimizer=optimizer, ema_decay=ema_decay
    )
    data = []
    for black in order:
        network, images, targets, levels = problem(config, pixels, 3, 0, black)
        data.append(images)
    expected = plainly(config, network, data, targets, None, levels)
    assert_same(trained(network, data[0], targets, config, then=data[1]), expected)


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("pixels", [255, 65535])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "nesterov", "learning_rate": 0.1, "activation": "tanh", "ema_decay": 0.9},
        {"optimizer": "adam", "learning_rate": 0.01, "activation": "relu"},
    ],
    ids=str,
)
def test_large_layers_are_the_same_with_one_thread_and_two_in_halves_and_whole(
    options, pixels, black, monkeypatch
):
    images, targets = samples(300, (28, 28), 10, pixels)
    rng = np.random.default_rng(2)
    images[rng.random(images.shape) < black] = 0.0
    config = TrainingConfig(epochs=1, batch_size=140, **options)
    network = Network.initialize(
        [784, 200, 10], rng, activation=config.activation, pixel_range=(0.0, pixels)
    )
    # Both the products and the updates of the first layer are made in halves.
    assert network.weights[0].size > arithmetic.LARGE_ARRAY
    assert 140 * network.weights[0].size > arithmetic.LARGE_PRODUCT
    results = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            results.append(trained(network, images, targets, config))
    # As for images that are too many to prepare at once.
    monkeypatch.setattr(inputs, "_PIXELS_AT_ONCE", 0)
    results.append(trained(network, images, targets, config))
    monkeypatch.setattr(arithmetic, "LARGE_PRODUCT", 2**40)
    monkeypatch.setattr(arithmetic, "LARGE_ARRAY", 2**40)
    results.append(trained(network, images, targets, config))
    monkeypatch.setattr(arithmetic, "_BLAS", 2**40)
    results.append(trained(network, images, targets, config))
    for other in results[1:]:
        assert_same(other, results[0])


@pytest.mark.parametrize("black", [0.0, 0.8])
def test_augmented_chunks_are_the_same_with_any_number_of_threads(black, monkeypatch):
    monkeypatch.setattr(inputs, "_ROWS_IN_A_CHUNK", 20)
    monkeypatch.setattr(inputs, "_ROWS_IN_A_UNIT", 6)
    images, targets = samples(60, (3, 4), 3, 255)
    images[np.random.default_rng(1).random(images.shape) < black] = 0.0
    network = Network.initialize([12, 4, 3], np.random.default_rng(0), image_shape=(3, 4))
    config = TrainingConfig(epochs=2, batch_size=3, elastic=1.0, smoothness=1.0)
    expected = plainly(config, network, [images], targets, None, 255, 24)
    for threads in (1, 2, 3, 8):
        with threadpoolctl.threadpool_limits(threads):
            assert_same(trained(network, images, targets, config), expected)
