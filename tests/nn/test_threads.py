"""Limits of the threads, and who computes what."""

import os
import threading

import numpy as np
import pytest
import threadpoolctl

from nn import arithmetic, operations
from nn.arithmetic import for_product, operations_for
from nn.threads import helpers, in_two_threads, limit_blas_threads


@pytest.fixture
def large(monkeypatch):
    """The operations for large layers, and arguments of a product whose result is 6."""
    monkeypatch.setattr(arithmetic, "LARGE_PRODUCT", 1)
    a, w, b = np.ones((6, 5)), np.ones((4, 5)), np.ones(4, np.float32)
    return for_product(operations_for("exact"), 6, w), (a, w, b, np.zeros((6, 4)))


@pytest.mark.parametrize(("allowed", "threads"), [(1, 1), (2, 2)])
def test_the_halves_of_a_large_product_get_as_many_threads_as_the_caller_allows(
    allowed, threads, large, monkeypatch
):
    seen, all_at_once = [], threading.Barrier(threads)
    affine = operations.affine

    def spy(*arguments):
        seen.append(threading.get_ident())
        all_at_once.wait(60)
        affine(*arguments)

    monkeypatch.setattr(operations, "affine", spy)
    functions, arguments = large
    with threadpoolctl.threadpool_limits(allowed), limit_blas_threads():
        functions.affine(*arguments)
    assert (arguments[-1] == 6).all()
    assert len(seen) == 2
    assert len(set(seen)) == threads


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
def test_a_forked_process_makes_helpers_of_its_own(large):
    functions, arguments = large
    out = arguments[-1]
    with threadpoolctl.threadpool_limits(2), limit_blas_threads():
        functions.affine(*arguments)
        child = os.fork()
        if child == 0:
            out[...] = 0.0
            functions.affine(*arguments)
            # The first call of an operation, which is compiled or loaded now.
            functions.largest(out)
            os._exit(0 if (out == 6).all() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
