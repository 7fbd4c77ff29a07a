"""Matrix products: of small layers, and of first layers most of whose inputs are 0.

In exact arithmetic nothing is rounded here, so the terms of a sum may be added in any order, and
multiplied and added at once.
"""

import numpy as np
from numba import njit

from nn.compiled.compiler import compiled
from nn.compiled.elementwise import rounding_shift, top

_ANY_ORDER = {"contract", "reassoc"}
# Inputs of all samples that are multiplied before the next ones, so that their weights stay in the
# processor's cache.
_BAND = 98


@compiled("T[:,::1], T[:,::1], W[::1], T[:,::1]", _ANY_ORDER)
def affine(a, w, b, z):
    """z ← a @ w.T + b."""
    for i in range(len(a)):
        for j in range(len(w)):
            total = z.dtype.type(0)
            for k in range(w.shape[1]):
                total += a[i, k] * w[j, k]
            z[i, j] = total + b[j]


@compiled("T[:,::1], T[:,::1], T[:,::1], T[::1]", _ANY_ORDER)
def sums(delta, a, of_weights, of_biases):
    """of_weights ← delta.T @ a, of_biases ← Σ delta."""
    of_weights[:] = 0
    of_biases[:] = 0
    for i in range(len(delta)):
        inputs = a[i]
        for j in range(len(of_biases)):
            d, row = delta[i, j], of_weights[j]
            of_biases[j] += d
            for k in range(len(row)):
                row[k] += d * inputs[k]


@njit(inline="always")
def _add_inputs(columns, values, k, stop, end, shift, w, row):
    """row ← row + x @ w for the inputs of one sample from place k on and below column `end`.

    Returns the next place, at most `stop`.
    """
    # Four inputs at a time, so that the row is read and written less often.
    while k + 4 <= stop and columns[k + 3] < end:
        w0, w1, w2, w3 = w[columns[k]], w[columns[k + 1]], w[columns[k + 2]], w[columns[k + 3]]
        v0, v1 = (values[k] + shift) - shift, (values[k + 1] + shift) - shift
        v2, v3 = (values[k + 2] + shift) - shift, (values[k + 3] + shift) - shift
        for j in range(len(row)):
            row[j] += (v0 * w0[j] + v1 * w1[j]) + (v2 * w2[j] + v3 * w3[j])
        k += 4
    while k < stop and columns[k] < end:
        w0, v0 = w[columns[k]], (values[k] + shift) - shift
        for j in range(len(row)):
            row[j] += v0 * w0[j]
        k += 1
    return k


@compiled("i8[::1], u2[::1], V[::1], i8[::1], T, T[:,::1], T[::1], T, T[:,::1]", {"contract"})
def sparse_affine(starts, columns, values, rows, shift, w, b, one, z):
    """z ← x @ w + one·b, where x are the chosen rows of sparse images, rounded by `shift`.

    The images are those of `training.inputs.Sparse`; `rows` are (m,) indices of them. For the shift
    see `exact.portable.shifter`; 0 does not round. w is (inputs, columns), b (columns,), and
    z (m, columns); there may be more columns than units. `one` is the input of the biases.
    """
    z[:] = 0
    places = starts[rows]
    for end in range(_BAND, len(w) + _BAND, _BAND):
        for i in range(len(rows)):
            stop = starts[rows[i] + 1]
            places[i] = _add_inputs(columns, values, places[i], stop, end, shift, w, z[i])
    # Last, because the biases need not be on the grid of the products.
    for i in range(len(rows)):
        for j in range(z.shape[1]):
            z[i, j] += one * b[j]


@compiled(
    "i8[::1], u2[::1], V[::1], i8[::1], T, i8, i8, T[:,::1], T, T[:,::1], T[::1]", {"contract"}
)
def sparse_add(starts, columns, values, rows, shift, first, stop, delta, one, w, b):
    """w ← w + x.T @ delta for the inputs from first to stop; if first is 0, b ← b + one·Σ delta.

    `delta` is (m, columns); for the other arguments see `sparse_affine`.
    """
    places = starts[rows]
    for begin in range(first, stop, _BAND):
        end = min(begin + _BAND, stop)
        for i in range(len(rows)):
            d, k, last = delta[i], places[i], starts[rows[i] + 1]
            while k < last and columns[k] < begin:
                k += 1
            while k < last and columns[k] < end:
                row, v = w[columns[k]], (values[k] + shift) - shift
                for j in range(len(d)):
                    row[j] += v * d[j]
                k += 1
            places[i] = k
    if first == 0:
        for i in range(len(rows)):
            for j in range(len(b)):
                b[j] += one * delta[i, j]


@compiled("i8[::1], V[::1], i8[::1]")
def largest_value(starts, values, rows):
    """The largest |value| of the chosen rows of sparse images."""
    found = np.int64(0)
    for i in range(len(rows)):
        found = max(found, top(values[starts[rows[i]] : starts[rows[i] + 1]]))
    return np.int64(found).view(np.float64)


@compiled("V[:,::1], i8, i8[::1], u2[::1], V[::1]")
def compress(images, at, starts, columns, values):
    """Write the values that are not 0, and their columns, from place `at` on; the next place."""
    for i in range(images.shape[0]):
        for j in range(images.shape[1]):
            # The place is overwritten unless the value is counted.
            columns[at], values[at] = j, images[i, j]
            at += np.int64(images[i, j] != 0)
        starts[i] = at
    return at


@compiled("R[:,::1], i8, T[:,::1], T[::1], T[:,::1]", {"contract"})
def rows_affine(x, bits, w, b, z):
    """z ← x @ w + b, with each row of x rounded to so many bits of its largest element."""
    columns, values = np.empty(len(w), np.int64), np.empty(len(w), z.dtype)
    for i in range(len(x)):
        shift = rounding_shift(top(x[i]), bits)
        count = 0
        for k in range(len(w)):
            columns[count], values[count] = k, x[i, k]
            count += np.int64(x[i, k] != 0)
        z[i] = 0
        _add_inputs(columns, values, 0, count, len(w), shift, w, z[i])
        for j in range(z.shape[1]):
            z[i, j] += b[j]
