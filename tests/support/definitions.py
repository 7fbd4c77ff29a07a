"""The definition of each operation in NumPy; those for sparse images are here."""

import numpy as np

from nn import operations


def dense_rows(starts, columns, values, rows, shift, width, dtype):
    """The chosen rows of sparse images, rounded by the shift, as an array."""
    x, shift = np.zeros((len(rows), width), dtype), np.dtype(dtype).type(shift)
    for line, row in zip(x, rows, strict=True):
        part = slice(starts[row], starts[row + 1])
        line[columns[part]] = (values[part].astype(dtype) + shift) - shift
    return x


def sparse_affine(starts, columns, values, rows, shift, w, b, one, z):
    z[...] = dense_rows(starts, columns, values, rows, shift, len(w), w.dtype) @ w + one * b


def sparse_add(starts, columns, values, rows, shift, first, stop, delta, one, w, b):
    x = dense_rows(starts, columns, values, rows, shift, len(w), w.dtype)[:, first:stop]
    w[first:stop] += x.T @ delta
    if first == 0:
        b += one * delta.sum(axis=0)


def largest_value(starts, values, rows):
    found = [values[starts[row] : starts[row + 1]] for row in rows]
    return float(np.abs(np.concatenate(found).astype(float)).max(initial=0.0))


def compress(images, at, starts, columns, values):
    for k, image in enumerate(images):
        (places,) = np.nonzero(image)
        columns[at : at + len(places)], values[at : at + len(places)] = places, image[places]
        at += len(places)
        starts[k] = at
    return at


def definition(name):
    """The operation in NumPy."""
    return getattr(operations, name, None) or globals()[name]
