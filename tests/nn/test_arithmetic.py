"""Who computes an operation, and that this changes no result: compiled, BLAS, halves, threads."""

import copy

import needs
import numpy as np
import pytest
import threadpoolctl
from definitions import definition
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_cases import CASES, PRODUCTS
from operation_source import TYPES, Source

from nn import arithmetic, operations
from nn.arithmetic import for_array, for_product, operations_for
from nn.threads import limit_blas_threads

IN_HALVES = sorted(name for name in vars(arithmetic._InHalves) if not name.startswith("_"))
BLAS = ("affine", "times", "sums")
SMALL = np.ones((2, 3))


@pytest.fixture
def in_halves(monkeypatch):
    """The functions for layers that are large enough for two threads."""
    monkeypatch.setattr(arithmetic, "LARGE_PRODUCT", 1)
    return lambda functions: for_product(functions, 1, SMALL)


def results(function, arguments, threads=1):
    arguments = copy.deepcopy(arguments)
    with (
        threadpoolctl.threadpool_limits(threads),
        limit_blas_threads(),
        np.errstate(all="ignore"),
    ):
        function(*arguments)
    return [a for a in arguments if isinstance(a, np.ndarray)]


def arguments_of(name, seed, types="exact", number=0):
    source = Source(seed, types, TYPES[types][number % len(TYPES[types])], most=30)
    arguments = CASES[name](source)
    if name == "sparse_add":  # halves are made of all inputs
        arguments[5:7] = 0, len(arguments[9])
    return arguments


def assert_same(found, expected, *, rounded=False):
    for mine, theirs in zip(found, expected, strict=True):
        if rounded:
            largest = np.abs(theirs).max(initial=0.0)
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4 * largest)
        else:
            np.testing.assert_array_equal(mine, theirs)


def test_operations_in_halves():
    assert set(IN_HALVES) <= set(CASES)
    assert set(BLAS) | {"sgd", "momentum", "nesterov", "adam", "average"} <= set(IN_HALVES)


@needs.numba
@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("name", IN_HALVES)
def test_two_halves_are_the_whole_with_one_thread_and_with_two(name, types, in_halves):
    if types != "exact" and name == "round_to":
        return
    functions = operations_for(types)
    halves = in_halves(functions)
    for seed in range(8):
        arguments = arguments_of(name, seed, types, seed)
        if min(len(a) for a in arguments if isinstance(a, np.ndarray) and a.ndim) < 2:
            continue
        whole = results(getattr(functions, name), arguments)
        one, two = (results(getattr(halves, name), arguments, threads) for threads in (1, 2))
        assert_same(two, one)
        assert_same(one, whole, rounded=types != "exact" and name in PRODUCTS)


@pytest.mark.parametrize("name", IN_HALVES)
def test_halves_without_numba_are_the_whole(name, in_halves):
    if not hasattr(operations, name):
        return
    for seed in range(8):
        arguments = arguments_of(name, seed)
        whole = results(definition(name), arguments)
        assert_same(results(getattr(in_halves(operations), name), arguments, 2), whole)


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("name", BLAS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999))
def test_products_by_blas_are_the_compiled_ones(name, types, seed):
    arguments = arguments_of(name, seed, types)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arithmetic, "_BLAS", 1)
        functions = for_product(operations_for(types), 1, SMALL)
    assert functions.affine is operations.affine
    found = results(getattr(functions, name), arguments)
    expected = results(getattr(operations_for(types), name), arguments)
    assert_same(found, expected, rounded=types != "exact")


@needs.numba
def test_the_kind_depends_on_the_number_of_multiplications_or_of_weights(monkeypatch):
    monkeypatch.setattr(arithmetic, "_BLAS", 60)
    monkeypatch.setattr(arithmetic, "LARGE_PRODUCT", 600)
    monkeypatch.setattr(arithmetic, "LARGE_ARRAY", 6)
    functions = operations_for("exact")
    assert for_product(functions, 9, SMALL) is functions
    assert for_array(functions, SMALL[0]) is functions
    blas, halves, array = (
        for_product(functions, 10, SMALL),
        for_product(functions, 100, SMALL),
        for_array(functions, SMALL),
    )
    for kind in (functions, blas, halves, array):
        # All have all operations; what is not divided is that of the functions.
        for name in {*CASES} & {*vars(operations), *functions._sources}:
            assert callable(getattr(kind, name))
        assert kind.softmax is functions.softmax
    assert blas.affine is operations.affine
    assert blas.adam is functions.adam
    assert type(halves) is type(array)
    assert {halves.affine, halves.adam}.isdisjoint({operations.affine, functions.adam})


@needs.numba
def test_operations_are_compiled_once_for_each_arithmetic():
    for types in TYPES:
        assert operations_for(types) is operations_for(types)
        assert operations_for(types).lookup is operations_for(types).lookup
    assert operations_for("exact").lookup is not operations_for("float32").lookup
