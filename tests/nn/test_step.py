"""Which kind of first layer a training gets, and that load and store keep the weights."""

import needs
import numpy as np
import pytest
from small_training import Steps

from nn import EMA, Network, Optimizer, operations
from nn.training import step
from nn.training.direct import DirectLayer, resolves
from nn.training.layers import DenseLayer, SparseLayer

DIRECT, SPARSE, DENSE = DirectLayer, SparseLayer, DenseLayer


def steps(black, *, exact, pixels=255, name="sgd", dtype=np.float32, averaged=False, **options):
    rng = np.random.default_rng(0)
    images = rng.integers(0, pixels + 1, (10, 20)) / pixels
    images[:, : int(20 * black)] = 0.0
    network = Network.initialize([20, 4, 3], rng, pixel_range=(0.0, pixels), dtype=dtype)
    targets = np.eye(3, dtype=dtype)[rng.integers(0, 3, 10)]
    options |= {"optimizer": Optimizer(network, name), "exact": exact}
    if averaged:
        options["ema"] = EMA(network, 0.9)
    return network, Steps(network, images.astype(dtype), targets, **options)


@needs.numba
@pytest.mark.parametrize(
    ("options", "light", "dark"),
    [
        ({"exact": True}, DIRECT, DIRECT),
        ({"exact": False}, DENSE, DIRECT),
        ({"exact": False, "dtype": np.float64}, DENSE, DIRECT),
        # No grey levels, or a grid that is too coarse for the learning rate.
        ({"exact": True, "pixels": 65535}, DENSE, SPARSE),
        ({"exact": True, "learning_rate": 1e-6}, DENSE, SPARSE),
        # Somebody needs the gradient of the first layer, or its weights between steps.
        ({"exact": True, "name": "momentum"}, DENSE, SPARSE),
        ({"exact": False, "name": "adam"}, DENSE, SPARSE),
        ({"exact": True, "l2": 0.1}, DENSE, SPARSE),
        ({"exact": True, "weight_decay": 0.1}, DENSE, SPARSE),
        ({"exact": False, "max_norm": 2.0}, DENSE, SPARSE),
        ({"exact": True, "averaged": True}, DENSE, SPARSE),
        # Each minibatch drops other inputs.
        ({"exact": True, "dropout_input": 0.1}, DENSE, DENSE),
        ({"exact": False, "dropout_input": 0.1}, DENSE, DENSE),
        ({"exact": True, "dropout_hidden": 0.1, "label_smoothing": 0.1}, DIRECT, DIRECT),
    ],
)
def test_the_kind_of_the_first_layer(options, light, dark):
    for black, kind in ((0.0, light), (0.8, dark)):
        _, found = steps(black, **options)
        first, second = found.layers
        assert type(first) is kind
        assert type(second) is DenseLayer


def test_without_numba_all_images_are_dense(monkeypatch):
    monkeypatch.setattr(step, "operations_for", lambda arithmetic: operations)
    for options, kind in (
        ({"exact": True}, DIRECT),
        ({"exact": False}, DENSE),
        ({"exact": True, "name": "adam"}, DENSE),
    ):
        for black in (0.0, 0.8):
            _, found = steps(black, **options)
            assert type(found.layers[0]) is kind


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_learning_rate_of_0_keeps_the_weights(black, dtype):
    network, found = steps(black, exact=False, dtype=dtype)
    before = [a.copy() for a in (*network.weights, *network.biases)]
    found.take(np.arange(10), 0.0)
    for now, old in zip((*network.weights, *network.biases), before, strict=True):
        np.testing.assert_array_equal(now, old)


def test_a_learning_rate_of_0_keeps_the_weights_on_the_grid_of_exact_arithmetic():
    network, found = steps(0.8, exact=True)
    before = [a.copy() for a in (*network.weights, *network.biases)]
    found.take(np.arange(10), 0.0)
    for now, old in zip((*network.weights, *network.biases), before, strict=True):
        np.testing.assert_allclose(now, old, atol=255 * 2.0**-41, rtol=2**-24)
    after = [a.copy() for a in (*network.weights, *network.biases)]
    found.take(np.arange(10), 0.0)
    for now, old in zip((*network.weights, *network.biases), after, strict=True):
        np.testing.assert_allclose(now, old, atol=255 * 2.0**-41, rtol=2**-24)


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("name", ["sgd", "momentum"])
@pytest.mark.parametrize("exact", [False, True])
def test_minibatches_of_two_sizes(black, name, exact):
    """The last minibatch of an epoch is smaller; its step is that of a training of its own."""
    results = []
    for sizes in ((4,), (10, 6)):
        network, _ = steps(black, exact=exact, name=name)
        rng = np.random.default_rng(1)
        images = (rng.integers(0, 256, (16, 20)) / np.float32(255)).astype(np.float32)
        images[:, : int(20 * black)] = 0.0
        targets = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 16)]
        options = {"optimizer": Optimizer(network, name), "exact": exact}
        chosen = np.arange(6)
        if len(sizes) == 1:
            found = Steps(network, images[:6], targets[:6], **options)
        else:
            found = Steps(network, images, targets, batch_size=10, **options)
        outputs = found.take(chosen, 0.5)
        assert outputs.shape == (6, 3)
        results.append([outputs, *network.weights, *network.biases])
    for one, other in zip(*results, strict=True):
        if exact:
            np.testing.assert_array_equal(one, other)
        else:
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_the_grid_resolves_errors_for_ordinary_learning_rates():
    assert resolves(0.3, 255)
    assert resolves(1e-3, 255)
    assert not resolves(1e-5, 255)
    assert resolves(1e-5, 16)
