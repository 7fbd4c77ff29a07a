"""How arrays lie in memory, on which the time of a product depends, but never its result."""

import math

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Bytes of a line of the processor's cache.
_LINE = 64
# Rows with a larger share of numbers that are not 0 are multiplied faster as a whole.
_SPARSE = 0.4
# Columns of sparse rows are 16-bit integers.
_MOST_COLUMNS = 2**16


def by_inputs(w: NDArray) -> NDArray:
    """The same weights, (units, inputs), with a row of memory for each input."""
    return np.ascontiguousarray(w.T).T


def in_lines(rows: int, columns: int, dtype: DTypeLike) -> NDArray:
    """Zeros, (rows, columns or a few more), so that each row is a number of whole lines."""
    numbers = _LINE // np.dtype(dtype).itemsize
    shape = rows, math.ceil(columns / numbers) * numbers
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def is_sparse(rows: NDArray) -> bool:
    """Whether most numbers of (n, d) rows are 0, judged by about a thousand rows."""
    some = rows[:: max(1, len(rows) // 1_000)]
    used = int(np.count_nonzero(some))
    return rows.shape[1] <= _MOST_COLUMNS and used <= _SPARSE * some.size
