"""The framing of images is found, and tells images of the same kind from others."""

import numpy as np
import pytest

from stages.common.photographs.framing import framing_of

RNG = np.random.default_rng(0)


def strokes(n=200, shape=(20, 24), side=10, centre=(8, 12), level=1.0):
    """Crosses of one pixel's width with arms of `side` pixels, bright on empty ground."""
    images = np.zeros((n, *shape), np.float32)
    top, left = centre[0] - side // 2, centre[1] - side // 2
    images[:, centre[0], left : left + side + 1] = level
    images[:, top : top + side + 1, centre[1]] = level
    return images


def clothes(n=200, shape=(28, 28)):
    """Broad shapes that differ in size and brightness."""
    images = np.zeros((n, *shape), np.float32)
    for image in images:
        height, width = RNG.integers(18, 28), RNG.integers(10, 28)
        image[:height, 2 : 2 + width] = RNG.uniform(0.3, 0.9)
    return images


def measured(images):
    return framing_of(images.reshape(len(images), -1), images.shape[1:])


def test_box_centre_and_peak():
    found = measured(strokes(level=0.8))
    assert found.drawings
    assert found.box == (round(11 / 20 * 20), round(11 / 20 * 24))
    assert found.centre == (8, 12)
    assert found.peak == pytest.approx(0.8)


@pytest.mark.parametrize("images", [clothes(), RNG.random((50, 12, 12)), np.ones((9, 5, 5))])
def test_what_is_no_drawing(images):
    found = measured(np.asarray(images, np.float32))
    assert not found.drawings
    assert found.fits(np.ones(images.shape[1:], np.float32))


def test_images_of_the_same_kind_fit_and_others_do_not():
    images = strokes()
    found = measured(images)
    assert all(found.fits(image) for image in images[:5])
    for other in (
        1 - images[0],
        np.roll(images[0], 2, axis=0),
        np.roll(images[0], -2, axis=1),
        strokes(1, side=4)[0],
        strokes(1, side=14)[0],
        np.zeros((20, 24)),
        np.maximum(images[0], 0.2),
    ):
        assert not found.fits(other)
