"""Pictures of digits become images as MNIST's were made, however they were taken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from stages.common.photographs.image_preparation import prepare_image
from stages.common.photographs.ink import BlankImageError

DIGITS = load_digits().images / 16


def picture(digit, size=120, scale=9, top=10, left=25):
    """Bright ink on black: a digit of scikit-learn's, enlarged, somewhere on a larger sheet."""
    large = np.kron(digit, np.ones((scale, scale)))
    sheet = np.zeros((size, size))
    sheet[top : top + len(large), left : left + len(large)] = large
    return sheet


def centre_of_mass(image):
    return [
        float((image.sum(axis=1 - axis) * np.arange(n)).sum() / image.sum())
        for axis, n in enumerate(image.shape)
    ]


@given(st.integers(0, len(DIGITS) - 1), st.sampled_from([(28, 28), (20, 32), (40, 16)]))
@settings(deadline=None, max_examples=60)
def test_box_and_centre_of_mass(number, shape):
    image = prepare_image(picture(DIGITS[number]), shape)
    assert image.shape == shape
    assert image.dtype == np.float32
    assert image.min() == 0.0
    assert image.max() == pytest.approx(1.0)
    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    lengths = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    boxes = [round(20 / 28 * n) for n in shape]
    assert all(length <= box for length, box in zip(lengths, boxes, strict=True))
    assert any(length >= box - 1 for length, box in zip(lengths, boxes, strict=True))
    for at, n in zip(centre_of_mass(image), shape, strict=True):
        # Half a pixel of rounding, more only where the digit would leave the image.
        assert (
            abs(at - n / 2) <= 0.51
            or min(rows[0], columns[0]) == 0
            or (rows[-1] == shape[0] - 1 or columns[-1] == shape[1] - 1)
        )


@given(
    st.integers(0, len(DIGITS) - 1),
    st.integers(0, 40),
    st.integers(0, 40),
    st.floats(0.3, 1.0),
    st.floats(0.0, 0.5),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_where_and_how_bright_it_is_and_on_what_does_not_matter(
    number, top, left, contrast, ground, inverted
):
    expected = prepare_image(picture(DIGITS[number]))
    moved = picture(DIGITS[number], top=top + 1, left=left + 1) * contrast * (1 - ground) + ground
    moved = 1 - moved if inverted else moved
    np.testing.assert_allclose(prepare_image(moved), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [5, 20, 31])
def test_size_hardly_matters(scale):
    for digit in DIGITS[:40]:
        expected = prepare_image(picture(digit))
        found = prepare_image(picture(digit, size=300, scale=scale))
        assert np.abs(found - expected).mean() < 0.01


def test_an_image_that_was_prepared_stays_nearly_as_it_is():
    differences = []
    for digit in DIGITS[:100]:
        once = prepare_image(picture(digit > 0.4))
        differences.append(np.abs(prepare_image(once) - once).mean())
    assert np.median(differences) < 0.002
    assert max(differences) < 0.06  # a row of faint ink is lost, the rest is a pixel larger


@pytest.mark.parametrize("darkest", [0.8, 0.6, 0.4])
def test_light_that_falls_unevenly_is_no_ink(darkest):
    y, x = np.mgrid[:120, :120] / 119
    differences = []
    for digit in DIGITS[:40]:
        clean = picture(digit > 0.4)
        for light in (y, x, (x + y) / 2):
            paper = darkest + (0.95 - darkest) * light
            found = prepare_image(np.clip(paper - 0.35 * clean, 0, 1))
            differences.append(np.abs(found - prepare_image(clean)).mean())
    assert np.median(differences) < 1e-6
    assert max(differences) < 0.08  # the centre is rounded to the next pixel


def test_noise_is_no_ink():
    rng = np.random.default_rng(0)
    differences = []
    for digit in DIGITS[:40]:
        clean = picture(digit > 0.4)
        noisy = 1 - 0.8 * clean + rng.normal(0, 0.01, clean.shape)
        differences.append(np.abs(prepare_image(noisy) - prepare_image(clean)).mean())
    assert np.median(differences) < 0.005
    assert max(differences) < 0.08  # the centre is rounded to the next pixel


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_nothing_there(value):
    with pytest.raises(BlankImageError, match="got a blank image"):
        prepare_image(np.full((50, 60), value))
    with pytest.raises(BlankImageError):
        prepare_image(np.full((1, 1), value))
    faint = np.full((50, 60), value) + np.random.default_rng(0).normal(0, 0.01, (50, 60))
    with pytest.raises(BlankImageError):
        prepare_image(faint)


def test_what_is_no_picture():
    for nonsense in (np.zeros((0, 5)), np.zeros(5), np.full((9, 9), np.nan)):
        with pytest.raises(ValueError, match="expected a 2-D array of finite"):
            prepare_image(nonsense)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=100)
def test_whatever_the_picture_there_is_an_image_or_a_refusal(height, width, seed):
    anything = np.random.default_rng(seed).random((height, width))
    try:
        image = prepare_image(anything)
    except BlankImageError:
        return
    assert image.shape == (28, 28)
    assert np.isfinite(image).all()
    assert 0 <= image.min() <= image.max() <= 1
