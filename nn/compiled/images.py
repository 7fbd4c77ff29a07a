"""Interpolation of images."""

import numpy as np

from nn.compiled.compiler import compiled


@compiled("R[:,::1], i8, i8, R[:,::1], R[:,::1], R[:,::1]")
def interpolate(images, height, width, x, y, out):
    """Write the images at the positions (x, y) to `out`; see `nn.operations`."""
    line = width + 3
    padded = np.zeros((height + 3) * line, images.dtype)
    zero, right_end, lower_end = x.dtype.type(0), x.dtype.type(width + 1), x.dtype.type(height + 1)
    for i in range(len(images)):
        for row in range(height):
            for column in range(width):
                padded[(row + 1) * line + column + 1] = images[i, row * width + column]
        for k in range(x.shape[1]):
            at_x, at_y = min(max(x[i, k], zero), right_end), min(max(y[i, k], zero), lower_end)
            left, top = np.int64(at_x), np.int64(at_y)
            at_x, at_y = x.dtype.type(at_x - left), y.dtype.type(at_y - top)
            place = top * line + left
            above = padded[place] + (padded[place + 1] - padded[place]) * at_x
            place += line
            below = padded[place] + (padded[place + 1] - padded[place]) * at_x
            out[i, k] = above + (below - above) * at_y
