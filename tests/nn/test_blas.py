"""Bound products, against NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.blas import bind_product

sides = st.integers(1, 8)


@settings(max_examples=80, deadline=None)
@given(
    m=sides,
    k=sides,
    n=sides,
    turned=st.tuples(st.booleans(), st.booleans()),
    beta=st.sampled_from([0.0, 0.5, 1.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_products_of_every_orientation(m, k, n, turned, beta, dtype):
    rng = np.random.default_rng(0)
    left = rng.random((k, m), dtype).T if turned[0] else rng.random((m, k), dtype)
    right = rng.random((n, k), dtype).T if turned[1] else rng.random((k, n), dtype)
    out = rng.random((m, n), dtype)
    expected = 2.0 * (left @ right) + beta * out
    bind_product(left, right, out, beta)(2.0)
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_arrays_that_blas_would_copy_are_refused():
    a = np.zeros((4, 4), np.float32)
    wide = np.zeros((4, 8), np.float32)
    with pytest.raises(ValueError, match="C-ordered"):
        bind_product(wide[:, ::2], a, np.zeros_like(a))
    with pytest.raises(ValueError, match="writable C-ordered"):
        bind_product(a, a, wide[:, ::2])
    with pytest.raises(ValueError, match="cannot multiply"):
        bind_product(a, wide, a)
    with pytest.raises(ValueError, match="float32"):
        bind_product(a, a.astype(np.float64), np.zeros_like(a))
    frozen = np.zeros_like(a)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="writable"):
        bind_product(a, a, frozen)
