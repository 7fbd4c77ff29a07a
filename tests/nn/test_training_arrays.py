"""The arrays of a training: memory layouts, types, and trainings that pause."""

import numpy as np
import pytest
from small_training import problem, train

from nn import (
    EMA,
    Optimizer,
    train_epochs,
)


def every_second(array):
    wide = np.zeros((len(array), 2 * array.shape[1]), array.dtype)
    wide[:, ::2] = array
    return wide[:, ::2]


@pytest.mark.parametrize("layout", [np.asfortranarray, every_second])
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("exact", [False, True])
def test_weights_in_any_layout_of_memory_are_trained_alike(exact, name, layer, layout):
    results = []
    for change in (np.array, layout):
        network, images, targets = problem(dtype=np.float32)
        network.weights[layer] = change(network.weights[layer])
        optimizer = Optimizer(network, name)
        options = {"batch_size": 5, "learning_rate": 0.1, "optimizer": optimizer, "exact": exact}
        train(network, images, targets, epochs=2, **options)
        results.append([*network.weights, *network.biases])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6)


def test_a_training_that_pauses_goes_on_with_the_same_arrays():
    # Sparse images, so that the first layer's weights are stored by inputs.
    network, images, targets = problem(dtype=np.float32)
    images[:, 2:] = 0.0
    options = {"batch_size": 5, "learning_rate": 0.1, "rng": np.random.default_rng(0)}
    optimizer = Optimizer(network, "momentum")
    paused = train_epochs(network, images, targets, epochs=9, optimizer=optimizer, **options)
    next(paused)
    next(train_epochs(network, images, targets, epochs=1, optimizer=optimizer, **options))
    before = network.copy()
    next(paused)
    assert all((w != old).any() for w, old in zip(network.weights, before.weights, strict=True))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_numbers_of_numpy_are_as_good_as_those_of_python(optimizer):
    results = []
    for rate in (0.1, np.float64(0.1)):
        network, images, targets = problem(dtype=np.float32)
        train(
            network, images, targets, epochs=2, batch_size=5, learning_rate=rate, exact=True,
            optimizer=Optimizer(network, optimizer),
        )  # fmt: skip
        results.append(network.weights)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_average_of_another_network_is_refused():
    network, images, targets = problem(dtype=np.float32)
    options = {"batch_size": 5, "learning_rate": 0.1, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match="ema: expected the average of this network"):
        next(
            train_epochs(
                network, images, targets, epochs=1, ema=EMA(network.copy(), 0.9), **options
            )
        )


def test_weights_and_biases_of_two_types_are_refused():
    network, images, _ = problem(dtype=np.float32)
    network.biases[0] = network.biases[0].astype(np.float64)
    with pytest.raises(ValueError, match=r"all float64, got \['float32', 'float64'\]"):
        network.scores(images)
