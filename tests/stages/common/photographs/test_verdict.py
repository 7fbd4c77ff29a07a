"""The rule that decides whether a prediction is reliable."""

import numpy as np
import pytest

from stages.common.photographs.verdict import (
    CROSSED_MARGIN,
    FLAW_MARGIN,
    LEAST_MARGIN,
    UNLIKE,
    UNSURE,
    least_margin_of,
    verdict,
)


@pytest.mark.parametrize(
    ("scores", "expected", "with_flaw"),
    [
        ([0.01, 0.98, 0.02], None, None),
        ([0.71, 0.01, 0.02], None, UNSURE),
        ([0.44, 0.30, 0.02], UNSURE, UNSURE),
        ([0.46, 0.30, 0.02], None, UNSURE),
        ([0.98, 0.09, 0.02], None, UNSURE),
        ([0.98, 0.90, 0.48], UNSURE, UNSURE),
        ([0.29, 0.01, 0.02], UNLIKE, UNLIKE),
        ([0.002, 0.0, 0.0], UNLIKE, UNLIKE),  # its probability is 100 %
        ([0.98, 0.02], None, None),
    ],
)
def test_low_and_close_scores_are_doubted(scores, expected, with_flaw):
    assert verdict(scores) == expected
    assert verdict(scores, FLAW_MARGIN) == with_flaw


def test_an_image_whose_rows_cross_many_strokes_needs_a_larger_margin():
    one, two = np.zeros((28, 28)), np.zeros((28, 28))
    one[4:24, 10:18] = two[4:24, 3:11] = two[4:24, 17:25] = 0.5
    one[6:22, 12:16] = two[6:22, 5:9] = two[6:22, 19:23] = 0.1  # zeros: beside each other, faint
    two[14, 11:17] = 0.5
    assert least_margin_of(one[4:14], has_flaw=False) == CROSSED_MARGIN  # the arch of an n
    one[6:12, 12:16] = 0.5
    assert least_margin_of(one, has_flaw=False) == LEAST_MARGIN
    assert least_margin_of(one, has_flaw=True) == FLAW_MARGIN
    assert least_margin_of(two, has_flaw=True) == CROSSED_MARGIN
