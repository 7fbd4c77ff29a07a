"""Digits as different people draw them: shapes, and hands that distort them.

A shape is a list of strokes, a stroke a list of points in [0, 1]², y downwards.
"""

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float64]


def line(*points):
    """A stroke through the points, with a point every 0.02."""
    places = [np.array(points[0], float)]
    for end in np.array(points[1:], float):
        steps = max(2, int(np.hypot(*(end - places[-1])) / 0.02))
        start = places[-1]
        places += [start + (end - start) * k / steps for k in range(1, steps + 1)]
    return np.array(places)


def arc(x, y, rx, ry, start, end):
    """A stroke along an ellipse; angles in degrees, 0 is right and 90 is down."""
    angles = np.radians(np.linspace(start, end, 24))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def joined(*strokes):
    """One stroke through all of them."""
    return np.concatenate(strokes)


# Three shapes of most digits: as in print, as in a hurry, as elsewhere.
SHAPES: list[tuple[str, list[Stroke]]] = [
    ("0", [arc(0.5, 0.5, 0.22, 0.32, -90, 270)]),
    ("0", [arc(0.5, 0.5, 0.28, 0.3, -60, 310)]),
    ("0", [arc(0.5, 0.5, 0.16, 0.33, -100, 280)]),
    ("1", [line((0.5, 0.18), (0.5, 0.82))]),
    ("1", [line((0.58, 0.18), (0.45, 0.82))]),
    ("1", [line((0.38, 0.32), (0.52, 0.18), (0.52, 0.82))]),
    (
        "2",
        [joined(arc(0.5, 0.35, 0.2, 0.17, -170, 30), line((0.66, 0.45), (0.3, 0.8), (0.73, 0.8)))],
    ),
    (
        "2",
        [
            joined(
                arc(0.48, 0.36, 0.2, 0.18, -150, 50),
                line((0.6, 0.5), (0.32, 0.8)),
                line((0.34, 0.78), (0.5, 0.76), (0.72, 0.8)),
            )
        ],
    ),
    ("2", [line((0.32, 0.25), (0.5, 0.19), (0.66, 0.28), (0.66, 0.42), (0.3, 0.8), (0.7, 0.8))]),
    ("3", [joined(arc(0.48, 0.34, 0.19, 0.15, -160, 90), arc(0.48, 0.65, 0.22, 0.16, -90, 160))]),
    ("3", [joined(arc(0.47, 0.34, 0.17, 0.16, -140, 80), arc(0.47, 0.65, 0.2, 0.17, -80, 140))]),
    (
        "3",
        [
            joined(
                line((0.32, 0.2), (0.66, 0.2), (0.48, 0.44)), arc(0.47, 0.62, 0.2, 0.18, -80, 150)
            )
        ],
    ),
    ("4", [line((0.36, 0.2), (0.32, 0.55), (0.7, 0.55)), line((0.6, 0.2), (0.6, 0.82))]),
    ("4", [line((0.34, 0.2), (0.34, 0.5), (0.66, 0.5)), line((0.66, 0.18), (0.62, 0.82))]),
    ("4", [line((0.6, 0.82), (0.6, 0.18), (0.3, 0.58), (0.76, 0.58))]),
    (
        "5",
        [
            joined(line((0.36, 0.2), (0.34, 0.46)), arc(0.48, 0.62, 0.21, 0.19, -130, 140)),
            line((0.36, 0.2), (0.68, 0.2)),
        ],
    ),
    (
        "5",
        [
            joined(
                line((0.68, 0.2), (0.38, 0.2), (0.36, 0.46)), arc(0.49, 0.61, 0.2, 0.19, -120, 140)
            )
        ],
    ),
    (
        "5",
        [
            line(
                (0.68, 0.2),
                (0.38, 0.2),
                (0.36, 0.45),
                (0.56, 0.44),
                (0.68, 0.56),
                (0.64, 0.74),
                (0.5, 0.81),
                (0.32, 0.76),
            )
        ],
    ),
    (
        "6",
        [
            joined(
                line((0.6, 0.18), (0.44, 0.36), (0.34, 0.58)), arc(0.5, 0.63, 0.17, 0.17, -170, 190)
            )
        ],
    ),
    ("6", [joined(arc(0.64, 0.58, 0.3, 0.4, -110, -190), arc(0.5, 0.65, 0.16, 0.15, 170, 500))]),
    (
        "6",
        [
            joined(
                line((0.46, 0.18), (0.38, 0.5), (0.38, 0.68)), arc(0.51, 0.67, 0.14, 0.13, 180, 520)
            )
        ],
    ),
    ("7", [line((0.3, 0.2), (0.7, 0.2), (0.45, 0.82))]),
    (
        "7",
        [line((0.3, 0.22), (0.68, 0.2), (0.55, 0.5), (0.48, 0.82)), line((0.42, 0.5), (0.68, 0.5))],
    ),
    ("7", [line((0.3, 0.3), (0.32, 0.2), (0.7, 0.2), (0.56, 0.48), (0.5, 0.82))]),
    ("8", [joined(arc(0.5, 0.34, 0.16, 0.15, 90, -270), arc(0.5, 0.65, 0.2, 0.16, -90, 270))]),
    (
        "8",
        [
            joined(
                arc(0.5, 0.34, 0.15, 0.15, -50, -230),
                line((0.4, 0.45), (0.62, 0.58)),
                arc(0.5, 0.66, 0.16, 0.15, -30, 215),
                line((0.38, 0.57), (0.62, 0.42), (0.62, 0.26)),
            )
        ],
    ),
    (
        "9",
        [
            joined(
                arc(0.48, 0.36, 0.17, 0.17, -10, -360),
                line((0.65, 0.36), (0.62, 0.6), (0.56, 0.82)),
            )
        ],
    ),
    ("9", [joined(arc(0.5, 0.36, 0.17, 0.16, 0, -350), line((0.67, 0.3), (0.66, 0.82)))]),
    ("9", [joined(arc(0.5, 0.36, 0.17, 0.16, -20, -360), arc(0.4, 0.55, 0.27, 0.27, -30, 110))]),
]


def slashed_zeros(reach):
    """The shapes of 0 with a slash that has its ends at `reach` times the radius."""
    for digit, (outline,) in SHAPES[:3]:
        x, y = reach * np.ptp(outline, axis=0) / 2 / np.sqrt(2)
        yield digit, [outline, line((0.5 + x, 0.5 - y), (0.5 - x, 0.5 + y))]


def _linear(xx, xy, yx, yy):
    matrix = np.array([[xx, xy], [yx, yy]])
    return lambda stroke: 0.5 + (stroke - 0.5) @ matrix.T


def _turned(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _linear(c, -s, s, c)


def _shaky(stroke):
    distance = np.arange(len(stroke))[:, None]
    return stroke + 0.012 * np.sin(distance * [0.9, 0.7] + [0, 1])


HANDS = {
    "upright": _linear(1, 0, 0, 1),
    "large": _linear(1.35, 0, 0, 1.35),
    "small": _linear(0.5, 0, 0, 0.5),
    "tiny": _linear(0.2, 0, 0, 0.2),
    "narrow": _linear(0.7, 0, 0, 1),
    "wide": _linear(1.25, 0, 0, 0.9),
    "slanted": _linear(1, -0.25, 0, 1),
    "slanted back": _linear(1, 0.2, 0, 1),
    "turned": _turned(9),
    "turned back": _turned(-9),
    "shaky": _shaky,
}


def drawings(shapes=SHAPES):
    """(digit, hand, strokes) of the shapes by all hands."""
    for digit, strokes in shapes:
        for hand, distort in HANDS.items():
            yield digit, hand, [np.clip(distort(stroke), 0.02, 0.98) for stroke in strokes]
