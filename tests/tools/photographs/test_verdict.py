"""The rule that decides whether a prediction is reliable."""

import pytest

from tools.photographs.verdict import UNLIKE, UNSURE, verdict


@pytest.mark.parametrize(
    ("scores", "expected", "suspect"),
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
def test_low_and_close_scores_are_doubted(scores, expected, suspect):
    assert verdict(scores) == expected
    assert verdict(scores, is_suspect=True) == suspect
