"""The rule that decides whether a prediction is reliable."""

import pytest

from tools.photographs.verdict import UNLIKE, UNSURE, verdict


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.01, 0.98, 0.02], None),
        ([0.71, 0.01, 0.02], None),
        ([0.69, 0.01, 0.02], UNSURE),
        ([0.98, 0.50, 0.02], UNSURE),
        ([0.98, 0.01, 0.48], None),
        ([0.29, 0.01, 0.02], UNLIKE),
        ([0.002, 0.0, 0.0], UNLIKE),  # its probability is 100 %
        ([0.9, 0.1], None),
    ],
)
def test_low_and_close_scores_are_doubted(scores, expected):
    assert verdict(scores) == expected
