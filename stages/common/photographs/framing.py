"""Framing of the training images: position and size of their objects; see `nn.images.framing`."""

import numpy as np
from numpy.typing import NDArray

from nn.images.framing import INK, LEVELS, Framing, measure
from nn.images.pixels import border

# Images measured at a time; images from which the width of strokes is measured.
_CHUNK, _SAMPLES = 4_096, 500
# Drawings are strokes on an empty background, unlike clothes and photographs: the first fraction of
# the border is empty; and the second fraction of the ink is at an edge, or half the width of the
# strokes is at most the third fraction of the image.
_EMPTY_BORDER, _EDGE, _STROKE = 0.4, 0.6, 0.12
# Minimum grey level of strokes.
_STROKE_INK = 64
# Tolerance of the measured bounds, in pixels and as a fraction of the maximum ink, because other
# images of the data set may be a little outside.
_PIXELS, _PART = 0.1, 0.1


def framing_of(images: NDArray, shape: tuple[int, int]) -> Framing:
    """The framing of training images.

    Args:
        images: (n, d) in [0, 1], where 0 is background; may be memory-mapped.
        shape: Height and width of an image in pixels.
    """
    parts = [
        measure(images[start : start + _CHUNK].reshape(-1, *shape))
        for start in range(0, len(images), _CHUNK)
    ]
    side, rows, columns, ink, peak, heights, widths = map(np.concatenate, zip(*parts, strict=True))
    usual = float(np.median(np.maximum(heights / shape[0], widths / shape[1])))
    return Framing(
        drawings=_are_drawings(images[:: max(1, len(images) // _SAMPLES)].reshape(-1, *shape)),
        box=(max(1.0, float(round(usual * shape[0]))), max(1.0, float(round(usual * shape[1])))),
        # Rounded to half a pixel, so that it does not depend on the choice of the images.
        centre=(round(2 * float(np.median(rows))) / 2, round(2 * float(np.median(columns))) / 2),
        peak=max(1 / LEVELS, float(np.median(peak))),
        side=_bounds(side, _PIXELS),
        rows=_bounds(rows, _PIXELS),
        columns=_bounds(columns, _PIXELS),
        ink=_bounds(ink, _PART * float(ink.max())),
    )


def _bounds(values: NDArray, margin: float) -> tuple[float, float]:
    return round(float(values.min()) - margin, 3), round(float(values.max()) + margin, 3)


def _are_drawings(images: NDArray) -> bool:
    # Imported here: SciPy takes half a second to import, and `--help` should be fast.
    from scipy import ndimage

    levels: NDArray = np.rint(images.astype(np.float64) * LEVELS)
    if (levels[:, border(levels.shape[1:])] < INK).mean() < _EMPTY_BORDER:
        return False
    masks = np.pad(np.asarray(levels >= _STROKE_INK), ((0, 0), (1, 1), (1, 1)))
    depths: list[NDArray] = [ndimage.distance_transform_cdt(mask, "chessboard") for mask in masks]
    edges = [float((d == 1).sum()) / max(1.0, float((d > 0).sum())) for d in depths]
    widths = [float(np.max(ndimage.distance_transform_edt(mask))) for mask in masks]
    longest = max(images.shape[1:])
    return bool(np.median(edges) >= _EDGE or np.median(widths) <= _STROKE * longest)
