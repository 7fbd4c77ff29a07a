"""Portable functions, against decimal arithmetic and SciPy."""

import hashlib
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from scipy.special import softmax as scipy_softmax

from nn import operations
from nn.arithmetic import operations_for
from nn.exact.portable import (
    exp,
    integer_power,
    log,
    ordered_sum,
    power,
    sigmoid,
    sigmoid_table,
    sine,
    standard_normal,
    tanh,
)

ARGUMENTS = st.lists(st.floats(-690, 690), min_size=1, max_size=20)


def to_36_bits(value):
    """A Decimal, rounded to 36 significant bits."""
    exponent = math.frexp(float(value))[1] - 36
    return math.ldexp(float(round(value * Decimal(2) ** -exponent)), exponent)


def decimals(function, values):
    with localcontext(prec=80):
        return [to_36_bits(function(Decimal(value))) for value in values]


@settings(deadline=None)
@given(ARGUMENTS)
def test_exp_is_rounded_to_36_bits(values):
    assert exp(np.array(values)).tolist() == decimals(Decimal.exp, values)


@settings(deadline=None)
@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=20))
def test_log_is_rounded_to_36_bits(values):
    values = [*values, math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0)]
    assert log(np.array(values)).tolist() == decimals(Decimal.ln, values)
    assert log(np.ones(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("bits", [17, 18, 22, 28])
@settings(deadline=None)
@given(values=st.lists(st.floats(-30, 30), min_size=1, max_size=20))
def test_tanh_is_rounded_to_its_grid(bits, values):
    def exactly(x):
        e = (2 * x).exp()
        return (e - 1) / (e + 1)

    # Where tanh lies next to the middle between two values of the grid: they are the hard ones.
    halves = (2 * np.arange(1, 20) + 1) / 2.0 ** (bits + 1)
    values = [*values, *np.arctanh(halves), 0.0, *np.nextafter(np.arctanh(halves), 1)]
    x = np.array(values)
    found = tanh(x, bits)
    assert x.tolist() == values
    with localcontext(prec=80):
        expected = [float(round(exactly(Decimal(float(v))) * 2**bits)) / 2**bits for v in values]
    assert found.tolist() == expected


@settings(deadline=None)
@given(ARGUMENTS)
def test_sigmoid_has_a_small_relative_error(values):
    found = sigmoid(np.array(values))
    np.testing.assert_allclose(found, expit(values), rtol=2**-35)
    np.testing.assert_allclose(1 - found, expit(np.negative(values)), atol=2**-35)


def test_the_table_of_the_sigmoid_function():
    table = sigmoid_table()
    places = np.arange(len(table)) / 2048 - 14
    assert places[-1] == 14
    np.testing.assert_allclose(table, expit(places), atol=2**-19 + 2**-50, rtol=0)
    np.testing.assert_array_equal(table * 2**18, np.rint(table * 2**18))
    assert (table[0], table[-1]) == (0, 1)
    with localcontext(prec=60):
        for place in (0, 1, 20_000, 28_671, 28_672, 28_673, 40_001, 57_343):
            exactly = 1 / (1 + (-Decimal(place - 28_672) / 2048).exp())
            assert table[place] == float(round(exactly * 2**18)) / 2**18


@pytest.mark.parametrize("functions", [operations, operations_for("exact")])
@settings(deadline=None)
@given(rows=st.lists(st.lists(st.floats(-50, 50), min_size=7, max_size=7), min_size=1, max_size=5))
def test_softmax_is_scipys_and_a_row_does_not_depend_on_the_others(functions, rows):
    def softmax(z):
        a = np.empty_like(z)
        if functions.softmax(z, 36, a):
            operations.softmax(z, 36, a)
        return a

    z = np.array(rows)
    found = softmax(z)
    assert z.tolist() == rows
    np.testing.assert_allclose(found, scipy_softmax(z, axis=1), rtol=2**-33)
    for row, alone in zip(found, z, strict=True):
        assert row.tobytes() == softmax(alone[None]).tobytes()


def test_sine_has_an_error_below_2_to_the_minus_50():
    x = np.linspace(-math.pi / 2, math.pi / 2, 10_001)
    assert np.abs(sine(x) - np.sin(x)).max() < 2**-50
    assert [sine(value) for value in x.tolist()[::100]] == sine(x)[::100].tolist()


@settings(deadline=None)
@given(st.floats(0.01, 1.0), st.floats(0, 100))
def test_power_is_rounded_to_36_bits(base, exponent):
    with localcontext(prec=80):
        expected = to_36_bits(Decimal(base) ** Decimal(exponent))
    assert power(base, exponent) == expected


@settings(deadline=None)
@given(st.floats(0.0, 1.0), st.integers(0, 1000))
def test_integer_power(base, exponent):
    assert integer_power(base, exponent) == pytest.approx(base**exponent, rel=1e-12, abs=1e-300)


@settings(deadline=None)
@given(
    n=st.integers(1, 70),
    rows=st.integers(1, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 9),
)
def test_ordered_sum_has_one_order_for_any_layout(n, rows, dtype, seed):
    def by_halves(values):
        if len(values) == 1:
            return values[0]
        half = (len(values) + 1) // 2
        folded = [*values[:half]]
        for k, value in enumerate(values[half:]):
            folded[k] = folded[k] + value
        return by_halves(folded)

    x = (np.random.default_rng(seed).standard_normal((rows, n)) ** 5).astype(dtype)
    expected = [by_halves([*row]) for row in x]
    wide = np.zeros((2 * rows, 3 * n), dtype)
    wide[::2, ::3] = x
    for layout in (x, np.asfortranarray(x), wide[::2, ::3], x[:, ::-1][:, ::-1]):
        kept = layout.copy()
        assert ordered_sum(layout).tolist() == expected
        np.testing.assert_array_equal(layout, kept)
    assert [ordered_sum(row) for row in x] == expected


def test_normal_variates_are_normal_and_independent():
    found = standard_normal(np.random.default_rng(0), 200_000)
    assert stats.kstest(found, "norm").pvalue > 0.01
    assert found.mean() == pytest.approx(0, abs=0.01)
    assert (found**2).mean() == pytest.approx(1, abs=0.01)
    assert (found**4).mean() == pytest.approx(3, abs=0.1)
    # Pairs come from one point in the circle.
    for first, second in ((found[::2], found[1::2]), (found[:-1], found[1:])):
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.01
        assert abs(np.corrcoef(first**2, second**2)[0, 1]) < 0.01


def test_normal_variates_are_these_everywhere():
    rng = np.random.default_rng(7)
    shapes = [(), 1, 5, (3, 4), (0, 2), (123, 45)]
    found = [standard_normal(rng, shape) for shape in shapes]
    assert [part.shape for part in found] == [np.empty(shape).shape for shape in shapes]
    content = b"".join(part.astype("<f8").tobytes() for part in found)
    assert (
        hashlib.sha256(content).hexdigest()
        == "0240ab606df6fe8276d3d00ac2e6ae66a2186f6e3f58c3b9c90d28796a132aa1"
    )
