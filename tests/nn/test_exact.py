"""Grids: operands are on them, and their products do not depend on the order of the terms."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import LOSSES, Network
from nn.arithmetic import operations_for
from nn.exact.grids import (
    ACTIVATION_BITS,
    ceil_log2,
    delta_bits,
    leading_exponent,
    round_rows,
    round_weights,
    score_input_bits,
    weight_bits,
)
from nn.scores import ScoreLayer

SIZES = st.sampled_from([1, 2, 3, 10, 17, 64, 257])


def values(shape, seed, scale):
    rng = np.random.default_rng(seed)
    # Elements of very different sizes.
    return scale * rng.standard_normal(shape) * 2.0 ** rng.integers(-30, 1, shape)


def round_to(x, bits):
    rows = np.atleast_2d(x)
    operations_for("exact").round_to(rows, bits, rows)


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
    round_to(a, ACTIVATION_BITS)
    round_to(delta, delta_bits(units, inputs, samples))
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
    assert score_input_bits(inputs) + w + math.log2(inputs) <= 53
    assert score_input_bits(inputs) >= ACTIVATION_BITS
    assert 2 ** ceil_log2(inputs) >= inputs > 2 ** (ceil_log2(inputs) - 1)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_leading_exponent_is_that_of_the_next_power_of_two(number):
    exponent = leading_exponent(number)
    assert abs(Fraction(number)) <= Fraction(2) ** exponent
    assert not number or abs(Fraction(number)) > Fraction(2) ** (exponent - 1)
    assert leading_exponent(math.nan) == leading_exponent(math.inf) == leading_exponent(0.0) == 0


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(2, 30), st.floats(-40, 40)
)
def test_rounding_is_to_the_nearest_multiple(numbers, bits, power):
    x = np.array(numbers) * 2.0**power
    rounded = x.copy()
    round_to(rounded, bits)
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
@given(
    d=SIZES,
    units=SIZES,
    seed=st.integers(0, 99),
    scale=st.sampled_from([1e-3, 1.0, 1e6]),
    of_biases=st.sampled_from([1.0, 1e-12]),
    share=st.sampled_from([0.0, 0.2, 1.0]),
)
def test_weighted_inputs_are_near_and_a_row_does_not_depend_on_the_others(
    d, units, seed, scale, of_biases, share
):
    rng = np.random.default_rng(seed)
    w, b = (values(shape, seed, scale).astype(np.float32) for shape in ((units, d), units))
    b *= np.float32(of_biases)
    a = (rng.random((9, d)) * (rng.random((9, d)) < share)).astype(np.float32)
    rounded = a.astype(np.float64)
    round_rows(rounded, score_input_bits(d))
    expected = rounded @ round_weights(w).T + b
    np.testing.assert_allclose(expected, a @ w.T + b, atol=1e-4 * d * abs(w).max())
    layer = ScoreLayer(operations_for("exact"), w, b, "relu")
    # Whether zeros are left out changes no bit, nor how many rows there are.
    for dtype in (np.float32, np.float64):
        for copies in (1, 2):
            z = layer.affine(np.tile(a.astype(dtype), (copies, 1)))
            np.testing.assert_array_equal(z[:, :units], np.tile(expected, (copies, 1)))
            assert not z[:, units:].any()
        for k in range(9):
            np.testing.assert_array_equal(layer.affine(a[k : k + 1].astype(dtype))[0], z[k])


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


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("loss", LOSSES)
def test_scores_of_an_image_do_not_depend_on_how_many_there_are_nor_on_their_zeros(
    activation, loss
):
    rng = np.random.default_rng(0)
    network = Network.initialize(
        [50, 30, 20, 7], rng, activation=activation, loss=loss, initialization="normal"
    )
    for b, scale in zip(network.biases, (1e-11, 1e-12, 1.0), strict=True):
        b *= np.float32(scale)
    dark = rng.random((1203, 50), np.float32) * (rng.random((1203, 50)) < 0.2).astype(np.float32)
    light = rng.random((1203, 50), np.float32)
    scores = network.scores(dark)
    mixed = np.concatenate([light[:20], dark])
    np.testing.assert_array_equal(network.scores(mixed)[20:], scores)
    for n in (1, 15, 16, 127, 128, 129, 999, 1000):
        np.testing.assert_array_equal(network.scores(dark[:n]), scores[:n])
        np.testing.assert_array_equal(network.scores(mixed[: n + 20])[20:], scores[:n])


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
