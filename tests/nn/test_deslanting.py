"""Deslanted images: upright, in the middle, and otherwise as they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.datasets import load_digits

from nn import deslant

DIGITS = load_digits().images / 16


def digits(count, shape):
    """Digits of scikit-learn's, enlarged and slanted, with a margin."""
    rng = np.random.default_rng(0)
    images = []
    for digit in DIGITS[:count]:
        image = np.zeros(shape)
        image[(shape[0] - 16) // 2 :, (shape[1] - 16) // 2 :][:16, :16] = np.kron(
            digit, np.ones((2, 2))
        )
        slope = rng.uniform(-0.4, 0.4)
        offset = slope * (shape[0] - 1) / 2
        images.append(ndimage.affine_transform(image, [[1, 0], [-slope, 1]], [0, offset], order=1))
    return np.rint(255 * np.array(images, np.float32)).reshape(count, -1) / np.float32(255)


def moments(image):
    """Centre of mass (y, x), and the slope m_xy / m_yy, by SciPy and NumPy's covariance."""
    height, width = image.shape
    y, x = (grid.ravel() for grid in np.mgrid[:height, :width])
    covariance = np.cov(np.stack([x, y]), aweights=image.ravel().astype(np.float64), ddof=0)
    return *ndimage.center_of_mass(image), covariance[0, 1] / covariance[1, 1]


@pytest.mark.parametrize("shape", [(28, 28), (30, 41)])
def test_upright_and_in_the_middle(shape):
    for image in deslant(digits(60, shape), shape):
        y, x, slope = moments(image.reshape(shape))
        assert y == pytest.approx((shape[0] - 1) / 2, abs=0.05)
        assert x == pytest.approx((shape[1] - 1) / 2, abs=0.05)
        assert abs(slope) < 0.03


def test_as_an_affine_transform_of_scipy():
    shape = (28, 28)
    images = digits(20, shape)
    for image, found in zip(images.reshape(-1, *shape), deslant(images, shape), strict=True):
        y, x, slope = moments(image)
        matrix, middle = np.array([[1, 0], [slope, 1]]), np.array([13.5, 13.5])
        expected = ndimage.affine_transform(image, matrix, (y, x) - matrix @ middle, order=1)
        np.testing.assert_allclose(found.reshape(shape), expected, atol=0.6 / 255)


@given(st.integers(0, 100), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=30)
def test_any_pixels(seed, dtype):
    images = np.random.default_rng(seed).random((3, 35), dtype=np.float32).astype(dtype)
    found = deslant(images, (5, 7))
    assert found.dtype == dtype
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(found, np.rint(found * dtype(255)) / dtype(255))
    # An image does not depend on those beside it.
    np.testing.assert_array_equal(deslant(images[1:2], (5, 7)), found[1:2])


@pytest.mark.parametrize("dtype", ["f2", ">f4", ">f8", "g"])
def test_other_floating_point_types(dtype):
    images = digits(5, (28, 28))
    found = deslant(images.astype(dtype), (28, 28))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_allclose(found.astype(float), deslant(images, (28, 28)), atol=0.01)


def test_without_ink():
    assert not deslant(np.zeros((2, 20), np.float32), (4, 5)).any()
