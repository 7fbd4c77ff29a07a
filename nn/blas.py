"""Matrix products in place, whose results do not depend on the number of threads.

They replace `np.matmul` in training for three reasons:

- BLAS computes `out ← alpha · left @ right + beta · out`. An update of gradient descent is one such
  call, without an array for the gradient; `np.matmul` has no `alpha` and `beta`.
- The wheels of NumPy and SciPy each contain an OpenBLAS with its own thread pool, and the two pools
  compete for the cores when both are used. Here all products use SciPy's.
- OpenBLAS rounds differently with another number of threads, and small products are slower with
  more than one. Here it always uses one thread. A large product is computed in two fixed halves: in
  parallel if the caller allows BLAS two threads, otherwise one after the other.
"""

import ctypes
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy import LowLevelCallable
from scipy.linalg import cython_blas, get_blas_funcs

from nn.threads import in_two_threads

Array = NDArray[np.floating]
Product = Callable[..., object]

# Products with at least this number of multiplications are computed in halves. One thread needs
# 0.3 ms for them, several times as long as it takes to wake a second thread.
LARGE_PRODUCT = 2**24


def bind_gemm(left: Array, right: Array, out: Array) -> Product:
    """Return a function of (alpha, beta) that computes `out ← alpha · left @ right + beta · out`.

    By default `alpha` is 1 and `beta` is 0. The arrays are checked here and not in each call,
    because a check takes as long as a small product.

    Args:
        left: (m, k), C-ordered or the transpose of a C-ordered array; float32 or float64.
        right: (k, n), likewise, of the same dtype.
        out: (m, n), C-ordered, of the same dtype; each call overwrites it.

    Raises:
        ValueError: If BLAS cannot use these arrays in place. (SciPy's wrapper would write the
            result to a copy.)
    """
    if left.shape[1] != right.shape[0] or out.shape != (left.shape[0], right.shape[1]):
        shapes = f"{left.shape}, {right.shape}, {out.shape}"
        raise ValueError(f"expected shapes (m, k), (k, n), (m, n), got {shapes}")
    if not (left.dtype == right.dtype == out.dtype and out.dtype in (np.float32, np.float64)):
        types = f"{left.dtype}, {right.dtype}, {out.dtype}"
        raise ValueError(f"expected arrays that are all float32 or all float64, got {types}")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError("out: expected a writable C-ordered array")
    for operand in (left, right):
        if not (operand.flags.c_contiguous or operand.flags.f_contiguous):
            raise ValueError("expected operands that are C-ordered or transposes of such arrays")
    if left.size * right.shape[1] >= LARGE_PRODUCT and len(left) > 1:
        return _bind_halves(left, right, out)
    # BLAS expects column-major arrays, such as the transposes of C-ordered arrays, and
    # (left @ right).T == right.T @ left.T.
    a, trans_a = (right.T, 0) if right.flags.c_contiguous else (right, 1)
    b, trans_b = (left.T, 0) if left.flags.c_contiguous else (left, 1)
    c = out.T
    gemm = get_blas_funcs("gemm", dtype=out.dtype)

    def product(alpha: float = 1.0, beta: float = 0.0) -> None:
        # Positional arguments, because keywords take twice as long. The last 1 is overwrite_c.
        gemm(alpha, a, b, beta, c, trans_a, trans_b, 1)

    return product


def bind_row_sum(rows: Array, out: Array) -> Product:
    """Return a function of (alpha, beta) that computes `out ← alpha · (sum of rows) + beta · out`.

    Args:
        rows: (m, n), C-ordered; float32 or float64.
        out: (n,), contiguous, of the same dtype; each call overwrites it.

    Raises:
        ValueError: If BLAS cannot use these arrays in place.
    """
    if out.shape != rows.shape[1:] or out.dtype != rows.dtype:
        expected, got = f"{rows.shape[1:]} {rows.dtype}", f"{out.shape} {out.dtype}"
        raise ValueError(f"expected out of shape and type {expected}, got {got}")
    if not (rows.flags.c_contiguous and out.flags.contiguous and out.flags.writeable):
        raise ValueError("expected C-ordered arrays and a writable out")
    columns, ones = rows.T, np.ones(len(rows), out.dtype)
    gemv = get_blas_funcs("gemv", dtype=out.dtype)

    def row_sum(alpha: float = 1.0, beta: float = 0.0) -> None:
        # offx 0, incx 1, offy 0, incy 1, trans 0, overwrite_y 1
        gemv(alpha, columns, ones, beta, out, 0, 1, 0, 1, 0, 1)

    return row_sum


def _bind_halves(left: Array, right: Array, out: Array) -> Product:
    middle = len(left) // 2
    upper = bind_unlocked_gemm(left[:middle], right, out[:middle])
    lower = bind_unlocked_gemm(left[middle:], right, out[middle:])

    return lambda alpha=1.0, beta=0.0: in_two_threads(
        partial(upper, alpha, beta), partial(lower, alpha, beta)
    )


def bind_unlocked_gemm(left: Array, right: Array, out: Array) -> Product:
    """Bind as `bind_gemm` does, to a call that releases the GIL, unlike SciPy's wrapper.

    The arrays may be slices of rows or columns of C-ordered arrays. A call takes longer than with
    the wrapper, which matters for small products only.
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
    factors = real(), real()
    function, reference = _blas_function(f"{out.dtype.char.replace('f', 's')}gemm"), ctypes.byref
    arguments = (
        reference(trans_a), reference(trans_b), *map(reference, sizes),
        reference(factors[0]), a.ctypes.data, reference(lda), b.ctypes.data, reference(ldb),
        reference(factors[1]), out.ctypes.data, reference(ldc),
    )  # fmt: skip

    def product(alpha: float = 1.0, beta: float = 0.0) -> None:
        factors[0].value, factors[1].value = alpha, beta
        function(*arguments)

    # The arguments are addresses; these arrays must live as long as they do.
    product.arrays = left, right, out  # type: ignore[attr-defined]
    return product


def _leading(array: Array) -> ctypes.c_int:
    """Leading dimension in BLAS's sense, of a C-ordered array or of some of its rows or columns."""
    # The distance between rows, in elements; the stride of an array of one row has no meaning.
    return ctypes.c_int(max(array.strides[0] // array.itemsize, array.shape[1]))


@cache
def _blas_function(name: str) -> Callable[..., None]:
    """A function of SciPy's BLAS, by its name in `scipy.linalg.cython_blas`."""
    exported = LowLevelCallable.from_cython(cython_blas, name)
    address_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    # The capsule is named by the function's signature.
    address = address_of(exported.function, exported.signature.encode())
    # gemm takes 13 addresses: transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc.
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(address)
