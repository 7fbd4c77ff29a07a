"""Exact arithmetic: the same bytes on every processor. It knows no network.

- `grids`     matrix products without rounding
- `portable`  functions whose results are the same on every processor
"""
