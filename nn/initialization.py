"""Random initial weights and biases of a layer.

| name | weights | biases |
|---|---|---|
| normal | N(0, 1), as in the article | N(0, 1) |
| scaled | N(0, 1/fan-in) | 0 |
| glorot | uniform within ± gain·√(6 / (fan-in + fan-out)) | 0 |

With `normal`, the weighted input of a unit with many inputs is large, so that a sigmoid unit is
saturated from the start. `scaled` gives weighted inputs of about N(0, 1) (Nielsen, chapter 3,
"Weight initialization"; LeCun et al. 1998, "Efficient BackProp", §4.6). `glorot` keeps the variance
of the activations and of the gradients about equal in all layers; its gain depends on the
activation function (Glorot & Bengio 2010, "Understanding the Difficulty of Training Deep
Feedforward Neural Networks", equation 16 and §4.2.1).
"""

import numpy as np

from nn.activations import Array
from nn.exact.portable import standard_normal

INITIALIZATIONS = ("scaled", "normal", "glorot")


def random_layer(
    initialization: str,
    shape: tuple[int, int],
    gain: float,
    rng: np.random.Generator,
    dtype: type[np.float32] | type[np.float64],
) -> tuple[Array, Array]:
    """Draw the weights, of shape (fan-out, fan-in), and the biases, (fan-out,), of a layer.

    `gain` is the factor of `glorot`; see `activations.Activation`. Raises ValueError unless
    `initialization` is one of `INITIALIZATIONS`.
    """
    units, fan_in = shape
    if initialization == "glorot":
        limit = gain * np.sqrt(6.0 / (fan_in + units))
        uniform: Array = rng.random(shape, dtype=dtype)
        uniform *= 2.0 * limit
        uniform -= limit
        return uniform, np.zeros(units, dtype)
    if initialization not in INITIALIZATIONS:
        raise ValueError(
            f"initialization: expected one of {', '.join(INITIALIZATIONS)}, got {initialization!r}"
        )
    w: Array = standard_normal(rng, shape).astype(dtype)
    if initialization == "normal":
        return w, standard_normal(rng, units).astype(dtype)
    w /= np.sqrt(fan_in, dtype=dtype)
    return w, np.zeros(units, dtype)
