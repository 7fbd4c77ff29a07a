"""Matrix products for the training step: one BLAS, a bounded number of threads, results in place.

Why not `np.matmul`? Two reasons:

- The wheels of NumPy and SciPy each carry an OpenBLAS with a thread pool of its own. Using both in
  turn makes the pools fight for the cores, so every product here goes through SciPy's.
- BLAS computes `out = alpha * left @ right + beta * out`. With that, a gradient-descent update is
  one call that never stores the gradient; `np.matmul` has no `alpha` and no `beta`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs
from threadpoolctl import ThreadpoolController

Array = NDArray[np.floating]


@cache
def _controller() -> ThreadpoolController:
    # Looking for the loaded BLAS libraries takes milliseconds, setting their threads microseconds.
    return ThreadpoolController()


def single_threaded() -> AbstractContextManager:
    """A context with one BLAS thread: results then do not depend on the number of cores."""
    return _controller().limit(limits=1, user_api="blas")


def bind_product(left: Array, right: Array, out: Array, beta: float = 0.0) -> Callable[..., Array]:
    """Prepare `out ← alpha · left @ right + beta · out`; call the result with `alpha` to run it.

    Args:
        left: (m, k), C-ordered or the transpose of a C-ordered array; float32 or float64.
        right: (k, n), likewise, of the same dtype.
        out: (m, n), C-ordered, of the same dtype; overwritten by every call.
        beta: How much of the old `out` is kept. A call may override it: `product(alpha, beta=…)`.

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
    # BLAS counts in columns: the transpose of a C-ordered array is what it takes as it is, and
    # (left @ right).T == right.T @ left.T.
    a, trans_a = _column_major(right)
    b, trans_b = _column_major(left)
    gemm = get_blas_funcs("gemm", dtype=out.dtype)
    return partial(
        gemm, a=a, b=b, beta=beta, c=out.T, trans_a=trans_a, trans_b=trans_b, overwrite_c=1
    )


def _column_major(operand: Array) -> tuple[Array, int]:
    """The operand's transpose as BLAS wants it, and whether BLAS has to transpose it."""
    if operand.flags.c_contiguous:
        return operand.T, 0
    if operand.flags.f_contiguous:
        return operand, 1
    raise ValueError("an operand of a product must be C-ordered or the transpose of such an array")
