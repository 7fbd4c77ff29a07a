"""Scaling of raw pixels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nn import scale


@given(arrays(np.uint8, array_shapes(max_dims=2, max_side=6)))
def test_bytes_become_fractions_of_255(pixels):
    scaled = scale(pixels, (0.0, 255.0))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, pixels / 255, rtol=1e-6)


@given(
    arrays(np.float32, (5,), elements=st.floats(-1e6, 1e6, width=32)),
    st.floats(-100, 100),
    st.floats(1, 1000),
)
def test_results_stay_in_the_unit_interval(pixels, low, width):
    kept = pixels.copy()
    scaled = scale(pixels, (low, low + width))
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    np.testing.assert_array_equal(pixels, kept)
