"""Shadows, objects and dirt on photographs do not change what is found."""

import numpy as np
import pytest
from PIL import Image
from sheets import DIGITS

from stages.common.photographs.segmentation import find_digits
from stages.common.photographs.verdict import FLAW_MARGIN

SHAPE = (28, 28)
Y, X = np.mgrid[:240, :300]


def written(digit):
    """A thin digit on white paper; its pixels are smooth."""
    large = Image.fromarray(np.rint(digit * 255).astype(np.uint8)).resize((96, 96))
    paper = np.ones(Y.shape)
    paper[70:166, 100:196] = 1 - 0.8 * np.asarray(large) / 255
    return paper


def found(picture):
    (digit,) = find_digits(picture, SHAPE)
    return digit


def shade(picture, mask, depth):
    return picture * np.where(mask, 1 - depth, 1.0)


FLAWS = {
    "shadow from the left": lambda p: shade(p, X < 150, 0.35),
    "shadow from a corner": lambda p: shade(p, X + Y < 250, 0.2),
    "soft shadow": lambda p: p * (1 - 0.4 / (1 + np.exp((X - 150) / 8))),
    "thumb": lambda p: np.where(np.hypot((X - 30) / 25, (Y - 240) / 60) < 1, 0.5, p),
    "corner of the desk": lambda p: np.where(X + Y < 80, 0.2, p),
    "edge of the desk": lambda p: np.where(X > 280 + Y / 20, 0.2, p),
    "paper on a desk": lambda p: np.where(
        (np.abs(X - 150) < 135) & (np.abs(Y - 120) < 105), p, 0.2
    ),
    "circle": lambda p: np.where(np.abs(np.hypot(X - 148, Y - 118) - 90) < 3, 0.2, p),
    "punch hole": lambda p: np.where(np.hypot(X - 30, Y - 120) < 12, 0.0, p),
    "underlined": lambda p: np.where((np.abs(Y - 182) < 4) & (np.abs(X - 148) < 60), 0.2, p),
    "minus": lambda p: np.where((np.abs(Y - 120) < 4) & (np.abs(X - 70) < 18), 0.2, p),
    "one dark pixel": lambda p: np.where((Y == 20) & (X == 280), 0.0, p),
    "specks": lambda p: np.where((Y % 110 < 3) & (X % 140 < 3), 0.0, p),
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
@pytest.mark.parametrize("noise", [0.0, 0.015])
def test_the_digit_is_found_as_without_the_flaw_but_is_doubted_earlier(flaw, noise):
    rng = np.random.default_rng(0)
    differences = []
    for digit in DIGITS[:10]:
        clean = written(digit)
        assert found(clean).least_margin != FLAW_MARGIN
        digits = find_digits(np.clip(flaw(clean) + rng.normal(0, noise, Y.shape), 0, 1), SHAPE)
        assert all(one.least_margin >= FLAW_MARGIN for one in digits)
        if len(digits) == 1:
            differences.append(np.abs(digits[0].image - found(clean).image).mean())
    assert len(differences) >= 9
    assert np.median(differences) < 0.05


@pytest.mark.parametrize(("rows", "columns"), [(3, 1), (3, 3), (4, 2), (8, 4)])
def test_tables_are_left_out(rows, columns):
    small = np.asarray(Image.fromarray(np.rint(DIGITS[3] * 255).astype(np.uint8)).resize((40, 40)))
    cell = np.ones((70, 60))
    cell[15:55, 10:50] = 1 - small / 255
    table = np.pad(np.tile(cell, (rows, columns)), 20, constant_values=1.0)
    for y in range(20, len(table), 70):
        table[y - 1 : y + 1, 19:-19] = 0
    for x in range(20, table.shape[1], 60):
        table[19:-19, x - 1 : x + 1] = 0
    assert len(find_digits(table, SHAPE)) == rows * columns


def test_digits_at_the_border_of_a_narrow_picture_are_kept():
    row = np.concatenate([written(DIGITS[k])[60:176, 100:196] for k in (3, 4, 2)], axis=1)
    assert len(find_digits(row[10:106], SHAPE)) == 3
