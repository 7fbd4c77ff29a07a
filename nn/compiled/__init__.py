"""The operations of `nn.operations`, compiled by Numba; the only package that imports it.

- `products`     matrix products of small layers, and of sparse inputs
- `elementwise`  activation functions, errors, rounding to grids
- `updates`      steps of the optimizers
- `images`       interpolation
- `compiler`     compilation, and the cache of what was compiled

Without Numba, `nn.operations` is used: slower, with the same results in exact arithmetic.
"""
