"""Every compiled operation, against its definition in NumPy."""

import copy
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from definitions import definition
from hypothesis import example, given, settings
from hypothesis import strategies as st
from operation_cases import CASES, COUNTING, EXACT_ONLY, PRODUCTS
from operation_source import TYPES, Source

from nn.arithmetic import operations_for

pytest.importorskip("numba")
from nn.compiled import elementwise, images, products, updates  # noqa: F401
from nn.compiled.compiler import SOURCES

NAMES = [
    (name, arithmetic)
    for name in SOURCES
    for arithmetic in TYPES
    if arithmetic == "exact" or name not in EXACT_ONLY
]


def results(function, arguments):
    """What a function returns, and its arguments after the call."""
    arguments = copy.deepcopy(arguments)
    with np.errstate(all="ignore"):
        returned = function(*arguments)
    return returned, [a for a in arguments if isinstance(a, np.ndarray)]


def without_tiny(array):
    """Without exponentials of numbers below -708, which are 0 or nearly 0."""
    return np.where(array < 1e-300, 0.0, array)


def assert_near(found, expected, dtype, scale=1.0):
    tolerance = 64 * float(np.finfo(dtype).eps)
    found, expected = found.astype(float), expected.astype(float)
    assert (np.abs(found - expected) <= tolerance * scale).all()


@pytest.mark.parametrize(("name", "arithmetic"), NAMES)
@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    types=st.integers(0, 1),
    special=st.booleans(),
    most=st.sampled_from([1, 3, 9, 40]),
)
def test_it_does_what_its_definition_does(name, arithmetic, seed, types, special, most):
    rounds = name in PRODUCTS and arithmetic != "exact"
    source = Source(
        seed, arithmetic, TYPES[arithmetic][types % len(TYPES[arithmetic])],
        special=special and not rounds, most=most,
    )  # fmt: skip
    arguments = CASES[name](source)
    returned, arrays = results(getattr(operations_for(arithmetic), name), arguments)
    expected_return, expected = results(definition(name), arguments)
    if name in COUNTING:
        if arithmetic != "exact":
            assert_near(arrays[-1], expected[-1], source.types.t, 1.0)
            return
        if returned == 0:
            np.testing.assert_array_equal(without_tiny(arrays[-1]), without_tiny(expected[-1]))
        return
    if expected_return is None:
        assert returned is None
    else:
        assert type(returned)(expected_return) == returned or (
            math.isnan(returned) and math.isnan(expected_return)
        )
    if name == "compress":  # it may write to the place behind the last value
        arrays[2:], expected[2:] = ([a[:returned] for a in x[2:]] for x in (arrays, expected))
    if rounds:
        sizes = [np.abs(a) if isinstance(a, np.ndarray) else a for a in arguments]
        _, scales = results(definition(name), sizes)
        for mine, theirs, scale in zip(arrays, expected, scales, strict=True):
            assert_near(mine, theirs, source.types.t, scale)
        return
    for mine, theirs in zip(arrays, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def test_every_compiled_operation_has_a_case():
    assert set(SOURCES) <= set(CASES)


@pytest.mark.parametrize("arithmetic", TYPES)
def test_nan_and_infinities_are_looked_up_without_harm(arithmetic):
    dtype = TYPES[arithmetic][0].t
    table = np.linspace(0, 1, 57345).astype(dtype)
    z = np.array([[np.nan, np.inf, -np.inf, 1e38, -1e38, -14.1, 14.1]], dtype)
    a = np.empty_like(z)
    operations_for(arithmetic).lookup(z, table, a)
    assert a.tolist() == [[0, 1, 0, 1, 0, 0, 1]]


@pytest.mark.parametrize(("name", "arithmetic"), [pair for pair in NAMES if pair[0] in COUNTING])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_and_infinities_give_what_the_definition_gives(name, arithmetic, value, place):
    z = np.array([[0.5, -0.25, 1.0], [1.0, 2.0, 3.0]], TYPES[arithmetic][0].t)
    z[0, place] = value
    a, expected = np.empty_like(z), np.empty_like(z)
    options = () if name == "sigmoid_scores" else (28 * (arithmetic == "exact"),)
    with np.errstate(all="ignore"):
        count = getattr(operations_for(arithmetic), name)(z, *options, a)
        definition(name)(z, *options, expected)
    if count == 0 or arithmetic != "exact":
        np.testing.assert_allclose(a, expected, rtol=1e-6, atol=1e-300)


def test_arrays_that_are_not_what_was_compiled_for_are_refused():
    compute = operations_for("exact").times_sigmoid_derivative
    delta, a, wide = np.ones((4, 4)), np.full((4, 4), 0.5), np.zeros((4, 8))
    frozen = np.zeros((4, 4))
    frozen.flags.writeable = False
    compute(delta, a)
    for wrong in (a.T[:, ::-1], wide[:, ::2], a.T[1:], a.astype(np.float32), a[0], frozen):
        with pytest.raises(TypeError, match="No matching definition"):
            compute(wrong, a)
    np.testing.assert_array_equal(delta, np.full((4, 4), 0.25))


def sigmoid_of(a):
    return (a / (1 - a)).ln()


def artanh(a):
    return ((1 + a) / (1 - a)).ln() / 2


# Name, function from a result to its argument, bits.
FUNCTIONS = [
    *[("sigmoid", sigmoid_of, bits) for bits in (18, 22, 28)],
    *[("tanh", artanh, bits) for bits in (17, 18, 22, 28)],
]


def compute(name, z, *options):
    """Count, result and definition of each number on its own."""
    function, found = getattr(operations_for("exact"), name), []
    for number in z:
        a, expected = np.empty((1, 1)), np.empty((1, 1))
        count = function(np.array([[number]]), *options, a)
        definition(name)(np.array([[number]]), *options, expected)
        found.append((count, a.item(), expected.item()))
    return found


def near_the_middle(name, inverse, bits, distance, seed):
    """Numbers z for which the function lies so far from the middle between two multiples."""
    low, high = (1, 2**bits - 1) if name == "sigmoid" else (1 - 2**bits, 2**bits - 1)
    whole = np.random.default_rng(seed).integers(low, high, 40).tolist()
    with localcontext(prec=60):
        step = Decimal(2) ** -bits
        results = [(Decimal(k) + Decimal("0.5")) * step + Decimal(distance) for k in whole]
        return [float(inverse(a)) for a in results if abs(2 * a - 1 if name == "sigmoid" else a)
                < Decimal("0.999")]  # fmt: skip


@pytest.mark.parametrize(("name", "inverse", "bits"), FUNCTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_results_next_to_the_middle_of_two_multiples_are_counted(name, inverse, bits, seed):
    for distance in (0.0, 2.0**-51, -(2.0**-51), 2.0**-52):
        z = near_the_middle(name, inverse, bits, distance, seed)
        assert len(z) > 20
        assert all(count == 1 for count, _, _ in compute(name, z, bits))
        a = np.empty((3, len(z)))
        repeated = np.tile(z, (3, 1))
        assert getattr(operations_for("exact"), name)(repeated, bits, a) == 3 * len(z)


@pytest.mark.parametrize(("name", "inverse", "bits"), FUNCTIONS)
@settings(max_examples=30, deadline=None)
@given(power=st.floats(-53, -40), sign=st.sampled_from([-1.0, 1.0]), seed=st.integers(0, 999))
def test_what_is_near_the_middle_is_counted_or_right(name, inverse, bits, power, sign, seed):
    z = near_the_middle(name, inverse, bits, sign * 2.0**power, seed)
    for count, found, expected in compute(name, z, bits):
        assert count in (0, 1)
        assert count or found == expected
        # Few are doubtful that need not be.
        assert power < -47.5 or not count


def middles_of_36_bits(seed, distance=0.0):
    """Negative x for which e^x lies so far (relatively) from the middle of two 36-bit numbers."""
    rng = np.random.default_rng(seed)
    with localcontext(prec=60):
        return [
            float(((Decimal(k) * 2 + 1) / 2**36 * (1 + Decimal(distance)) / 2**power).ln())
            for k, power in zip(
                rng.integers(2**35, 2**36, 40).tolist(),
                rng.choice([1, 2, 3, 7], 40).tolist(),
                strict=True,
            )
        ]


def exponentials(x):
    """Counts and results of softmax of (0, x), and of the sigmoid of x and of -x."""
    functions = operations_for("exact")
    for name, z in (
        ("softmax", [[0.0, x]]),
        ("softmax", [[x + 3.0, 3.0]]),
        ("sigmoid_scores", [[x]]),
        ("sigmoid_scores", [[-x]]),
    ):
        z = np.array(z)
        a, expected = np.empty_like(z), np.empty_like(z)
        options = (36,) if name == "softmax" else ()
        count = getattr(functions, name)(z, *options, a)
        definition(name)(z, *options, expected)
        yield count, a, expected, z[0, 0] - z[0, -1] in (x, -x, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_exponentials_next_to_the_middle_of_two_36_bit_numbers_are_counted(seed):
    for distance in (0.0, 2.0**-51, -(2.0**-51)):
        for x in middles_of_36_bits(seed, distance):
            counts = [count for count, _, _, is_exact in exponentials(x) if is_exact]
            assert len(counts) >= 3
            # The ulp of a large argument is larger than the distance.
            assert set(counts) == {1} or abs(x) > 2


@settings(max_examples=60, deadline=None)
@given(power=st.floats(-53, -38), sign=st.sampled_from([-1.0, 1.0]), seed=st.integers(0, 999))
def test_exponentials_near_the_middle_are_counted_or_right(power, sign, seed):
    for x in middles_of_36_bits(seed, sign * 2.0**power)[:8]:
        for count, found, expected, is_exact in exponentials(x):
            assert count in (0, 1)
            if not count:
                np.testing.assert_array_equal(found, expected)
            assert power < -47 or not count or not is_exact


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
@example([-745.2, -708.4, -708.0, 708.0, 709.8, 1e-300, 0.0, -0.0, 36.7, -36.8])
def test_functions_of_any_number_are_counted_or_right(values):
    for name, options in (
        ("sigmoid", (28,)), ("tanh", (18,)), ("sigmoid_scores", ()), ("softmax", (36,))
    ):  # fmt: skip
        z = np.array([values])
        a, expected = np.empty_like(z), np.empty_like(z)
        count = getattr(operations_for("exact"), name)(z, *options, a)
        definition(name)(z, *options, expected)
        if count == 0:
            np.testing.assert_array_equal(without_tiny(a), without_tiny(expected))
        np.testing.assert_allclose(a, expected, rtol=2**-30, atol=1e-300)


def test_few_results_are_doubtful():
    z = np.random.default_rng(0).standard_normal((1000, 10)) * 3
    functions = operations_for("exact")
    a = np.empty_like(z)
    assert functions.sigmoid(z, 28, a) + functions.tanh(z, 18, a) < 3
    assert functions.softmax(z, 36, a) + functions.sigmoid_scores(z, a) < 30
