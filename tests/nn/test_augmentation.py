"""Augmentation: identity at zero strength, requested moments, geometry computed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from nn import Augmentation, Augmenter

SHAPES = [(28, 28), (8, 8), (5, 9), (1, 4)]


def augmented(images, shape, seed=0, **strengths):
    out = np.full_like(images, np.nan)
    Augmenter(Augmentation(**strengths), shape).augment(images, np.random.default_rng(seed), out)
    return out


def noise(count, shape, dtype=np.float32):
    return np.random.default_rng(1).random((count, shape[0] * shape[1])).astype(dtype)


def displacements(shape=(28, 28), count=2000, **strengths):
    """What is added to each pixel's own place, (count, height, width) for x and for y."""
    augmenter = Augmenter(Augmentation(**strengths), shape)
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: shape[0], : shape[1]]
    found = augmenter.sampling_positions(count, rng)
    return tuple(f.reshape(count, *shape) - own - 1 for f, own in zip(found, (x, y), strict=True))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_strength_no_change(shape, dtype):
    images = noise(70, shape, dtype)
    np.testing.assert_allclose(augmented(images, shape), images, atol=2e-6)


@pytest.mark.parametrize("shape", [(28, 28), (9, 17)])
@settings(max_examples=20, deadline=None)
@given(
    rotation=st.floats(0, 60),
    scaling=st.floats(0, 0.4),
    shear=st.floats(0, 0.5),
    shift=st.floats(0, 40),
    elastic=st.floats(0, 5),
    smoothness=st.floats(1, 12),
)
def test_interpolation_is_scipys(shape, **strengths):
    images = noise(5, shape)
    augmenter = Augmenter(Augmentation(**strengths), shape)
    x, y = augmenter.sampling_positions(5, np.random.default_rng(3))
    found = augmented(images, shape, seed=3, **strengths)
    assert found.min() >= -1e-6
    assert found.max() <= 1 + 1e-6
    for k in range(5):
        padded = np.pad(images[k].reshape(shape), 1)
        expected = map_coordinates(padded, [y[k], x[k]], order=1, mode="constant")
        np.testing.assert_allclose(found[k], expected, atol=1e-4)


@pytest.mark.parametrize("elastic", [0.5, 2.0])
@pytest.mark.parametrize("smoothness", [2.0, 5.0])
def test_elastic_displacement_has_the_standard_deviation_asked_for(elastic, smoothness):
    for d in displacements(elastic=elastic, smoothness=smoothness):
        assert d.std(axis=0) == pytest.approx(np.full((28, 28), elastic), rel=0.08)
        assert abs(d.mean()) < 0.1 * elastic
        # The covariance of noise blurred by a Gaussian of width s is exp(-d²/4s²).
        for distance in (1, 4, 10):
            found = (d[:, 10, 5] * d[:, 10, 5 + distance]).mean() / elastic**2
            assert found == pytest.approx(np.exp(-((distance / (2 * smoothness)) ** 2)), abs=0.1)


def test_affine_parts_stay_within_their_limits_and_reach_them():
    x, y = displacements(shift=2.0)
    for d in (x, y):
        assert np.ptp(d, axis=(1, 2)).max() < 1e-5  # the same for the whole image
        assert 1.95 < abs(d).max() <= 2.0
    x, y = displacements(scaling=0.1)
    assert abs(x[:, :, 0]).max() == pytest.approx(0.1 * 13.5, rel=0.02)
    assert abs(x[:, :, 0] + x[:, :, -1]).max() < 1e-5  # about the centre
    x, y = displacements(shear=0.2)
    assert abs(x[:, 0]).max() == pytest.approx(0.2 * 13.5, rel=0.02)
    assert abs(y).max() < 1e-5
    x, y = displacements(rotation=30)
    corner = np.hypot(x[:, 0, 0], y[:, 0, 0])  # 13.5·√2 pixels from the centre
    assert corner.max() == pytest.approx(2 * 13.5 * 2**0.5 * np.sin(np.deg2rad(15)), rel=0.02)


@pytest.mark.parametrize(
    ("done", "factor"), [(0, 1.0), (2, 0.625 + 0.375 * 0.5**0.5), (4, 0.625), (8, 0.25)]
)
def test_strength_decreases_along_half_a_cosine(done, factor):
    """The positions are those of deformations that are weaker by this factor all along."""
    strengths = {"rotation": 9.0, "scaling": 0.1, "shear": 0.2, "shift": 2.0, "elastic": 1.0}
    decreasing = Augmenter(Augmentation(**strengths, final_strength=0.25), (9, 7), epochs=8)
    weaker = Augmenter(Augmentation(**{k: v * factor for k, v in strengths.items()}), (9, 7))
    found = decreasing.sampling_positions(20, np.random.default_rng(0), epochs_done=done)
    expected = weaker.sampling_positions(20, np.random.default_rng(0))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_quarter_turn_is_a_quarter_turn():
    class Largest:
        """Draws the greatest value every time."""

        def random(self, count):
            return np.ones(count)

    images = noise(3, (7, 7))
    out = np.empty_like(images)
    Augmenter(Augmentation(rotation=90), (7, 7)).augment(images, Largest(), out)
    for image, turned in zip(images.reshape(3, 7, 7), out.reshape(3, 7, 7), strict=True):
        np.testing.assert_allclose(turned, np.rot90(image, 1), atol=1e-5)


def test_same_seed_same_bits_and_every_image_its_own():
    images = np.tile(noise(1, (28, 28)), (300, 1))
    strengths = {"rotation": 10, "elastic": 1.0}
    once, again = (augmented(images, (28, 28), **strengths) for _ in range(2))
    assert once.tobytes() == again.tobytes()
    assert len(np.unique(once, axis=0)) == 300


@pytest.mark.parametrize("dtype", ["f2", ">f4", ">f8", "g"])
def test_images_of_other_floating_point_types(dtype):
    images = noise(3, (5, 9))
    expected = augmented(images, (5, 9), shift=1.0, elastic=0.5)
    found = augmented(images.astype(dtype), (5, 9), shift=1.0, elastic=0.5)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_allclose(found.astype(float), expected, atol=0.01)


def test_images_of_another_shape_are_refused():
    augmenter = Augmenter(Augmentation(shift=1.0), (2, 2))
    images = noise(3, (2, 3))
    with pytest.raises(ValueError, match=r"shape|pixels|broadcast"):
        augmenter.augment(images, np.random.default_rng(0), np.empty_like(images))


@pytest.mark.parametrize(
    "strengths",
    [
        {"rotation": -1},
        {"scaling": 1.0},
        {"shift": float("nan")},
        {"smoothness": 0.5},
        {"final_strength": 1.5},
    ],
)
def test_impossible_strengths_are_refused(strengths):
    with pytest.raises(ValueError, match=next(iter(strengths))):
        Augmentation(**strengths)
