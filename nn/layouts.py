"""How arrays lie in memory, on which the time of a product depends, but never its result."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Bytes of a line of the processor's cache.
_LINE = 64
# Rows with a larger share of numbers that are not 0 are multiplied faster as a whole.
_SPARSE = 0.4
# Columns of sparse rows are 16-bit integers.
_MOST_COLUMNS = 2**16


def by_units(w: NDArray) -> NDArray:
    """The same weights, with a row of memory for each unit; a copy only if they are not so yet."""
    return np.require(w, requirements=["C", "W", "A"])


def by_inputs(w: NDArray) -> NDArray:
    """The same weights, (units, inputs), with a row of memory for each input, likewise."""
    return by_units(w.T).T


def lay_out(arrays: list[NDArray], first: Callable[[NDArray], NDArray]) -> None:
    """Replace arrays by the same ones as compiled functions take them; the first by `first`."""
    if arrays:
        arrays[:] = [first(arrays[0]), *map(by_units, arrays[1:])]


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
