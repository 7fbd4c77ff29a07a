"""Random weights to start from, one layer at a time.

| name | weights | biases |
|---|---|---|
| normal | N(0, 1), as in the article | N(0, 1) |
| scaled | N(0, 1/fan-in) | 0 |
| glorot | uniform within ± gain·√(6 / (fan-in + fan-out)) | 0 |

With `normal`, a unit with many inputs is saturated before it has learned anything. `scaled` keeps
its weighted input near N(0, 1) (Nielsen, chapter 3, "Weight initialization"; LeCun et al. 1998,
"Efficient BackProp", §4.6). `glorot` balances the signals on the way forward with the errors on the
way back; its gain depends on the unit's function (Glorot & Bengio 2010, equation 16 and §4.2.1).
"""

import numpy as np

from nn.blas import Array

INITIALIZATIONS = ("scaled", "normal", "glorot")


def random_layer(
    initialization: str,
    shape: tuple[int, int],
    gain: float,
    rng: np.random.Generator,
    dtype: type[np.float32] | type[np.float64],
) -> tuple[Array, Array]:
    """Weights of the given shape, (units out, units in), and biases, (units out,).

    Args:
        initialization: One of `INITIALIZATIONS`.
        shape: (fan-out, fan-in).
        gain: Of the units' function; only `glorot` uses it.
        rng: Where the randomness comes from.
        dtype: float32 or float64.

    Raises:
        ValueError: If `initialization` is unknown.
    """
    units, fan_in = shape
    if initialization == "glorot":
        limit = gain * np.sqrt(6.0 / (fan_in + units))
        w = rng.random(shape, dtype=dtype)
        w *= 2.0 * limit
        w -= limit
        return w, np.zeros(units, dtype)
    if initialization not in INITIALIZATIONS:
        raise ValueError(f"initialization {initialization!r} is none of {INITIALIZATIONS}")
    w = rng.standard_normal(shape, dtype=dtype)
    if initialization == "normal":
        return w, rng.standard_normal(units, dtype=dtype)
    w /= np.sqrt(fan_in, dtype=dtype)
    return w, np.zeros(units, dtype)
