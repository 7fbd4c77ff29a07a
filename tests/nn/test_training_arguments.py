"""Arguments of the training loop that do not fit are refused."""

import numpy as np
import pytest
from small_training import problem, train

from nn import Optimizer, score


@pytest.mark.parametrize("batch_size", [0, -1, 24])
def test_impossible_batch_sizes_are_refused(batch_size):
    network, images, targets = problem()
    with pytest.raises(ValueError, match="expected 1 to 23"):
        train(network, images, targets, epochs=1, batch_size=batch_size, learning_rate=1.0)


@pytest.mark.parametrize(
    ("images", "targets"),
    [
        (np.zeros((5, 4)), np.zeros((4, 2))),
        (np.zeros((5, 3)), np.zeros((5, 2))),
        (np.zeros((5, 4)), np.zeros((1, 2))),
        (np.zeros((5, 4)), np.zeros(5)),
        (np.zeros((0, 4)), np.zeros((0, 2))),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(images, targets):
    network, _, _ = problem()
    with pytest.raises(ValueError, match=r"expected (images of|one-hot rows,) shape"):
        train(network, images, targets, epochs=1, batch_size=1, learning_rate=1.0)
    with pytest.raises(ValueError, match=r"expected (images of|one-hot rows,) shape"):
        score(network, images, targets)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_arrays_of_another_type_are_refused(dtype):
    network, images, targets = problem()
    with pytest.raises(ValueError, match="expected arrays of float64"):
        train(network, images.astype(dtype), targets, epochs=1, batch_size=1, learning_rate=1.0)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_that_are_no_weights_are_refused(weight):
    network, images, targets = problem()
    weights = np.ones(len(images), images.dtype)
    weights[3] = weight
    with pytest.raises(ValueError, match="sample_weights: expected finite numbers from 0 to inf"):
        train(
            network, images, targets,
            epochs=1, batch_size=5, learning_rate=1.0, sample_weights=weights,
        )  # fmt: skip


def test_images_and_targets_that_are_none_are_refused():
    network, images, targets = problem()
    network.pixel_range = (0.0, 255.0)
    options = {"epochs": 1, "batch_size": 5, "learning_rate": 1.0}
    with pytest.raises(ValueError, match="images: expected finite numbers from 0 to 1, got"):
        train(network, 255 * images, targets, **options)
    with pytest.raises(ValueError, match="targets: expected rows"):
        train(network, images, np.ones_like(targets), **options)


def test_an_optimizer_of_another_network_is_refused():
    network, images, targets = problem()
    other = Optimizer(problem()[0])
    with pytest.raises(ValueError, match="another network"):
        train(network, images, targets, epochs=1, batch_size=5, learning_rate=1, optimizer=other)


@pytest.mark.parametrize("weights", [np.ones(22), np.ones((23, 1)), np.ones(23, np.float32)])
def test_sample_weights_of_another_shape_or_type_are_refused(weights):
    network, images, targets = problem()
    options = {"epochs": 1, "batch_size": 5, "learning_rate": 1.0}
    with pytest.raises(ValueError, match=r"expected (arrays of float64|shape)"):
        train(network, images, targets, sample_weights=weights, **options)
