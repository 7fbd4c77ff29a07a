"""Products of exact training have no rounding error, or training ends."""

from fractions import Fraction

import needs
import numpy as np
import pytest
import threadpoolctl
from definitions import dense_rows
from exact_training import samples, trained

from nn import (
    ACTIVATIONS,
    DivergedError,
    Network,
    TrainingConfig,
    arithmetic,
    operations,
)
from nn.arithmetic import operations_for
from nn.training import step
from nn.training.direct import DirectLayer

DENSE = ("affine", "times", "sums")


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(array)


def exactly(found, expected):
    """Compare an array with fractions, none of which may be rounded."""
    assert found.shape == expected.shape
    assert (fractions(found) == expected).all()


def with_biases(z, product, biases):
    """The product fits into a float; the sum with the biases is rounded, and only once."""
    exactly(product.astype(float), product)
    np.testing.assert_array_equal(z, (product + biases).astype(float))


def check_affine(before, a, w, b, z):
    with_biases(z, fractions(a) @ fractions(w).T, fractions(b))


def check_times(before, delta, w, out):
    exactly(out, fractions(delta) @ fractions(w))


def check_sums(before, delta, a, of_weights, of_biases):
    exactly(of_weights, fractions(delta).T @ fractions(a))
    exactly(of_biases, fractions(delta).sum(axis=0))


def check_sparse_affine(before, starts, columns, values, rows, shift, w, b, one, z):
    x = dense_rows(starts, columns, values, rows, shift, len(w), w.dtype)
    with_biases(z, fractions(x) @ fractions(w), fractions(b) * Fraction(one))


def check_sparse_add(before, starts, columns, values, rows, shift, first, stop, delta, one, w, b):
    x = dense_rows(starts, columns, values, rows, shift, len(w), w.dtype)
    x[:, :first] = x[:, stop:] = 0
    exactly(w, fractions(before[-2]) + fractions(x).T @ fractions(delta))
    if first == 0:
        exactly(b, fractions(before[-1]) + fractions(delta).sum(axis=0) * Fraction(one))


CHECKS = {
    "affine": check_affine,
    "times": check_times,
    "sums": check_sums,
    "sparse_affine": check_sparse_affine,
    "sparse_add": check_sparse_add,
}


class Checked:
    """Operations whose products are checked against fractions; `names` are those checked."""

    def __init__(self, functions):
        self.functions, self.names = functions, []

    def __getattr__(self, name):
        function = getattr(self.functions, name)
        return self.check(name, function) if name in CHECKS else function

    def check(self, name, function):
        def call(*arguments):
            before = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
            function(*arguments)
            CHECKS[name](before, *arguments)
            self.names.append(name)

        return call

    def check_direct(self, monkeypatch):
        """Check the first layer in plain gradient descent, which has products of its own."""
        affine, descend = DirectLayer.affine, DirectLayer.descend

        def inputs(layer):
            if isinstance(layer.x, tuple):
                images, rows = layer.x
                return fractions(dense_rows(*images, rows, 0.0, len(layer._weights), float))
            return fractions(layer.x)

        def weights(layer):
            return fractions(layer._weights), fractions(layer._biases[0])

        def checked_affine(layer, rows):
            z = affine(layer, rows)
            w, b = weights(layer)
            exactly(z, inputs(layer) @ w + b * layer.levels)
            self.names.append("direct affine")
            return z

        def checked_descend(layer, rate):
            w, b = weights(layer)
            descend(layer, rate)
            d = fractions(layer._scaled)
            found = layer._weights, layer._biases[0]
            exactly(found[0], w + inputs(layer).T @ d)
            exactly(found[1], b + d.sum(axis=0) * layer.levels)
            self.names.append("direct descend")

        monkeypatch.setattr(DirectLayer, "affine", checked_affine)
        monkeypatch.setattr(DirectLayer, "descend", checked_descend)


KINDS = {
    name: pytest.param(name, marks=() if name == "NumPy" else needs.numba)
    for name in ("compiled", "NumPy", "BLAS", "halves")
}


@pytest.fixture(params=KINDS.values())
def products(request, monkeypatch):
    """Check every product of training; the list has their names."""
    compiled = operations_for("exact")
    checked = Checked(operations if request.param == "NumPy" else compiled)
    checked.check_direct(monkeypatch)
    if request.param == "compiled":
        monkeypatch.setattr(step, "operations_for", lambda arithmetic: checked)
        yield checked.names
        return
    for name in DENSE:
        function = checked.check(name, getattr(operations, name))
        monkeypatch.setattr(operations, name, function)
        monkeypatch.setattr(arithmetic._WithBlas, name, staticmethod(function))
    if request.param == "NumPy":
        monkeypatch.setattr(step, "operations_for", lambda arithmetic: operations)
    else:
        monkeypatch.setattr(step, "operations_for", lambda arithmetic: checked)
        monkeypatch.setattr(arithmetic, "_BLAS", 1)
    if request.param == "halves":
        monkeypatch.setattr(arithmetic, "LARGE_PRODUCT", 1)
        monkeypatch.setattr(arithmetic, "LARGE_ARRAY", 1)
    with threadpoolctl.threadpool_limits(1):  # the check of one half reads what the other writes
        yield checked.names


def train(network, images, targets, rate, **options):
    config = TrainingConfig(epochs=2, batch_size=3, learning_rate=rate, **options)
    try:
        with np.errstate(all="ignore"):
            trained(network, images, targets, config)
    except DivergedError:
        assert rate > 1


def first_images(pixels, black):
    images, targets = samples(10, (2, 3), 3, pixels)
    images[np.random.default_rng(1).random(images.shape) < black] = 0.0
    return images, targets


@pytest.mark.parametrize("products", [KINDS["compiled"], KINDS["halves"]], indirect=True)
@pytest.mark.parametrize("black", [0.0, 0.7])
@pytest.mark.parametrize("pixels", [1, 255, 65535])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [1e-3, 1.0, 1e3, 1e6])
def test_no_product_is_rounded_however_much_the_weights_grow(
    pixels, activation, rate, black, products
):
    images, targets = first_images(pixels, black)
    rng = np.random.default_rng(0)
    network = Network.initialize(
        [6, 4, 3], rng, activation=activation, loss="cross_entropy", initialization="normal",
        pixel_range=(0.0, pixels),
    )  # fmt: skip
    train(network, images, targets, rate)
    assert len(products) >= 3


@pytest.mark.parametrize("black", [0.0, 0.7])
@pytest.mark.parametrize("rate", [0.1, 1e6])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "momentum"},
        {"optimizer": "adam", "activation": "relu"},
        {"l2": 0.1, "dropout_hidden": 0.3},
        {"dropout_input": 0.2, "activation": "tanh"},
    ],
    ids=str,
)
def test_no_product_is_rounded_with_other_updates(options, rate, black, products):
    images, targets = first_images(255, black)
    network = Network.initialize(
        [6, 4, 3], np.random.default_rng(0), activation=options.get("activation", "sigmoid"),
        loss="cross_entropy", initialization="normal", pixel_range=(0.0, 255.0),
    )  # fmt: skip
    # Biases so small that a sum which begins with them would be rounded.
    network.biases[0] *= np.float32(1e-13)
    train(network, images, targets, rate, **options)
    assert len(products) >= 3
    assert "direct affine" not in products


@pytest.mark.parametrize(
    ("pixels", "black", "options", "expected"),
    [
        (255, 0.0, {}, {"direct affine", "direct descend"}),
        (255, 0.7, {}, {"direct affine", "direct descend", "sparse_affine", "sparse_add"}),
        (65535, 0.7, {}, {"sparse_affine", "sparse_add"}),
        (65535, 0.0, {}, set()),
        (255, 0.7, {"optimizer": "adam"}, {"sparse_affine", "sparse_add"}),
        (255, 0.7, {"dropout_input": 0.3}, set()),
    ],
)
def test_these_products_are_checked(pixels, black, options, expected, products, request):
    images, targets = first_images(pixels, black)
    network = Network.initialize([6, 4, 3], np.random.default_rng(0), pixel_range=(0.0, pixels))
    train(network, images, targets, 0.5, **options)
    if "NumPy" in request.node.name:  # which has no sparse inputs
        expected = expected - {"sparse_affine", "sparse_add"}
    assert set(products) == expected | set(DENSE)


@pytest.mark.parametrize("black", [0.0, 0.7])
def test_an_update_that_cancels_itself_is_noticed(black, products):
    # Equal images of different classes: the weights stay small, the terms of the sum do not.
    images, targets = np.ones((2, 10), np.float32), np.eye(2, dtype=np.float32)
    images[:, : round(10 * black)] = 0.0
    network = Network([np.zeros((2, 10), np.float32)], [np.zeros(2, np.float32)], ("a", "b"))
    config = TrainingConfig(hidden=(), epochs=1, batch_size=2, learning_rate=1e6)
    with pytest.raises(DivergedError, match="too large for exact arithmetic"):
        trained(network, images, targets, config)
