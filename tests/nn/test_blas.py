"""Bound products, against NumPy's."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.blas import bind_gemm, bind_row_sum

sides = st.integers(1, 8)


@settings(max_examples=80, deadline=None)
@given(
    m=sides,
    k=sides,
    n=sides,
    turned=st.tuples(st.booleans(), st.booleans()),
    beta=st.sampled_from([0.0, 0.5, 1.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
    large=st.sampled_from([1, 2**24]),
)
def test_products_of_every_orientation(m, k, n, turned, beta, dtype, large):
    rng = np.random.default_rng(0)
    left = rng.random((k, m), dtype).T if turned[0] else rng.random((m, k), dtype)
    right = rng.random((n, k), dtype).T if turned[1] else rng.random((k, n), dtype)
    out = rng.random((m, n), dtype)
    expected = 2.0 * (left @ right) + beta * out
    with mock.patch("nn.blas.LARGE_PRODUCT", large):
        product = bind_gemm(left, right, out)
    product(2.0, beta)
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_arrays_that_blas_would_copy_are_refused():
    a = np.zeros((4, 4), np.float32)
    wide = np.zeros((4, 8), np.float32)
    with pytest.raises(ValueError, match="C-ordered"):
        bind_gemm(wide[:, ::2], a, np.zeros_like(a))
    with pytest.raises(ValueError, match="writable C-ordered"):
        bind_gemm(a, a, wide[:, ::2])
    with pytest.raises(ValueError, match="expected shapes"):
        bind_gemm(a, wide, a)
    with pytest.raises(ValueError, match="float32"):
        bind_gemm(a, a.astype(np.float64), np.zeros_like(a))
    frozen = np.zeros_like(a)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="writable"):
        bind_gemm(a, a, frozen)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_row_sums(dtype):
    rows = np.random.default_rng(0).random((7, 4), dtype)
    out = np.arange(4, dtype=dtype)
    add = bind_row_sum(rows, out)
    expected = 0.5 * out - 2.0 * rows.sum(axis=0)
    add(-2.0, 0.5)
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="expected out of shape and type"):
        bind_row_sum(rows, np.zeros(7, dtype))
    with pytest.raises(ValueError, match="C-ordered"):
        bind_row_sum(rows.T.copy().T, out)
