"""Removal of ruled lines, frames and the title bars of windows from a picture of digits."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# A ruled line deviates from a straight one by at most the first number, as a fraction of the
# picture's width; the second is its maximum slope, and the third its minimum fraction of ink.
_DEVIATION, _SLOPE, _COVERAGE = 0.006, 0.08, 0.93
# A border with ink in more places than ruled paper has lines is noise.
_MAX_STARTS = 200
# The usual thickness of a line is this quantile of the thickness along it; most of it may run along
# strokes.
_THICKNESS = 0.2
# A frame has this width and height in pixels at least. A digit in it has at least this fraction of
# the height of a hole, or of the frame if that is open, and of a table with this number of rows.
_LEAST_FRAME, _IN_HOLE, _OPEN, _ROWS = 20, 0.25, 0.4, 25
# Minimum area of a connected component after lines were removed, as a fraction of the largest one.
_MIN_AREA = 0.03
EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


def without_lines(ink: NDArray) -> NDArray:
    """Ink without lines across the whole picture and without frames around other ink.

    If ink still reaches the border of the picture after lines have been removed, they are taken to
    be strokes of a digit that fills the picture, and kept.

    Args:
        ink: (height, width) values in [0, 1], 0 is background.

    Returns:
        A copy with the ink of lines and frames set to 0; `ink` itself if there are none.
    """
    mask = ink > 0
    inside = _without_rules(_without_rules(mask).T).T
    if inside is not mask and (inside != mask).any():
        inside = _without_small_components(inside)
        high, wide = (max(2, n // 50) for n in mask.shape)
        middle = inside[high:-high, wide:-wide]
        if not inside.any() or middle.sum() < inside.sum():
            inside = mask
    inside = _without_frames(inside)
    return ink if inside.sum() == mask.sum() else np.where(inside, ink, 0.0)


def _without_rules(mask: NDArray) -> NDArray:
    """Remove ruled lines from the left to the right border, except where strokes cross them."""
    height, width = mask.shape
    if min(height, width) < 40:
        return mask
    deviation = max(1, round(_DEVIATION * width))
    thick = ndimage.binary_dilation(mask, np.ones((2 * deviation + 1, 1), bool))
    edge = max(1, width // 50)
    # Several columns, because another line may cross the beginning of this one.
    starts, ends = (
        sorted({row for column in columns for row in _middles(column)})
        for columns in (mask.T[:: max(1, edge // 2)][:3], mask.T[:: -max(1, edge // 2)][:3])
    )

    if max(len(starts), len(ends)) > _MAX_STARTS:
        return mask

    def is_line(start: float, end: float) -> bool:
        rows, columns = _pixels(start, end, mask.shape)
        return len(columns) > edge and thick[rows, columns].mean() >= _COVERAGE

    lines = [
        (start, end)
        for start in starts
        for end in ends
        if abs(end - start) <= _SLOPE * width and is_line(start, end)
    ]
    if lines:  # and parallel ones that leave the picture at the top or bottom
        fall = float(np.median([end - start for start, end in lines]))
        parallel = [(start, start + fall) for start in starts] + [(end - fall, end) for end in ends]
        lines += [
            (start, end)
            for start, end in parallel
            if not (0 <= start < height and 0 <= end < height) and is_line(start, end)
        ]
    found = mask
    for start, end in lines:
        found = _without_rule(found, mask, *_pixels(start, end, mask.shape), deviation)
    return found


def _pixels(start: float, end: float, shape: tuple[int, ...]) -> tuple[NDArray, NDArray]:
    """Rows and columns of a straight line from the left to the right border."""
    columns = np.arange(shape[1])
    rows = np.rint(np.linspace(start, end, shape[1])).astype(int)
    inside = (rows >= 0) & (rows < shape[0])
    return rows[inside], columns[inside]


def _without_rule(
    found: NDArray, mask: NDArray, rows: NDArray, columns: NDArray, deviation: int
) -> NDArray:
    """Remove the vertical runs of ink on a line, except those that are longer than usual."""
    runs = []
    for x, row in zip(columns, rows, strict=True):
        column = mask[:, x]
        near = np.flatnonzero(column[max(0, row - deviation) : row + deviation + 1])
        if len(near) == 0:
            continue
        place = max(0, row - deviation) + near[np.abs(near - deviation).argmin()]
        below, above = column[place:], column[place::-1]
        down = below.argmin() if not below.all() else len(below)
        up = above.argmin() if not above.all() else len(above)
        runs.append((x, place - up + 1, place + down))
    usual = np.quantile([bottom - top for _, top, bottom in runs], _THICKNESS)
    if usual > 0.3 * len(mask):
        return found
    found = found.copy()
    for x, top, bottom in runs:
        if bottom - top <= 1.5 * usual + 2:
            found[top:bottom, x] = False
    return found


def _middles(column: NDArray) -> list[float]:
    """The middle of each run of ink."""
    labels, _ = ndimage.label(column)
    return [(part.start + part.stop - 1) / 2 for (part,) in ndimage.find_objects(labels)]


def _without_small_components(mask: NDArray) -> NDArray:
    labels, count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    return (areas >= max(_MIN_AREA * areas.max(), 1))[labels]


def _without_frames(mask: NDArray) -> NDArray:
    """Remove frames, tables and circles: components around another one as large as a digit."""
    labels, _ = ndimage.label(mask, EIGHT_NEIGHBOURS)
    boxes = ndimage.find_objects(labels)
    frames = []
    for number, box in enumerate(boxes, 1):
        component = labels[box] == number
        if min(component.shape) < _LEAST_FRAME:
            continue
        holes, _ = ndimage.label(ndimage.binary_fill_holes(component) & ~component)
        hole_at = np.zeros(mask.shape, int)
        hole_at[box] = holes
        # The height that a digit needs: in a hole, and in a circle that is not closed.
        heights = [_OPEN * len(component)]
        heights += [_IN_HOLE * (rows.stop - rows.start) for rows, _ in ndimage.find_objects(holes)]
        for other, inner in enumerate(boxes, 1):
            if other != number and _contains(box, inner):
                least = heights[hole_at[inner][labels[inner] == other][0]]
                if inner[0].stop - inner[0].start >= max(least, len(component) / _ROWS, 8):
                    frames.append(number)
                    break
    return mask & ~np.isin(labels, frames) if frames else mask


def _contains(box: tuple[slice, ...], other: tuple[slice, ...]) -> bool:
    return all(a.start <= b.start and b.stop <= a.stop for a, b in zip(box, other, strict=True))
