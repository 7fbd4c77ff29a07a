"""Test-time augmentation: a mean over copies that are the same for every image."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nn import Augmentation, Augmenter, Ensemble, Network, TestTimeAugmentation, score

IMAGES = (load_digits().data[:1100] / 16).astype(np.float32)


@pytest.fixture
def network():
    return Network.initialize([64, 20, 10], np.random.default_rng(0), initialization="normal")


def test_the_mean_of_the_probabilities_of_the_copies(network):
    strength = Augmentation(
        rotation=6.0,
        scaling=0.075,
        shear=0.06,
        shift=4 / 28,
        elastic=0.6 * 8 / 28,
        smoothness=40 / 28,
    )
    augmenter = Augmenter(strength, (8, 8))
    columns, rows = augmenter.sampling_positions(3, np.random.default_rng(0))
    image = np.zeros((11, 11))
    image[1:9, 1:9] = IMAGES[7].reshape(8, 8)
    expected = network.probabilities(IMAGES[7]).astype(float)
    for x, y in zip(columns, rows, strict=True):
        x, y = np.clip(x, 0, 9), np.clip(y, 0, 9)
        left, top = x.astype(int), y.astype(int)
        right, below = x - left, y - top
        copy = (
            image[top, left] * (1 - right) * (1 - below)
            + image[top, left + 1] * right * (1 - below)
            + image[top + 1, left] * (1 - right) * below
            + image[top + 1, left + 1] * right * below
        )
        expected += network.probabilities(copy.astype(np.float32))
    augmented = TestTimeAugmentation(network, 3)
    np.testing.assert_allclose(augmented.scores(IMAGES[7]), expected / 4, rtol=1e-4)


def test_an_image_does_not_depend_on_the_others(network):
    augmented = TestTimeAugmentation(network, 2)
    together = augmented.probabilities(IMAGES)
    np.testing.assert_array_equal(augmented.probabilities(IMAGES[1001:1003]), together[1001:1003])
    np.testing.assert_array_equal(augmented.probabilities(IMAGES[5]), together[5])
    np.testing.assert_array_equal(augmented.predict(IMAGES), together.argmax(axis=1))
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8", "g"])
def test_images_of_other_floating_point_types(dtype, network):
    augmented = TestTimeAugmentation(network, 2)
    found = augmented.scores(IMAGES[:20].astype(dtype))
    np.testing.assert_allclose(found, augmented.scores(IMAGES[:20]), rtol=1e-2)


def test_an_ensemble_and_its_score(network):
    other = Network.initialize([64, 9, 10], np.random.default_rng(1), initialization="normal")
    members = [TestTimeAugmentation(member, 2) for member in (network, other)]
    together = TestTimeAugmentation(Ensemble([network, other]), 2)
    expected = np.mean([member.probabilities(IMAGES) for member in members], axis=0)
    np.testing.assert_allclose(together.probabilities(IMAGES), expected, rtol=1e-5)
    targets = np.eye(10, dtype=np.float32)[together.predict(IMAGES)]
    assert score(together, IMAGES, targets).accuracy == 1


def test_it_needs_the_image_shape():
    network = Network.initialize([20, 3], np.random.default_rng(0))
    with pytest.raises(ValueError, match="image_shape: expected height and width"):
        TestTimeAugmentation(network, 3)


def test_images_of_another_shape_are_refused():
    network = Network.initialize([30, 4, 3], np.random.default_rng(0), image_shape=(5, 6))
    network.image_shape = (5, 7)
    images = np.random.default_rng(0).random((3, 30), np.float32)
    with pytest.raises(ValueError, match=r"expected shape \(n, 35\), got \(3, 30\)"):
        TestTimeAugmentation(network, 1).scores(images)
