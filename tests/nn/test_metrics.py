"""Expected calibration error, worked by hand."""

import numpy as np
import pytest

from nn import expected_calibration_error


def test_a_case_worked_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, True, True, False, True, False])
    # 4/6 of the samples: |0.75 - 0.95|; 2/6: |0.5 - 0.55|.
    expected = 4 / 6 * 0.2 + 2 / 6 * 0.05
    assert expected_calibration_error(confidence, correct, 10) == pytest.approx(expected)


def test_bins_are_closed_at_their_upper_end():
    # 0.5 belongs to (0, 0.5]: with two bins the errors of +0.5 and -0.4 cannot cancel out.
    confidence, correct = np.array([0.5, 0.6]), np.array([True, False])
    assert expected_calibration_error(confidence, correct, 2) == pytest.approx((0.5 + 0.6) / 2)


def test_honest_and_dishonest_extremes():
    sure = np.ones(5)
    assert expected_calibration_error(sure, np.ones(5, bool)) == 0
    assert expected_calibration_error(sure, np.zeros(5, bool)) == 1
    assert expected_calibration_error(np.zeros(2), np.zeros(2, bool)) == 0


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        expected_calibration_error(np.empty(0), np.empty(0, bool))
    with pytest.raises(ValueError, match="at least one"):
        expected_calibration_error(np.ones(1), np.ones(1, bool), 0)
