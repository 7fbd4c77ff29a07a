"""Checks of the arrays that callers pass in; each reads an array once, without a copy."""

import math

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 4_096


def are_targets(targets: NDArray) -> bool:
    """Whether each row of (n, classes) targets is a distribution: one-hot, or smoothed."""
    sums = targets.sum(axis=1)
    return bool(targets.min() >= 0 and sums.min() > 0.999 and sums.max() < 1.001)


def require_values(name: str, array: NDArray, low: float, high: float) -> None:
    """Raise ValueError with this name if a value is not finite or not from `low` to `high`.

    The array has (n, …) floats, and may be memory-mapped.
    """
    for start in range(0, len(array), _ROWS_AT_ONCE):
        rows = array[start : start + _ROWS_AT_ONCE]
        lowest, highest = float(rows.min(initial=np.inf)), float(rows.max(initial=-np.inf))
        # Comparisons with nan are false.
        if rows.size and not (
            low <= lowest and highest <= high and -np.inf < lowest and highest < np.inf
        ):
            limits = f" from {low:g} to {high:g}" if np.isfinite([low, high]).any() else ""
            raise ValueError(
                f"{name}: expected finite numbers{limits}, got values from {lowest:g} to "
                f"{highest:g}"
            )


def square(pixels: int) -> tuple[int, int] | None:
    """Height and width of a square image with this number of pixels, None if there is none."""
    side = math.isqrt(pixels)
    return (side, side) if side * side == pixels else None
