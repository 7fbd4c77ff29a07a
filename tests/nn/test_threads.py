"""Limits of the threads, and who computes what."""

import os
import threading

import numpy as np
import pytest
import threadpoolctl

from nn import blas
from nn.blas import bind_gemm
from nn.threads import helpers, in_two_threads, limit_blas_threads


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
    with threadpoolctl.threadpool_limits(allowed), limit_blas_threads():
        product()
    assert len(seen) == threads


@pytest.mark.parametrize("allowed", [2, 3])
def test_both_calls_are_made_by_the_caller_if_no_helper_is_free(allowed):
    started, free, called = (threading.Event() for _ in range(3))
    thread_of = {}

    def prepare_samples():
        started.set()
        free.wait(60)

    def first():
        thread_of["first"] = threading.get_ident()
        if allowed == 3:  # the second helper is free
            assert called.wait(60)

    def second():
        thread_of["second"] = threading.get_ident()
        called.set()

    with threadpoolctl.threadpool_limits(allowed), limit_blas_threads():
        prepared = helpers().submit(prepare_samples)
        assert started.wait(60)
        in_two_threads(first, second)
        assert not prepared.done()
        free.set()
        prepared.result()
    assert thread_of["first"] == threading.get_ident()
    assert (thread_of["second"] == thread_of["first"]) == (allowed == 2)


def test_limits_of_several_users_at_a_time():
    def threads():
        pools = threadpoolctl.threadpool_info()
        return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}

    with threadpoolctl.threadpool_limits(2):
        first, second = limit_blas_threads(), limit_blas_threads()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_makes_helpers_of_its_own(monkeypatch):
    monkeypatch.setattr(blas, "LARGE_PRODUCT", 1)
    a = np.ones((6, 6), np.float32)
    out = np.empty_like(a)
    product = bind_gemm(a, a, out)
    with threadpoolctl.threadpool_limits(2), limit_blas_threads():
        product()
        child = os.fork()
        if child == 0:
            out[...] = 0.0
            product()
            os._exit(0 if (out == 6).all() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
