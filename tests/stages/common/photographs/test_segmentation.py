"""Digits are found beside each other, on ruled paper, in frames and in windows."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from stages.common.photographs.image_preparation import prepare_image
from stages.common.photographs.segmentation import find_digits

DIGITS = (load_digits().images / 16)[:20]
SHAPE = (28, 28)


def sheet(*digits, step=120, size=(220, 300), top=50):
    """Digits in black on white paper, from left to right."""
    paper = np.ones(size)
    for k, digit in enumerate(digits):
        large = np.kron(digit > 0.3, np.ones((14, 14)))
        left = 40 + k * step
        paper[top : top + 112, left : left + 112] = np.minimum(
            paper[top : top + 112, left : left + 112], 1 - large
        )
    return paper


def lined(paper, *, gap=40, thick=2, level=0.6, fall=0.0, squared=False):
    y, x = np.mgrid[: paper.shape[0], : paper.shape[1]]
    paper = np.where((y + fall * x) % gap < thick, np.minimum(paper, level), paper)
    return (
        np.where((x + fall * y) % gap < thick, np.minimum(paper, level), paper)
        if squared
        else paper
    )


def outlined(paper, margin, width, tilt=0):
    image = Image.fromarray(np.rint(paper * 255).astype(np.uint8))
    right, bottom = image.width - 1 - margin, image.height - 1 - margin
    corners = [(margin, margin), (right, margin + tilt), (right - tilt, bottom), (margin, bottom)]
    ImageDraw.Draw(image).line([*corners, corners[0], corners[1]], fill=30, width=width)
    return np.asarray(image) / 255


def window(paper, bar):
    image = outlined(np.vstack([np.full((30, paper.shape[1]), bar), paper]), 0, 1)
    image[10:20, 10:80:3] = 1 - bar  # the title
    return image


def single(digit):
    return find_digits(sheet(digit), SHAPE)[0].image


@pytest.mark.parametrize("digit", DIGITS)
def test_one_digit_is_as_it_was(digit):
    (found,) = find_digits(sheet(digit), SHAPE)
    assert np.array_equal(found.image, prepare_image(sheet(digit), SHAPE))


def test_the_box_is_where_the_ink_is():
    paper = np.ones((100, 200))
    paper[20:60, 50:80] = 0
    (found,) = find_digits(paper, SHAPE)
    assert found.box == (0.25, 0.2, 0.4, 0.6)


def test_several_digits_from_left_to_right():
    for first, second in pairwise(DIGITS):
        found = find_digits(sheet(first, second), SHAPE)
        assert len(found) == 2
        for digit, one in zip((first, second), found, strict=True):
            assert np.array_equal(one.image, single(digit))


def test_several_lines_of_digits():
    paper = np.vstack([sheet(DIGITS[4], DIGITS[2]), sheet(DIGITS[3])])
    found = [one.image for one in find_digits(paper, SHAPE)]
    expected = [single(DIGITS[k]) for k in (4, 2, 3)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_dots_beside_several_digits_are_left_out():
    paper = sheet(DIGITS[4], DIGITS[2])
    paper[180:188, 285:293] = 0
    found = [one.image for one in find_digits(paper, SHAPE)]
    assert np.array_equal(found, [single(DIGITS[k]) for k in (4, 2)])


@pytest.mark.parametrize("paper", [
    {}, {"thick": 1, "level": 0.85}, {"thick": 4, "level": 0.3}, {"fall": 0.05}, {"fall": -0.02},
    {"squared": True}, {"squared": True, "fall": 0.03}, {"gap": 170},
])  # fmt: skip
def test_ruled_lines_are_left_out(paper):
    differences = []
    for digit in DIGITS[:12]:
        found = find_digits(lined(sheet(digit), **paper), SHAPE)
        assert len(found) == 1
        differences.append(np.abs(found[0].image - single(digit)).mean())
    assert np.median(differences) < 0.02  # what the lines cross is a little thinner or thicker


@pytest.mark.parametrize("frame", [(10, 3, 0), (10, 3, 6), (2, 2, 0), (0, 8, 0), (0, 24, 0)])
def test_frames_are_left_out(frame):
    for digit in DIGITS:
        (found,) = find_digits(outlined(sheet(digit), *frame), SHAPE)
        np.testing.assert_allclose(found.image, single(digit), atol=1e-6)


@pytest.mark.parametrize("bar", [0.2, 0.8])
def test_the_title_bar_of_a_window_is_left_out(bar):
    for digit in DIGITS:
        (found,) = find_digits(window(sheet(digit), bar), SHAPE)
        np.testing.assert_allclose(found.image, single(digit), atol=1e-6)


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_that_fills_the_picture_is_no_line_and_no_frame(digit):
    paper = sheet(digit)
    rows, columns = (np.flatnonzero((paper < 1).any(axis=axis)) for axis in (1, 0))
    tight = paper[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    picture = np.pad(tight, 1, constant_values=1.0)
    (found,) = find_digits(picture, SHAPE)
    assert np.array_equal(found.image, prepare_image(picture, SHAPE))
