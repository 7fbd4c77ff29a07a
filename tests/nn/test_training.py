"""The training loop: that it learns, what it visits, what it yields, when it stops."""

import numpy as np
import pytest
import threadpoolctl
from sklearn.datasets import load_digits
from small_training import problem, train

from nn import (
    ACTIVATIONS,
    DivergedError,
    Network,
    Optimizer,
    Regularization,
    arithmetic,
    operations,
    score,
    train_epochs,
)
from nn.backpropagation import gradients


def test_learns_xor():
    images = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    targets = np.array([[1, 0], [0, 1], [0, 1], [1, 0]], np.float32)
    network = Network.initialize([2, 4, 2], np.random.default_rng(1), initialization="normal")
    train(network, images, targets, epochs=2000, batch_size=4, learning_rate=5.0)
    assert network.predict(images).tolist() == [0, 1, 1, 0]
    assert score(network, images, targets).loss < 0.01


@pytest.mark.parametrize("hidden", [[30], [30, 20]])
def test_learns_scikit_learns_digits(hidden):
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32)
    targets = np.eye(10, dtype=np.float32)[labels]
    network = Network.initialize([64, *hidden, 10], np.random.default_rng(0))
    train(network, images[:1400], targets[:1400], epochs=60, batch_size=10, learning_rate=3.0)
    assert score(network, images[:1400], targets[:1400]).accuracy > 0.99
    assert score(network, images[1400:], targets[1400:]).accuracy > 0.9


@pytest.mark.parametrize("batch_size", [1, 5, 22, 23])
def test_an_epoch_is_the_plain_algorithm_with_the_short_last_batch(batch_size):
    trained, images, targets = problem()
    plain, _, _ = problem()
    train(trained, images, targets, epochs=2, batch_size=batch_size, learning_rate=0.7, seed=3)
    rng = np.random.default_rng(3)
    for _ in range(2):
        order, _ = rng.permutation(len(images)), rng.integers(2**63)
        for start in range(0, len(images), batch_size):
            batch = order[start : start + batch_size]
            weight_gradients, bias_gradients = gradients(plain, images[batch], targets[batch])
            for layer in range(2):
                plain.weights[layer] -= 0.7 * weight_gradients[layer]
                plain.biases[layer] -= 0.7 * bias_gradients[layer]
    for found, expected in zip(trained.weights + trained.biases, plain.weights + plain.biases,
                               strict=True):  # fmt: skip
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_yields_the_epochs_and_does_nothing_before_it_is_asked():
    network, images, targets = problem()
    kept = [w.copy() for w in network.weights]
    options = {"batch_size": 5, "learning_rate": 1.0, "rng": np.random.default_rng(0)}
    epochs = train_epochs(network, images, targets, epochs=3, **options)
    for w, before in zip(network.weights, kept, strict=True):
        np.testing.assert_array_equal(w, before)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]


def test_same_seed_same_bits_from_memory_or_from_disk(tmp_path):
    results = []
    for mapped in (False, True):
        network, images, targets = problem(dtype=np.float32)
        if mapped:
            np.save(tmp_path / "images.npy", images)
            images = np.load(tmp_path / "images.npy", mmap_mode="r")
        train(network, images, targets, epochs=3, batch_size=5, learning_rate=1.0)
        results.append(b"".join(w.tobytes() for w in network.weights))
    assert results[0] == results[1]


@pytest.mark.parametrize("exact", [False, True])
def test_every_product_of_training_and_prediction_has_one_thread(exact, monkeypatch):
    seen = []

    def spied(function):
        def call(*arguments):
            pools = threadpoolctl.threadpool_info()
            seen.append({p["num_threads"] for p in pools if p["user_api"] == "blas"})
            return function(*arguments)

        return call

    monkeypatch.setattr(arithmetic, "_BLAS", 1)
    for name in ("affine", "times", "sums", "rows_affine"):
        spy = spied(getattr(operations, name))
        monkeypatch.setattr(operations, name, spy)
        if name != "rows_affine":
            monkeypatch.setattr(arithmetic._WithBlas, name, staticmethod(spy))
    network, images, targets = problem(dtype=np.float32)
    with threadpoolctl.threadpool_limits(2):
        train(network, images, targets, epochs=1, batch_size=23, learning_rate=1.0, exact=exact)
        trained = len(seen)
        network.scores(images)
        network.scores(np.tile(images, (50, 1)))
    # In training forward, backward and updates; and the forward pass again, twice.
    assert trained == 2 + 1 + 2
    assert len(seen) >= trained + 2 + 2
    assert all(threads == {1} for threads in seen)


def test_the_callers_thread_limit_is_left_alone_between_epochs():
    def threads():
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}

    network, images, targets = problem()
    options = {"batch_size": 5, "learning_rate": 1.0, "rng": np.random.default_rng(0)}
    with threadpoolctl.threadpool_limits(2):
        for _ in train_epochs(network, images, targets, epochs=2, **options):
            assert threads() == {2}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("black", [False, True])
def test_stops_when_weights_are_no_longer_finite(value, exact, activation, black):
    network, images, targets = problem(dtype=np.float32)
    network.activation = activation
    if black:
        images[:, 1:] = 0.0
    network.weights[0][0, 0] = value
    options = {"batch_size": 5, "learning_rate": 1.0, "exact": exact}
    with pytest.raises(DivergedError, match="epoch 1"):
        train(network, images, targets, epochs=5, **options)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_divergence_is_an_error_without_warnings(name, exact):
    network, images, targets = problem(dtype=np.float32)
    optimizer, regularization = Optimizer(network, name), Regularization(l2=100.0)
    options = {"batch_size": 5, "learning_rate": 1e6, "exact": exact, "optimizer": optimizer}
    with pytest.raises(DivergedError):
        train(network, images, targets, epochs=5, regularization=regularization, **options)


def test_the_score_of_an_epoch_is_that_of_the_forward_passes_of_training():
    network, images, targets = problem()
    plain, _, _ = problem()
    options = {"batch_size": 5, "learning_rate": 0.7, "seed": 3}
    found = train(network, images, targets, epochs=1, **options)[0].score
    losses, right, order = 0.0, 0, np.random.default_rng(3).permutation(23)
    for start in range(0, 23, 5):
        batch = order[start : start + 5]
        outputs = plain.scores(images[batch])
        losses += ((outputs - targets[batch]) ** 2).sum() / 2
        right += (outputs.argmax(axis=1) == targets[batch].argmax(axis=1)).sum()
        found_gradients = gradients(plain, images[batch], targets[batch])
        for arrays, changes in zip((plain.weights, plain.biases), found_gradients, strict=True):
            for array, change in zip(arrays, changes, strict=True):
                array -= 0.7 * change
    assert found.loss == pytest.approx(losses / 23)
    assert found.accuracy == right / 23


def test_score_is_half_the_squared_error_and_the_fraction_right():
    network, images, targets = problem()
    outputs = network.scores(images)
    found = score(network, images, targets)
    assert found.loss == pytest.approx(((outputs - targets) ** 2).sum() / 2 / 23)
    assert found.accuracy == np.mean(outputs.argmax(1) == targets.argmax(1))


def test_the_schedule_is_asked_for_every_step():
    network, images, targets = problem()
    asked = []

    def factor(done):
        asked.append(done)
        return 0.0

    kept = [w.copy() for w in network.weights]
    options = {"batch_size": 10, "learning_rate": 1.0, "schedule": factor}
    train(network, images, targets, epochs=2, **options)
    assert asked == pytest.approx([0, 10 / 23, 20 / 23, 1, 33 / 23, 43 / 23])
    for w, before in zip(network.weights, kept, strict=True):
        np.testing.assert_array_equal(w, before)


def test_an_optimizer_keeps_its_state_from_call_to_call():
    def weights(*epochs):
        network, images, targets = problem()
        optimizer, rng = Optimizer(network, "adam"), np.random.default_rng(0)
        for count in epochs:
            options = {"batch_size": 5, "learning_rate": 0.01, "rng": rng}
            list(
                train_epochs(network, images, targets, epochs=count, optimizer=optimizer, **options)
            )
        return network.weights[0].tolist()

    assert weights(3) == weights(1, 2)


def test_sample_weights_count_as_repetitions_do():
    network, images, targets = problem(n=12)
    repeated, _, _ = problem(n=12)
    weights = np.arange(12) % 3 + 1.0
    options = {"epochs": 1, "learning_rate": 0.5}
    train(network, images, targets, batch_size=12, sample_weights=weights, **options)
    rows = np.repeat(np.arange(12), weights.astype(int))
    # The mean over 24 rows is half the weighted sum over 12.
    options["learning_rate"] = 1.0
    train(repeated, images[rows], targets[rows], batch_size=24, **options)
    for found, expected in zip(network.weights, repeated.weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_label_smoothing_is_training_on_smoothed_labels():
    smoothed, images, targets = problem()
    plain, _, _ = problem()
    options = {"epochs": 2, "batch_size": 5, "learning_rate": 1.0}
    regularization = Regularization(label_smoothing=0.2)
    train(smoothed, images, targets, regularization=regularization, **options)
    train(plain, images, 0.8 * targets + 0.1, **options)
    np.testing.assert_allclose(smoothed.weights[0], plain.weights[0], rtol=1e-12)


@pytest.mark.parametrize("black", [False, True])
@pytest.mark.parametrize("name", ["sgd", "nesterov", "adam"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_layers_learn_the_same_bits_with_one_thread_and_two(dtype, name, black, monkeypatch):
    monkeypatch.setattr(arithmetic, "LARGE_PRODUCT", 1)
    monkeypatch.setattr(arithmetic, "LARGE_ARRAY", 1)
    results = set()
    for threads in (1, 2, 1):
        network, images, targets = problem(dtype=dtype)
        if black:
            images[:, 1:] = 0.0
        options = {"batch_size": 7, "learning_rate": 0.1, "optimizer": Optimizer(network, name)}
        with threadpoolctl.threadpool_limits(threads):
            train(network, images, targets, epochs=2, **options)
        results.add(b"".join(w.tobytes() for w in network.weights))
    assert len(results) == 1


@pytest.mark.parametrize("order", [(False, True), (True, False)])
@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_training_goes_on_with_images_that_have_more_zeros_or_fewer(name, order):
    # The rounding errors of the two kinds of first layer differ, the weights do not.
    results = []
    for copied in (False, True):
        network, images, targets = problem()
        optimizer, rng = Optimizer(network, name), np.random.default_rng(0)
        options = {"batch_size": 5, "learning_rate": 0.1, "rng": rng}
        for black in order:
            data = images * np.array([1.0, 0, 0, 0]) if black else images
            if copied:
                for arrays in (network.weights, optimizer.velocities, optimizer.squares):
                    arrays[:] = [np.array(a, order="C") for a in arrays]
            list(train_epochs(network, data, targets, epochs=1, optimizer=optimizer, **options))
        results.append([*network.weights, *network.biases])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
