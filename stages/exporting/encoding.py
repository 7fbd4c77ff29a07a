"""Arrays of numbers as text for the page; `page/encoding.js` reads them."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def encode_matrix(matrix: NDArray, digits: float) -> dict[str, Any]:
    """Quantize a matrix to integers of a few digits in base 64, with one step size per row.

    Args:
        matrix: (rows, columns), finite.
        digits: Number of digits per value: with 1, there are 31 steps between 0 and the greatest
            absolute value of a row; with 3, there are 131 071. With 0.5, two values share a digit,
            and there are 3 steps.

    Returns:
        The number of digits, the step of each row, and the values in order: as integers in base 64,
        lowest digit first, the middle one standing for 0.
    """
    middle = int(64**digits) // 2 - 1
    steps = np.array([_short(greatest / middle) or 1.0 for greatest in np.abs(matrix).max(axis=1)])
    integers = np.rint(matrix / steps[:, None]).astype(np.int64).clip(-middle, middle) + middle
    if digits < 1:
        integers = np.pad(integers.reshape(-1), (0, integers.size % 2)).reshape(-1, 2) @ [1, 8]
    places = 64 ** np.arange(max(1, int(digits)))
    letters = np.frombuffer(_ALPHABET, np.uint8)[integers[..., None] // places % 64]
    return {"digits": digits, "steps": steps.tolist(), "values": letters.tobytes().decode("ascii")}


def encode_vector(vector: NDArray) -> list[float]:
    """Numbers with seven significant digits."""
    return [_short(value) for value in vector]


def encode_bytes(array: NDArray) -> str:
    """The bytes of an array in C order, in base64."""
    return base64.b64encode(array.tobytes()).decode("ascii")


def _short(number: float) -> float:
    return float(f"{number:.7g}")
