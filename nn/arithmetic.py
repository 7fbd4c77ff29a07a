"""Which functions compute an operation: compiled ones, BLAS, or two threads with a share each.

A small product takes less time in a compiled loop, a larger one in BLAS. For a large layer, two
threads compute a half of each product. The halves are the same with one thread, so that the number
of threads does not change results. Where Numba is not installed, all operations are NumPy's.
"""

import sys
from collections.abc import Callable
from functools import cache, partial, partialmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn import operations
from nn.exact.grids import leading_exponent
from nn.exact.portable import TABLE_BITS, shifter, sigmoid_table
from nn.threads import in_two_threads

# Products with at least this number of multiplications are left to BLAS.
_BLAS = 2**15
# From this number on, two threads are faster: one needs 0.3 ms, several times as long as it takes
# to wake a second one. Likewise for updates of so many numbers.
LARGE_PRODUCT, LARGE_ARRAY = 2**24, 2**17


@cache
def operations_for(arithmetic: str) -> Any:
    """The functions of `nn.operations` for "exact", "float32" or "float64" arithmetic."""
    try:
        return _Compiled(arithmetic)
    except ImportError:
        _say_slower()
        return operations


@cache
def _say_slower() -> None:
    text = "Numba is not available: training takes a few times longer."
    print(text, file=sys.__stderr__, flush=True)


def for_product(functions: Any, m: int, w: NDArray) -> Any:
    """The functions for minibatches of m samples and a layer with weights `w`, (units, inputs)."""
    if m * w.size >= LARGE_PRODUCT:
        return _InHalves(functions)
    return _WithBlas(functions) if m * w.size >= _BLAS else functions


def for_array(functions: Any, array: NDArray) -> Any:
    """The functions for updates of an array."""
    return _InHalves(functions) if array.size >= LARGE_ARRAY else functions


def activation_function(functions: Any, name: str, bits: int) -> Callable[[NDArray, NDArray], None]:
    """Function of (z, a) that writes σ(z) to a, rounded to multiples of 2^-bits unless bits is 0.

    `name` is that of the operation that computes σ.
    """
    if name == "sigmoid" and bits == TABLE_BITS:
        lookup, table = functions.lookup, sigmoid_table()
        return lambda z, a: lookup(z, table, a)
    compute, again = getattr(functions, name), getattr(operations, name)
    options = () if name in ("relu", "sigmoid_scores") else (bits,)

    def activate(z: NDArray, a: NDArray) -> None:
        if compute(z, *options, a):  # so many results cannot be rounded with certainty
            again(z, *options, a)

    return activate


class _Compiled:
    """The operations for an arithmetic, compiled when first used unless NumPy is as fast."""

    def __init__(self, arithmetic: str) -> None:
        from nn.compiled import elementwise, images, products, updates  # noqa: F401
        from nn.compiled.compiler import SOURCES, compile_for

        self._sources, self._compile, self._arithmetic = SOURCES, compile_for, arithmetic

    def __getattr__(self, name: str) -> Any:
        if name in self._sources:
            function = self._compile(self._arithmetic, name)
        else:
            function = getattr(operations, name)
        setattr(self, name, function)
        return function


class _WithBlas:
    """Operations whose products are NumPy's."""

    affine = staticmethod(operations.affine)
    times = staticmethod(operations.times)
    sums = staticmethod(operations.sums)

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._functions, name)
        setattr(self, name, function)
        return function


class _InHalves(_WithBlas):
    """Operations of which each of two threads computes a half; `nn.operations` describes them."""

    def affine(self, a: NDArray, w: NDArray, b: NDArray, z: NDArray) -> None:
        _halve(len(a), lambda part: operations.affine(a[part], w, b, z[part]))

    def times(self, delta: NDArray, w: NDArray, out: NDArray) -> None:
        _halve(len(delta), lambda part: operations.times(delta[part], w, out[part]))

    def sums(self, delta: NDArray, a: NDArray, of_weights: NDArray, of_biases: NDArray) -> None:
        def half(part: slice) -> None:
            operations.sums(delta[:, part], a, of_weights[part], of_biases[part])

        _halve(len(of_biases), half)

    def sparse_affine(self, *arguments: Any) -> None:
        *images, rows, shift, w, b, one, z = arguments
        compute = self._functions.sparse_affine
        _halve(len(rows), lambda part: compute(*images, rows[part], shift, w, b, one, z[part]))

    def sparse_add(self, *arguments: Any) -> None:
        *images, rows, shift, _, stop, delta, one, w, b = arguments
        compute = self._functions.sparse_add

        def half(part: slice) -> None:
            compute(*images, rows, shift, part.start, part.stop, delta, one, w, b)

        _halve(stop, half)

    def round_to(self, x: NDArray, bits: int, out: NDArray) -> None:
        f, tops = self._functions, [0.0, 0.0]

        def top(part: slice) -> None:
            tops[part.start > 0] = f.largest(x[part])

        _halve(len(x), top)
        shift = shifter(leading_exponent(max(tops)) - bits)
        _halve(len(x), lambda part: f.scale_to_grid(x[part], 1.0, shift, out[part]))

    def lookup(self, z: NDArray, table: NDArray, a: NDArray) -> None:
        _halve(len(z), lambda part: self._functions.lookup(z[part], table, a[part]))

    def _update(self, name: str, *arguments: Any) -> None:
        update, n = getattr(self._functions, name), len(arguments[0])

        def half(part: slice) -> None:
            update(*(x[part] if isinstance(x, np.ndarray) else x for x in arguments))

        _halve(n, half)

    sgd, momentum = partialmethod(_update, "sgd"), partialmethod(_update, "momentum")
    nesterov, adam = partialmethod(_update, "nesterov"), partialmethod(_update, "adam")
    average = partialmethod(_update, "average")


def _halve(n: int, work: Callable[[slice], object]) -> None:
    """Do the work for both halves of n things, each given as a slice."""
    if n < 2:
        work(slice(0, n))
    else:
        in_two_threads(partial(work, slice(0, n // 2)), partial(work, slice(n // 2, n)))
