"""Grids: operands are on them, and their products do not depend on the order of the terms."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import LOSSES, Network
from nn.exact.grids import (
    ACTIVATION_BITS,
    ceil_log2,
    delta_bits,
    round_rows,
    round_weights,
    weight_bits,
    weighted_inputs,
)
from nn.exact.grids import bind_rounding as bind

SIZES = st.sampled_from([1, 2, 3, 10, 17, 64, 257])


def values(shape, seed, scale):
    rng = np.random.default_rng(seed)
    # Elements of very different sizes.
    return scale * rng.standard_normal(shape) * 2.0 ** rng.integers(-30, 1, shape)


def pairwise(terms):
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return pairwise(terms[:half]) + pairwise(terms[half:])


@settings(deadline=None)
@given(
    inputs=SIZES,
    units=SIZES,
    samples=SIZES,
    seed=st.integers(0, 999),
    scales=st.tuples(*[st.sampled_from([1e-6, 1.0, 3.7, 1e5])] * 3),
    data=st.data(),
)
def test_products_of_a_layer_are_the_same_in_any_order(inputs, units, samples, seed, scales, data):
    a, delta = values((samples, inputs), seed, scales[0]), values((samples, units), seed, scales[1])
    bind(a, ACTIVATION_BITS)()
    bind(delta, delta_bits(units, inputs, samples))()
    w = round_weights(values((units, inputs), seed, scales[2]).astype(np.float32))
    for left, right in ((a, w.T), (delta, w), (delta.T, a)):
        i, j = seed % left.shape[0], seed % right.shape[1]
        row, column = left[i].tolist(), right[:, j].tolist()
        terms = [x * y for x, y in zip(row, column, strict=True)]
        exactly = sum(Fraction(x) * Fraction(y) for x, y in zip(row, column, strict=True))
        shuffled = data.draw(st.permutations(terms))
        block = data.draw(st.integers(1, len(terms)))
        blocks = [sum(terms[k : k + block]) for k in range(0, len(terms), block)]
        sums = [sum(terms), sum(terms[::-1]), sum(shuffled), sum(blocks), pairwise(terms),
                math.fsum(terms), (left @ right)[i, j]]  # fmt: skip
        assert {Fraction(float(found)) for found in sums} == {exactly}


@settings(deadline=None)
@given(st.integers(1, 70_000), st.integers(1, 70_000), st.integers(1, 70_000))
def test_all_products_fit_into_53_bits(units, inputs, samples):
    w, delta = weight_bits(inputs), delta_bits(units, inputs, samples)
    assert ACTIVATION_BITS + w + math.log2(inputs) <= 53
    assert w + delta + math.log2(units) <= 53
    assert delta + ACTIVATION_BITS + math.log2(samples) <= 53
    assert 2 ** ceil_log2(inputs) >= inputs > 2 ** (ceil_log2(inputs) - 1)


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(2, 30), st.floats(-40, 40)
)
def test_rounding_is_to_the_nearest_multiple(numbers, bits, power):
    x = np.array(numbers) * 2.0**power
    rounded = x.copy()
    bind(rounded, bits)()
    largest = max(map(abs, x.tolist()))
    whole = 0 if not largest else next(e for e in range(-1200, 99) if 2.0**e >= largest)
    unit = Fraction(2) ** (whole - bits)
    for value, found in zip(x.tolist(), rounded.tolist(), strict=True):
        assert (Fraction(found) / unit).denominator == 1
        assert abs(Fraction(found) - Fraction(value)) <= unit / 2
    rows = np.stack([x, np.ones_like(x)])
    round_rows(rows, bits)
    assert rows.tolist() == [rounded.tolist(), [1.0] * len(x)]


def test_a_large_layer_is_rounded_as_a_small_one():
    w = np.random.default_rng(0).standard_normal((300, 700)).astype(np.float32)
    out = round_weights(w)
    exponent = math.frexp(abs(w).max())[1] - weight_bits(700)
    np.testing.assert_array_equal(
        out, np.ldexp(np.rint(np.ldexp(w.astype(float), -exponent)), exponent)
    )


@settings(deadline=None)
@given(SIZES, SIZES, st.integers(0, 99), st.sampled_from([1e-3, 1.0, 1e6]))
def test_weighted_inputs_are_near_and_a_row_does_not_depend_on_the_others(d, units, seed, scale):
    w = round_weights(values((units, d), seed, scale).astype(np.float32))
    a, b = np.random.default_rng(seed).random((9, d)), values(units, seed, 1.0)
    z = weighted_inputs(a.copy(), w, b)
    np.testing.assert_allclose(z, a @ w.T + b, atol=1e-4 * d * abs(w).max())
    for k in range(9):
        np.testing.assert_array_equal(weighted_inputs(a[k : k + 1].copy(), w, b)[0], z[k])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_network_on_its_grid_has_the_same_scores(activation, loss):
    rng = np.random.default_rng(0)
    network = Network.initialize(
        [50, 30, 20, 7], rng, activation=activation, loss=loss, initialization="normal"
    )
    stored = network.on_grid()
    images = rng.random((1203, 50), np.float32)
    scores = network.scores(images)
    np.testing.assert_array_equal(stored.scores(images), scores)
    for one, other in zip(stored.weights, network.weights, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(round_weights(one), one)
        assert abs(one - other).max() <= abs(other).max() * 2.0**-20
    for k in (0, 7, 500, 1202):
        np.testing.assert_array_equal(network.scores(images[k]), scores[k])
    np.testing.assert_array_equal(network.scores(images[::-3]), scores[::-3])
    wide = network.scores(images.astype(np.float64))
    np.testing.assert_array_equal(wide, scores)


def test_scores_are_near_those_of_float64():
    rng = np.random.default_rng(0)
    network = Network.initialize([784, 100, 10], rng)
    precise = Network(
        [w.astype(np.float64) for w in network.weights],
        [b.astype(np.float64) for b in network.biases],
        network.classes,
    )
    images = rng.random((500, 784), np.float32)
    np.testing.assert_allclose(
        network.scores(images), precise.scores(images.astype(np.float64)), atol=1e-5
    )
