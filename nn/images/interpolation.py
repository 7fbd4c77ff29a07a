"""Bilinear interpolation of images."""

import numpy as np
from numpy.typing import NDArray


def interpolate(
    images: NDArray, height: int, width: int, x: NDArray, y: NDArray, out: NDArray
) -> None:
    """Write images at the positions (x, y) to `out`, with bilinear interpolation.

    All arrays are (n, d), of the same dtype; `out` does not overlap `images`. Columns x and rows y
    are in pixels, and those of an image count from 1; outside of it is background, 0. Only
    elementwise operations are used, so the result is the same on every processor.
    """
    padded = np.zeros((len(images), height + 3, width + 3), images.dtype)
    padded[:, 1 : height + 1, 1 : width + 1] = images.reshape(-1, height, width)
    x, y = np.clip(x, 0.0, width + 1.0), np.clip(y, 0.0, height + 1.0)
    left, top = x.astype(np.intp), y.astype(np.intp)
    x -= left
    y -= top
    # Index of the pixel above and to the left; its three neighbours are at fixed offsets.
    top *= width + 3
    top += left
    top += np.arange(len(images))[:, None] * padded[0].size
    flat = padded.reshape(-1)
    above, right = flat.take(top, mode="clip"), flat[1:].take(top, mode="clip")
    right -= above
    right *= x
    above += right
    below = flat[width + 3 :].take(top, mode="clip")
    right = flat[width + 4 :].take(top, mode="clip")
    right -= below
    right *= x
    below += right
    below -= above
    below *= y
    np.add(above, below, out=out)
