"""Bound products, against NumPy's."""

import os
import threading
from unittest import mock

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import blas
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


@pytest.mark.parametrize(("allowed", "threads"), [(1, 1), (2, 2)])
def test_the_halves_of_a_large_product_get_as_many_threads_as_the_caller_allows(
    allowed, threads, monkeypatch
):
    seen, all_at_once = set(), threading.Barrier(threads)
    bind_unlocked = blas.bind_unlocked_gemm

    def spy(*arrays):
        product = bind_unlocked(*arrays)

        def call(*factors):
            seen.add(threading.get_ident())
            all_at_once.wait(60)
            product(*factors)

        return call

    monkeypatch.setattr(blas, "LARGE_PRODUCT", 1)
    monkeypatch.setattr(blas, "bind_unlocked_gemm", spy)
    a = np.ones((6, 6), np.float32)
    product = bind_gemm(a, a, np.empty_like(a))
    with threadpoolctl.threadpool_limits(allowed), blas.limit_blas_threads():
        product()
    assert len(seen) == threads


@pytest.mark.parametrize(("allowed", "threads"), [(2, 1), (3, 2)])
def test_another_thread_helps_while_one_is_busy_where_there_are_three(allowed, threads):
    started, free, seen = threading.Event(), threading.Event(), []

    def prepare_samples():
        started.set()
        free.wait(60)

    def first():
        seen.append(threading.get_ident())
        if threads == 2:
            assert called.wait(60)

    def second():
        seen.append(threading.get_ident())
        called.set()

    called = threading.Event()
    with threadpoolctl.threadpool_limits(allowed), blas.limit_blas_threads():
        prepared = blas.helpers().submit(prepare_samples)
        assert started.wait(60)
        blas.in_two_threads(first, second)
        free.set()
        prepared.result()
    assert len(set(seen)) == threads


def test_the_caller_makes_both_calls_if_the_second_thread_is_busy():
    started, free, seen = threading.Event(), threading.Event(), []

    def keep_busy():
        started.set()
        free.wait(60)

    def call():
        seen.append(threading.get_ident())

    def both():
        assert started.wait(60)
        blas.in_two_threads(call, call)
        seen.append(threading.get_ident())
        free.set()

    with threadpoolctl.threadpool_limits(2), blas.limit_blas_threads():
        blas.in_two_threads(both, keep_busy)
    assert seen == [threading.get_ident()] * 3


def test_limits_of_several_users_at_a_time():
    def threads():
        pools = threadpoolctl.threadpool_info()
        return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}

    with threadpoolctl.threadpool_limits(2):
        first, second = blas.limit_blas_threads(), blas.limit_blas_threads()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_makes_a_second_thread_of_its_own(monkeypatch):
    monkeypatch.setattr(blas, "LARGE_PRODUCT", 1)
    a = np.ones((6, 6), np.float32)
    out = np.empty_like(a)
    product = bind_gemm(a, a, out)
    with threadpoolctl.threadpool_limits(2), blas.limit_blas_threads():
        product()
        child = os.fork()
        if child == 0:
            out[...] = 0.0
            product()
            os._exit(0 if (out == 6).all() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
