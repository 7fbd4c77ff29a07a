"""The range of the pixels, and pixels of any finite value."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.images.info import DatasetInfo
from stages import preprocess
from stages.common.command_line.errors import StageError
from stages.common.photographs.framing import framing_of


def test_pixel_range_by_type_or_by_data():
    def scale_of(*pixels, dtype=np.uint8):
        return preprocess.pixel_range(np.array([pixels], dtype), Path("raw"))

    assert scale_of(0, 255) == scale_of(3, 130) == (0, 255)
    assert scale_of(0, 16) == (0, 16)
    assert scale_of(0.0, 0.5, dtype=np.float32) == (0, 0.5)
    assert scale_of(-1.0, 1.0, dtype=np.float32) == (-1, 1)
    with pytest.raises(StageError, match=r"raw/images\.npy: expected different pixel values"):
        scale_of(0, 0)


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(images=hnp.arrays(np.float32, (6, 9), elements=FINITE | st.sampled_from([0.0, 3e38, -3e38])))
def test_any_finite_pixels_are_scaled_or_refused(images):
    try:
        pixel_range = preprocess.pixel_range(images, Path("raw"))
    except StageError:
        assert not np.ptp(images.astype(np.float64)) or np.ptp(images.astype(np.float64)) > 3.4e38
        return
    for ends in (pixel_range, pixel_range[::-1]):
        inputs = DatasetInfo(("a", "b"), ends, (3, 3)).prepare(images)
        assert inputs.min() >= 0
        assert inputs.max() <= 1
        framing = framing_of(inputs, (3, 3))
        assert np.isfinite(framing.numbers()).all()


def test_a_nan_far_into_the_data_is_found():
    images = np.zeros((9_000, 2), np.float32)
    images[0, 0], images[8_500, 1] = 1, np.nan
    with pytest.raises(StageError, match=r"raw/images\.npy: expected finite pixel values"):
        preprocess.pixel_range(images, Path("raw"))
