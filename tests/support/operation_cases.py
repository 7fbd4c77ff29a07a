"""Arguments for each operation of a training step, and its definition in NumPy.

`CASES[name]` is a function of a `Source` of random numbers and shapes. It returns the arguments of
the operation; the arrays that the operation writes to begin with values that it must replace or
change. Products in exact arithmetic get operands on their grids, whose products and sums have no
rounding error, so that any order of the terms gives the same bits.
"""

import numpy as np
from plain_training import log2_up

from nn.exact.portable import shifter, sigmoid_table


def _like(*arrays):
    """Arrays to write to, full of a value that must not remain."""
    return [np.full_like(a, 77) for a in arrays]


def _elementwise(count):
    def case(source):
        shape = source.side(), source.side()
        return [source.values(shape, source.types.t) for _ in range(count)]

    return case


def _function(source):
    """z, which may have more columns than a."""
    m, units, more = source.side(), source.side(), int(source.rng.integers(0, 3))
    z = source.values((m, units + more), source.types.t, source.rng.choice([1.0, 10.0, 1e3]))
    return z, np.full((m, units), 77, source.types.t)


def _lookup(source):
    z, a = _function(source)
    z[source.rng.random(z.shape) < 0.1] = source.rng.choice([np.nan, np.inf, -np.inf, 14.0, -14.0])
    return [z, sigmoid_table().astype(source.types.t), a]


def _rounded_function(source):
    z, a = _function(source)
    return [z, int(source.rng.choice([17, 18, 22, 28])) if source.exact else 0, a]


def _scores(source):
    z, _ = _function(source)
    return [z, *_like(z)]


def _equal(source):
    x = source.values(source.side(), source.types.w)
    y = x.copy()
    if source.rng.random() < 0.5:
        y[source.rng.integers(len(y))] = source.rng.choice([0.25, np.nan])
    return [x, y]


def _count_outside(source):
    x = source.values((source.side(), source.side()), source.types.r)
    x[source.rng.random(x.shape) < 0.05] = source.rng.choice([np.nan, np.inf, -np.inf, 1.0, 0.0])
    return [x, *source.rng.choice([(-np.inf, np.inf), (0.0, 1.0)]).tolist()]


def _largest(source):
    x = source.values((source.side(), source.side(least=0)), source.types.r)
    if x.size and source.rng.random() < 0.2:
        x[-1, -1] = source.rng.choice([np.nan, np.inf, -np.inf])
    return [x]


def _round_to(source):
    shape, scale = (source.side(), source.side()), 2.0 ** source.rng.integers(-40, 40)
    x = source.values(shape, source.types.r, scale)
    return [x, int(source.rng.integers(2, 31)), np.full(shape, 77, source.types.t)]


def _scale_to_grid(source):
    m, units, more = source.side(), source.side(), int(source.rng.integers(0, 3))
    shift = shifter(-40) if source.exact else 0.0
    delta = source.values((m, units), source.types.r, 1e-3)
    out = np.full((m, units + more), 77, source.types.t)
    return [delta, float(source.rng.uniform(-3, 0)), shift, out]


def _affine(source):
    m, inputs, units = source.side(), source.side(), source.side()
    w = np.ascontiguousarray(source.weights(inputs, units).T)
    z = np.full((m, units), 77, source.types.t)
    return [source.activations((m, inputs)), w, source.biases(units), z]


def _times(source):
    m, inputs, units = source.side(), source.side(), source.side()
    w = np.ascontiguousarray(source.weights(inputs, units).T)
    of_weights = min(24, 53 - 18 - log2_up(inputs))
    delta = source.grid((m, units), 53 - of_weights - log2_up(units))
    return [delta, w, np.full((m, inputs), 77, source.types.t)]


def _sums(source):
    m, inputs, units = source.side(), source.side(), source.side()
    delta = source.grid((m, units), 53 - 18 - log2_up(m))
    of_weights = np.full((units, inputs), 77, source.types.t)
    return [delta, source.activations((m, inputs)), of_weights, np.full(units, 77, source.types.t)]


def _sparse_affine(source):
    inputs, units = source.side(), source.side()
    images, n, shift = source.sparse(inputs)
    rows, one = source.rows(n), float(source.rng.choice([1.0, 255.0]))
    w, b = source.weights(inputs, units), source.biases(units).astype(source.types.t)
    return [*images, rows, shift, w, b, one, np.full((len(rows), units), 77, source.types.t)]


def _sparse_add(source):
    inputs, units = source.side(), source.side()
    images, n, shift = source.sparse(inputs)
    rows, one = source.rows(n), float(source.rng.choice([1.0, 255.0]))
    first, stop = sorted(source.rng.integers(0, inputs + 1, 2).tolist())
    delta = source.values((len(rows), units), source.types.t)
    w, b = (source.values(shape, source.types.t) for shape in ((inputs, units), units))
    if source.exact:
        # All on one grid, as the direct first layer has it, or as for sums that begin with 0.
        delta, w, b = (np.rint(np.clip(x, -99, 99) * 2.0**20) * 2.0**-20 for x in (delta, w, b))
    return [*images, rows, shift, first, stop, delta, one, w, b]


def _largest_value(source):
    (starts, _, values), n, _ = source.sparse(source.side())
    return [starts, values, source.rows(n)]


def _compress(source):
    n, width, at = source.side(), source.side(), source.side()
    images = source.values((n, width), np.float32) * (source.rng.random((n, width)) < 0.4)
    images = np.abs(images) * 100 % 256 if source.types.v == np.uint8 else images
    images = images.astype(source.types.v)
    size = at + np.count_nonzero(images) + 1  # one place is written to and not used
    places = np.zeros(n, np.int64), np.zeros(size, np.uint16), np.zeros(size, source.types.v)
    return [images, at, *places]


def _rows_affine(source):
    m, inputs, units = source.side(), source.side(), source.side()
    x = source.values((m, inputs), np.float32, 2.0 ** source.rng.integers(-9, 9))
    x = (x * (source.rng.random((m, inputs)) < 0.6)).astype(source.types.r)
    bits = 53 - min(24, 53 - 18 - log2_up(inputs)) - log2_up(inputs)
    z = np.full((m, units), 77, source.types.t)
    biases = source.biases(units).astype(source.types.t)
    return [x, bits, source.weights(inputs, units), biases, z]


def _interpolate(source):
    n, height, width, r = source.side(), source.side(), source.side(), source.types.r
    images = source.rng.random((n, height * width)).astype(r)
    x, y = (source.values(images.shape, r, scale) for scale in (width, height))
    x, y = (np.where(source.rng.random(p.shape) < 0.3, np.rint(p), p) for p in (x, y))
    return [images, height, width, x, y, *_like(images)]


def _update(states, factors):
    def case(source):
        n, real = source.side(), source.types.w
        w, g = source.values(n, real), source.values(n, source.types.t)
        state = [source.values(n, real) for _ in range(states)]
        if states == 2:
            state[1] = np.abs(state[1])
        return [w, g, *state, *source.rng.uniform(-0.5, 1.5, factors).tolist()]

    return case


def _adam(source):
    arguments = _update(2, 7)(source)
    arguments[4:] = np.abs(arguments[4:]).tolist()
    return arguments


def _average(source):
    n, real = source.side(), source.types.w
    return [source.values(n, real), source.values(n, real), float(source.rng.random())]


CASES = {
    "lookup": _lookup,
    "sigmoid": _rounded_function,
    "tanh": _rounded_function,
    "relu": lambda source: list(_function(source)),
    "softmax": _rounded_function,
    "sigmoid_scores": _scores,
    "times_sigmoid_derivative": _elementwise(2),
    "times_tanh_derivative": _elementwise(2),
    "times_relu_derivative": _elementwise(2),
    "equal": _equal,
    "count_outside": _count_outside,
    "largest": _largest,
    "round_to": _round_to,
    "scale_to_grid": _scale_to_grid,
    "affine": _affine,
    "times": _times,
    "sums": _sums,
    "sparse_affine": _sparse_affine,
    "sparse_add": _sparse_add,
    "largest_value": _largest_value,
    "compress": _compress,
    "rows_affine": _rows_affine,
    "interpolate": _interpolate,
    "sgd": _update(0, 2),
    "momentum": _update(1, 4),
    "nesterov": _update(1, 5),
    "adam": _adam,
    "average": _average,
}
# Sums of several terms, which floats round in an order of their own.
PRODUCTS = {"affine", "times", "sums", "sparse_affine", "sparse_add", "rows_affine"}
# Functions of z; they return the number of results that are doubtful.
COUNTING = {"sigmoid", "tanh", "softmax", "sigmoid_scores"}
# Those that only exact arithmetic uses.
EXACT_ONLY = {"sigmoid_scores", "round_to", "rows_affine"}
