"""Matrix products for the training step: one BLAS, threads that do not change results, in place.

Why not `np.matmul`? Three reasons:

- BLAS computes `out ← alpha · left @ right + beta · out`. With that, a gradient-descent update is
  one call that never stores the gradient; `np.matmul` has no `alpha` and no `beta`.
- The wheels of NumPy and SciPy each carry an OpenBLAS with a thread pool of its own. Using both in
  turn makes the pools fight for the cores, so every product here goes through SciPy's.
- OpenBLAS rounds differently with another number of threads, and threads make small products
  slower. So it gets one thread here, always. A large product is made in two halves, always the same
  two: at the same time where the caller lets BLAS have two threads, else one after the other.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cython_blas, get_blas_funcs
from threadpoolctl import ThreadpoolController

Array = NDArray[np.floating]
Product = Callable[..., object]

# Multiplications from which on a product is made in halves: 0.3 ms of one thread's work, several
# times what it takes to wake a second one.
_LARGE = 2**24


class _Threads:
    """Of this process: BLAS has one setting for all."""

    lock = threading.Lock()
    users = 0
    two_allowed = False
    restore: Callable[[], None]


@contextmanager
def single_threaded() -> Iterator[None]:
    """A context with one BLAS thread, in which large products may still use two of ours.

    They do if BLAS had two or more before: `OMP_NUM_THREADS=1`, `threadpool_limits(1)` and the
    workers of joblib are respected.
    """
    with _Threads.lock:
        if _Threads.users == 0:
            pools = _controller().info()
            _Threads.two_allowed = any(
                pool["num_threads"] > 1 for pool in pools if pool["user_api"] == "blas"
            )
            limit = _controller().limit(limits=1, user_api="blas")
            _Threads.restore = limit.restore_original_limits
        _Threads.users += 1
    try:
        yield
    finally:
        with _Threads.lock:
            _Threads.users -= 1
            if _Threads.users == 0:
                _Threads.restore()


@cache
def _controller() -> ThreadpoolController:
    # Looking for the loaded BLAS libraries takes milliseconds, setting their threads microseconds.
    return ThreadpoolController()


@cache
def _second_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "blas")


def _after_fork() -> None:
    # A forked process has this thread only: none to help, none that holds the lock or a limit.
    _second_thread.cache_clear()
    _Threads.lock = threading.Lock()
    if _Threads.users:
        _Threads.users = 0
        _Threads.restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def bind_product(left: Array, right: Array, out: Array) -> Product:
    """Prepare `out ← alpha · left @ right + beta · out`; run it by calling `product(alpha, beta)`.

    Left out, `alpha` is 1 and `beta` 0. The arrays are looked at once, here: a check at every call
    would take as long as a small product.

    Args:
        left: (m, k), C-ordered or the transpose of a C-ordered array; float32 or float64.
        right: (k, n), likewise, of the same dtype.
        out: (m, n), C-ordered, of the same dtype; overwritten by every call.

    Raises:
        ValueError: If BLAS could not work on these arrays in place. (SciPy's wrapper would copy
            them without a word, and the result would be lost.)
    """
    if left.shape[1] != right.shape[0] or out.shape != (left.shape[0], right.shape[1]):
        raise ValueError(f"cannot multiply {left.shape} by {right.shape} into {out.shape}")
    if not (left.dtype == right.dtype == out.dtype and out.dtype in (np.float32, np.float64)):
        raise ValueError("the arrays of a product must all be float32 or all float64")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError("the result of a product must be a writable C-ordered array")
    for operand in (left, right):
        if not (operand.flags.c_contiguous or operand.flags.f_contiguous):
            raise ValueError("an operand must be C-ordered, or the transpose of such an array")
    if left.size * right.shape[1] >= _LARGE and len(left) > 1:
        return _bind_halves(left, right, out)
    # BLAS counts in columns: the transpose of a C-ordered array is what it takes as it is, and
    # (left @ right).T == right.T @ left.T.
    a, trans_a = (right.T, 0) if right.flags.c_contiguous else (right, 1)
    b, trans_b = (left.T, 0) if left.flags.c_contiguous else (left, 1)
    c = out.T
    gemm = get_blas_funcs("gemm", dtype=out.dtype)

    def product(alpha: float = 1.0, beta: float = 0.0) -> None:
        # By position: by name, SciPy's wrapper takes twice as long. The last 1: overwrite c.
        gemm(alpha, a, b, beta, c, trans_a, trans_b, 1)

    return product


def bind_row_sum(rows: Array, out: Array) -> Product:
    """Prepare `out ← alpha · (sum of the rows) + beta · out`, as `bind_product` does.

    Args:
        rows: (m, n), C-ordered; float32 or float64.
        out: (n,), contiguous, of the same dtype; overwritten by every call.
    """
    if out.shape != rows.shape[1:] or out.dtype != rows.dtype:
        raise ValueError(f"rows of shape {rows.shape} do not add up to {out.shape}")
    if not (rows.flags.c_contiguous and out.flags.contiguous and out.flags.writeable):
        raise ValueError("the arrays of a row sum must be C-ordered, the result writable")
    columns, ones = rows.T, np.ones(len(rows), out.dtype)
    gemv = get_blas_funcs("gemv", dtype=out.dtype)

    def row_sum(alpha: float = 1.0, beta: float = 0.0) -> None:
        # After `out`: offsets 0 and steps 1 of both vectors, not transposed, overwrite `out`.
        gemv(alpha, columns, ones, beta, out, 0, 1, 0, 1, 0, 1)

    return row_sum


def _bind_halves(left: Array, right: Array, out: Array) -> Product:
    middle = len(left) // 2
    upper = _bind_unlocked(left[:middle], right, out[:middle])
    lower = _bind_unlocked(left[middle:], right, out[middle:])

    def product(alpha: float = 1.0, beta: float = 0.0) -> None:
        if _Threads.two_allowed:
            other = _second_thread().submit(lower, alpha, beta)
            upper(alpha, beta)
            other.result()
        else:
            upper(alpha, beta)
            lower(alpha, beta)

    return product


def _bind_unlocked(left: Array, right: Array, out: Array) -> Product:
    """As `bind_product`; Python's other threads run meanwhile, which SciPy's wrapper prevents.

    Takes slices of rows, too. The call takes longer than the wrapper's: nothing for small products.
    """
    real = ctypes.c_float if out.dtype == np.float32 else ctypes.c_double
    (m, k), n = left.shape, right.shape[1]
    operands = []
    for operand in (right, left):
        along_rows = operand.strides[1] == operand.itemsize
        transposed = ctypes.c_char(b"N" if along_rows else b"T")
        operands.append((transposed, operand, _leading(operand if along_rows else operand.T)))
    (trans_a, a, lda), (trans_b, b, ldb) = operands
    sizes = [ctypes.c_int(size) for size in (n, m, k)]
    ldc = _leading(out)
    function, reference = _blas_function(f"{out.dtype.char.replace('f', 's')}gemm"), ctypes.byref

    def product(alpha: float = 1.0, beta: float = 0.0) -> None:
        function(
            reference(trans_a), reference(trans_b), *map(reference, sizes),
            reference(real(alpha)), a.ctypes.data, reference(lda), b.ctypes.data, reference(ldb),
            reference(real(beta)), out.ctypes.data, reference(ldc),
        )  # fmt: skip

    return product


def _leading(array: Array) -> ctypes.c_int:
    """BLAS's leading dimension of a C-ordered array, or of some of its rows or columns."""
    # The step from row to row, in elements; NumPy may say anything if there is one row only.
    return ctypes.c_int(max(array.strides[0] // array.itemsize, array.shape[1]))


@cache
def _blas_function(name: str) -> Callable[..., None]:
    """SciPy's BLAS as it offers it to compiled code: `scipy.linalg.cython_blas`."""
    capsule = cython_blas.__pyx_capi__[name]
    python = ctypes.pythonapi
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", python))
    address_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", python)
    )
    address = address_of(capsule, name_of(capsule))
    # gemm takes 13 addresses: transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc.
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(address)
