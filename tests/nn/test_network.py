"""The forward pass, predictions, and what a network refuses."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as scipy_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from nn import ACTIVATIONS, LOSSES, Network
from nn.activations import SIGMOID, SOFTMAX


def network(sizes=(6, 5, 3), dtype=np.float32, **options):
    return Network.initialize(sizes, np.random.default_rng(0), dtype=dtype, **options)


def test_softmax_is_scipys_without_overflow():
    z = np.array([[1000.0, 1000, 0], [-1e30, 3, 1], [0.1, 0.2, 0.3]])
    np.testing.assert_allclose(SOFTMAX.apply(z.copy()), scipy_softmax(z, axis=1))


@pytest.mark.parametrize(
    ("activation", "name"), [("sigmoid", "logistic"), ("tanh", "tanh"), ("relu", "relu")]
)
def test_softmax_networks_equal_scikit_learns_forward_pass(activation, name):
    rng = np.random.default_rng(1)
    images = rng.random((40, 6))
    sk = MLPClassifier((5, 4), activation=name, max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning):
        sk.fit(images, rng.integers(0, 3, 40))
    weights = [np.ascontiguousarray(w.T) for w in sk.coefs_]
    ours = Network(
        weights, sk.intercepts_, ("a", "b", "c"), activation=activation,
        loss="softmax_cross_entropy",
    )  # fmt: skip
    np.testing.assert_allclose(ours.scores(images), sk.predict_proba(images))
    np.testing.assert_allclose(ours.probabilities(images), sk.predict_proba(images))


def test_sigmoid_is_the_logistic_function_without_overflow():
    z = np.array([-1e30, -800.0, -20, -1, 0, 1, 20, 800, 1e30])
    with np.errstate(all="raise"):
        found = SIGMOID.apply(z)
    np.testing.assert_allclose(found, expit(z), atol=1e-15)


def test_scores_equal_scikit_learns_forward_pass():
    rng = np.random.default_rng(1)
    images = rng.random((40, 6))
    # Two classes, so that scikit-learn's output unit is a sigmoid too.
    sk = MLPClassifier((5, 4), activation="logistic", max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning):
        sk.fit(images, rng.integers(0, 2, 40))
    ours = Network([np.ascontiguousarray(w.T) for w in sk.coefs_], sk.intercepts_, ("yes",))
    np.testing.assert_allclose(ours.scores(images)[:, 0], sk.predict_proba(images)[:, 1])


def test_scores_follow_weights_that_change_in_place_or_are_replaced():
    images = np.random.default_rng(1).random((4, 6), np.float32)
    ours = network()
    before = ours.scores(images)
    ours.weights[0][2, 3] += 1.0
    after = ours.scores(images)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, ours.copy().scores(images))
    ours.weights = ours.weights[:1]
    ours.biases = ours.biases[:1]
    np.testing.assert_array_equal(ours.scores(images), ours.copy().scores(images))
    assert ours.scores(images).shape == (4, 5)


def every_second(array):
    wide = np.zeros((len(array), 2 * array.shape[1]), array.dtype)
    wide[:, ::2] = array
    return wide[:, ::2]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def in_a_file(array, folder):
    np.save(folder / "array.npy", array)
    return np.load(folder / "array.npy", mmap_mode="r")


LAYOUTS = {
    "by columns": np.asfortranarray,
    "every second": every_second,
    "read-only": read_only,
    "in a file": in_a_file,
}


@pytest.mark.parametrize("n", [1, 20, 1100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_and_images_in_any_layout_of_memory_have_the_same_scores(
    layout, dtype, n, tmp_path
):
    change = LAYOUTS[layout]
    options = (tmp_path,) if layout == "in a file" else ()
    net = network((6, 5, 4, 3), dtype)
    images = np.random.default_rng(1).random((n, 6)).astype(dtype)
    expected = net.scores(images)
    np.testing.assert_array_equal(net.scores(change(images, *options)), expected)
    for k in range(3):
        other = net.copy()
        other.weights[k] = change(other.weights[k], *options)
        for _ in range(2):  # the second time with what was prepared
            np.testing.assert_allclose(other.scores(images), expected, rtol=1e-14)
        if other.weights[k].flags.writeable:
            other.weights[k][0] += 1.0
            assert not np.array_equal(other.scores(images), expected)
            np.testing.assert_allclose(
                other.scores(images), other.copy().scores(images), rtol=1e-14
            )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n", [1, 20])
def test_weights_that_are_no_numbers_are_not_hidden(activation, loss, n):
    images = np.random.default_rng(1).random((n, 6), np.float32)
    for layer in (0, 1):
        net = network(activation=activation, loss=loss)
        net.weights[layer][0, 0] = np.nan
        with np.errstate(invalid="ignore"):
            assert np.isnan(net.scores(images)[:, 0]).all()


def test_a_network_whose_arrays_do_not_fit_each_other_is_refused():
    images = np.ones((20, 4), np.float32)
    for shapes, biases in (
        ([(3, 4), (2, 2)], [3, 2]),
        ([(3, 4), (2, 3)], [3, 4]),
        ([(3, 4), (2, 3)], [4, 2]),
    ):
        weights = [np.ones(shape, np.float32) for shape in shapes]
        wrong = Network(weights, [np.zeros(units, np.float32) for units in biases], ("a", "b"))
        with pytest.raises(ValueError, match=r"shape|broadcast|size|dimension"):
            wrong.scores(images)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_image_many_images_and_more_than_a_chunk(dtype):
    net = network(dtype=dtype)
    images = np.random.default_rng(2).random((1203, 6)).astype(dtype)
    scores = net.scores(images)
    assert scores.shape == (1203, 3)
    assert scores.dtype == dtype
    one = net.scores(images[7])
    assert one.shape == (3,)
    np.testing.assert_allclose(one, scores[7], rtol=1e-5)
    assert net.predict(images).shape == (1203,)
    assert net.predict(images[7]) == scores[7].argmax()
    assert net.scores(images[:0]).shape == (0, 3)


def test_probabilities_sum_to_one_even_when_every_score_rounds_to_zero():
    net = network()
    net.biases[-1][:] = -1e4
    images = np.random.default_rng(3).random((4, 6), np.float32)
    np.testing.assert_allclose(net.probabilities(images), np.full((4, 3), 1 / 3))
    assert network().probabilities(images).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_scores_do_not_change_their_argument():
    images = np.random.default_rng(3).random((4, 6), np.float32)
    kept = images.copy()
    network().scores(images)
    np.testing.assert_array_equal(images, kept)


def test_wrong_shapes_and_raw_pixels_are_refused():
    with pytest.raises(ValueError, match=r"expected shape \(6,\) or \(n, 6\), got \(2, 7\)"):
        network().scores(np.zeros((2, 7)))
    with pytest.raises(ValueError, match="shape"):
        network().scores(np.zeros((1, 2, 6)))
    with pytest.raises(ValueError, match="scale raw pixels first"):
        network().scores(np.zeros((2, 6), np.uint8))


def test_scale_uses_the_range_of_the_training_pixels():
    net = network(pixel_range=(0.0, 255.0))
    scaled = net.prepare([[0, 51, 255]])
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[0, 0.2, 1]])


def test_initializations_have_the_moments_they_promise():
    rng = np.random.default_rng(0)
    normal = Network.initialize([400, 300, 10], rng, initialization="normal")
    scaled = Network.initialize([400, 300, 10], rng, initialization="scaled")
    assert normal.weights[0].std() == pytest.approx(1, rel=0.02)
    assert normal.biases[0].std() == pytest.approx(1, rel=0.15)
    assert scaled.weights[0].std() == pytest.approx(400**-0.5, rel=0.02)
    assert scaled.weights[1].std() == pytest.approx(300**-0.5, rel=0.05)
    assert not scaled.biases[0].any()
    glorot = Network.initialize([400, 300, 10], rng, initialization="glorot")
    limit = 4 * (6 / 700) ** 0.5  # the sigmoid's gain is 4
    assert glorot.weights[0].std() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert abs(glorot.weights[0]).max() <= limit
    softmax = Network.initialize(
        [400, 10], rng, initialization="glorot", loss="softmax_cross_entropy"
    )
    assert abs(softmax.weights[0]).max() <= (6 / 410) ** 0.5


def test_same_generator_state_gives_the_same_network():
    a, b = (network() for _ in range(2))
    for x, y in zip(a.weights, b.weights, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("sizes", [[5], [], [5, 0, 2]])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        network(sizes)


@pytest.mark.parametrize("what", ["initialization", "activation", "loss"])
def test_unknown_names_are_refused(what):
    with pytest.raises(ValueError, match=f"{what}.*'zero'"):
        network(**{what: "zero"})


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1, 255])
def test_inputs_that_are_no_scaled_pixels_are_refused(value):
    images = np.random.default_rng(3).random((4, 6), np.float32)
    images[2, 3] = value
    for argument in (images, images[2]):
        with pytest.raises(ValueError, match="images: expected finite numbers from 0 to 1, got"):
            network(pixel_range=(0.0, 255.0)).predict(argument)


def test_without_a_range_of_pixels_features_may_have_any_finite_value():
    images = np.random.default_rng(3).standard_normal((4, 6)).astype(np.float32)
    network().predict(1e6 * images)
    images[2, 3] = np.nan
    with pytest.raises(ValueError, match="images: expected finite numbers, got values from nan"):
        network().probabilities(images)


@pytest.mark.parametrize("row", [(0, 0, 0), (1, 1, 0), (2, -1, 0), (np.nan, 0, 0)])
def test_targets_that_are_no_distribution_are_refused(row):
    targets = np.eye(3, dtype=np.float32)
    targets[1] = row
    with pytest.raises(ValueError, match="targets: expected rows of numbers from 0 that add up"):
        network().require_samples(np.zeros((3, 6), np.float32), targets)


def test_a_network_prints_as_one_line():
    network = Network.initialize([784, 100, 10], np.random.default_rng(0))
    assert str(network) == (
        "<Network 784-100-10, sigmoid, quadratic loss, float32, 79510 parameters>"
    )
