"""The threads that training and prediction use: one for BLAS, and helpers beside it.

OpenBLAS rounds differently with another number of threads, and small products are slower with more
than one. Here it always has one thread. A helper prepares the next samples (see `training.inputs`),
and computes half of a large operation when it is free (see `arithmetic`).
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache, partial

from threadpoolctl import ThreadpoolController


class _Limit:
    """How many threads BLAS may use, which the whole process shares."""

    lock = threading.Lock()
    users = 0
    allowed = 1
    restore: Callable[[], None]


@contextmanager
def limit_blas_threads() -> Iterator[None]:
    """Context manager that limits BLAS to one thread.

    Large products use a helper too if BLAS had two threads or more before: the limits of
    `OMP_NUM_THREADS=1`, `threadpool_limits(1)` and joblib's workers are respected.
    """
    with _Limit.lock:
        if _Limit.users == 0:
            pools = _controller().info()
            _Limit.allowed = max(
                (pool["num_threads"] for pool in pools if pool["user_api"] == "blas"), default=1
            )
            limit = _controller().limit(limits=1, user_api="blas")
            _Limit.restore = limit.restore_original_limits
        _Limit.users += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.users -= 1
            if _Limit.users == 0:
                _Limit.restore()


@cache
def _controller() -> ThreadpoolController:
    # Cached, because finding the loaded BLAS libraries takes milliseconds.
    return ThreadpoolController()


class _Helpers(threading.local):
    """The pools of threads that help each thread, by their size."""

    def __init__(self) -> None:
        self.pools: dict[int, ThreadPoolExecutor] = {}
        self.is_helper = False


_helpers = _Helpers()


def helpers() -> ThreadPoolExecutor:
    """Threads that help the calling one to train: two where BLAS may use three threads, or one.

    On two cores, a third thread would take turns with the other two.
    """
    size, pools = 1 if _Limit.allowed < 3 else 2, _helpers.pools
    if size not in pools:
        become_helper = partial(setattr, _helpers, "is_helper", True)
        pools[size] = ThreadPoolExecutor(size, "helper", become_helper)
    return pools[size]


def in_two_threads(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Make two calls in two threads, or one after the other if BLAS is limited to one thread.

    Also one after the other in a helper, and if no other thread has started the second call when
    the first is done: it may prepare samples, or other programs may use all cores.
    """
    other = None
    if _Limit.allowed > 1 and not _helpers.is_helper:
        other = helpers().submit(copy_context().run, second)  # with the caller's `np.errstate`
    first()
    if other is None or other.cancel():
        second()
    else:
        other.result()


def _after_fork() -> None:
    # A forked process has the forking thread only; locks and limits of other threads are invalid.
    _helpers.pools.clear()
    _Limit.lock = threading.Lock()
    if _Limit.users:
        _Limit.users = 0
        _Limit.restore()


os.register_at_fork(after_in_child=_after_fork)
