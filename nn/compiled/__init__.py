"""The operations of `nn.operations`, compiled by Numba; the only package that imports it.

- `products`     matrix products of small layers, and of sparse inputs
- `elementwise`  activation functions, errors, rounding to grids
- `updates`      steps of the optimizers
- `compiler`     compilation, and the cache of what was compiled

Nothing else changes when it is not there, but the time.
"""
