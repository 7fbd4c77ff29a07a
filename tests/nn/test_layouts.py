"""How arrays lie in memory, and which images are sparse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.layouts import by_inputs, in_lines, is_sparse


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 20),
    columns=st.integers(1, 70),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_rows_in_whole_lines(rows, columns, dtype):
    array = in_lines(rows, columns, dtype)
    assert array.dtype == dtype
    assert len(array) == rows
    assert columns <= array.shape[1] < columns + 16
    assert array.flags.c_contiguous
    assert array.flags.aligned
    assert array.flags.writeable
    assert array.ctypes.data % 64 == array.strides[0] % 64 == 0
    assert not array.any()
    array[...] = 1.0
    other = in_lines(rows, columns, dtype)
    assert not other.any()


def test_weights_by_inputs_are_the_same_weights():
    w = np.arange(12.0).reshape(3, 4)
    found = by_inputs(w)
    np.testing.assert_array_equal(found, w)
    assert found.flags.f_contiguous
    assert not np.shares_memory(found, w)
    assert np.shares_memory(by_inputs(found), found)


@pytest.mark.parametrize("n", [1, 16, 999, 1000, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_images_are_sparse_if_most_pixels_are_0(n, dtype):
    images = np.ones((n, 10), dtype)
    for zeros, expected in ((0, False), (4, False), (5, False), (7, True), (10, True)):
        images[...] = 1
        images[:, :zeros] = 0
        assert is_sparse(images) == expected


def test_very_wide_images_are_not_sparse():
    for columns, expected in ((2**16, True), (2**16 + 1, False)):
        assert is_sparse(np.zeros((2, columns), np.float32)) == expected
