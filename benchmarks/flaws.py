"""The flaws of photographs of sheets of paper: shadows, objects, dirt, lines.

Each function takes a `Sheet` and random numbers, and paints on the sheet.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.sheets import Sheet, draw_line, drawn

Flaw = Callable[[Sheet, Generator], None]


def clean(sheet: Sheet, rng: Generator) -> None:
    """No flaw."""


def _shadow(sheet: Sheet, rng: Generator, soft: float) -> None:
    """A shadow from one side or a corner, or a spot, over a fifth to a half of the sheet."""
    height, width = sheet.shape
    y, x = np.mgrid[:height, :width]
    kind = rng.integers(3)
    if kind == 0:  # one side
        angle = rng.uniform(0, 2 * np.pi)
        distance = y * np.sin(angle) + x * np.cos(angle)
    elif kind == 1:  # a spot
        distance = np.hypot(
            (y - rng.uniform(0, height)) / height, (x - rng.uniform(0, width)) / width
        )
    else:  # a hand: three fingers from one side
        distance = np.full(sheet.shape, np.inf)
        for k in range(3):
            centre, reach = width * (0.15 + 0.22 * k + rng.uniform(0, 0.05)), rng.uniform(0.3, 0.8)
            finger = np.hypot(
                (x - centre) / (0.13 * width), np.maximum(y - reach * height, 0) / (0.13 * width)
            )
            distance = np.minimum(distance, finger)
        if rng.random() < 0.5:
            distance = distance[::-1, ::-1]
    edge = np.quantile(distance, rng.uniform(0.2, 0.5))
    shade = (distance <= edge).astype(float)
    shade = ndimage.gaussian_filter(shade, soft * min(sheet.shape))
    sheet.light *= 1 - rng.uniform(0.15, 0.5) * shade


def hard_shadow(sheet: Sheet, rng: Generator) -> None:
    """A shadow with a hard edge, 15 to 50 % darker."""
    _shadow(sheet, rng, 0.002)


def soft_shadow(sheet: Sheet, rng: Generator) -> None:
    """A shadow with a soft edge, 15 to 50 % darker."""
    _shadow(sheet, rng, rng.uniform(0.01, 0.06))


def hand_third(sheet: Sheet, rng: Generator) -> None:
    """A shadow over a third of the sheet, 35 % darker, hard or soft edge."""
    height, width = sheet.shape
    shade, (tall, wide) = np.zeros(sheet.shape), (height // 3, width // 3)
    sides = np.s_[:, :wide], np.s_[:, -wide:], np.s_[:tall], np.s_[-tall:]
    shade[sides[rng.integers(4)]] = 1
    sheet.light *= 1 - 0.35 * ndimage.gaussian_filter(shade, rng.choice([0.0, 0.03]) * width)


def _free(sheet: Sheet, covered: NDArray) -> bool:
    """Whether something keeps a little distance from all digits."""
    return not any(
        covered[max(0, top - 4) : bottom + 4, max(0, left - 4) : right + 4].any()
        for top, bottom, left, right in sheet.boxes
    )


def _until_free(sheet: Sheet, mask: Callable[[], NDArray]) -> NDArray:
    for _ in range(200):
        covered = mask()
        if _free(sheet, covered > 0):
            return covered
    return np.zeros(sheet.shape)


def _lay(sheet: Sheet, covered: NDArray, brightness: float) -> None:
    sheet.objects = np.where(covered > 0.5, brightness, sheet.objects)


def thumb(sheet: Sheet, rng: Generator) -> None:
    """A thumb at the edge, darker or brighter than the paper."""
    height, width = sheet.shape

    def mask() -> NDArray:
        side = rng.integers(4)
        along, deep = rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.35)
        wide = rng.uniform(0.06, 0.18)
        y, x = np.mgrid[:height, :width]
        u, v = (x / width, y / height) if side % 2 else (y / height, x / width)
        v = v if side < 2 else 1 - v
        slant = rng.uniform(-0.4, 0.4)
        return (((u - along - slant * v) / wide) ** 2 + (v / deep) ** 2 <= 1).astype(float)

    covered = _until_free(sheet, mask)
    _lay(sheet, covered, rng.uniform(0.3, 0.7))


def desk_corner(sheet: Sheet, rng: Generator) -> None:
    """The desk at a corner of the picture."""
    height, width = sheet.shape

    def mask() -> NDArray:
        y, x = np.mgrid[:height, :width]
        u = x / width if rng.random() < 0.5 else 1 - x / width
        v = y / height if rng.random() < 0.5 else 1 - y / height
        return (u / rng.uniform(0.1, 0.5) + v / rng.uniform(0.1, 0.5) <= 1).astype(float)

    _lay(sheet, _until_free(sheet, mask), rng.uniform(0.05, 0.6))


def desk_edge(sheet: Sheet, rng: Generator) -> None:
    """The desk along one side of the picture."""
    height, width = sheet.shape

    def mask() -> NDArray:
        y, x = np.mgrid[:height, :width]
        u, v = (y / height, x / width) if rng.random() < 0.5 else (x / width, y / height)
        u = u if rng.random() < 0.5 else 1 - u
        return (u + rng.uniform(-0.1, 0.1) * v <= rng.uniform(0.04, 0.2)).astype(float)

    _lay(sheet, _until_free(sheet, mask), rng.uniform(0.05, 0.6))


def paper_on_desk(sheet: Sheet, rng: Generator) -> None:
    """The desk along all sides of the picture, turned a little."""
    height, width = sheet.shape

    def mask() -> NDArray:
        y, x = np.mgrid[:height, :width]
        turn, (tall, wide) = rng.uniform(-0.06, 0.06), rng.uniform(0.03, 0.12, 2)
        u, v = x / width - 0.5, y / height - 0.5
        u, v = u + turn * v, v - turn * u
        return ((np.abs(u) > 0.5 - wide) | (np.abs(v) > 0.5 - tall)).astype(float)

    _lay(sheet, _until_free(sheet, mask), rng.uniform(0.05, 0.5))


def punch_hole(sheet: Sheet, rng: Generator) -> None:
    """A punch hole near an edge, or two."""
    height, width = sheet.shape
    radius = rng.uniform(0.025, 0.07) * min(sheet.shape)

    def mask() -> NDArray:
        y, x = np.mgrid[:height, :width]
        far = rng.uniform(1.3, 2.5) * radius
        left = far if rng.random() < 0.5 else width - far
        top = rng.uniform(0.15, 0.85) * height
        return (np.hypot(y - top, x - left) <= radius).astype(float)

    for _ in range(rng.integers(1, 3)):
        _lay(sheet, _until_free(sheet, mask), rng.uniform(0.0, 0.4))


def circled(sheet: Sheet, rng: Generator) -> None:
    """A circle around the digit."""
    top, bottom, left, right = sheet.boxes[0]
    thick = max(2, (bottom - top) * rng.uniform(0.03, 0.12))
    reach = np.hypot(bottom - top, right - left) / 2 * rng.uniform(1.1, 1.5) + thick
    y, x = (top + bottom) / 2, (left + right) / 2
    tall, wide = reach * rng.uniform(0.95, 1.15, 2)
    box = [2 * n for n in (x - wide, y - tall, x + wide, y + tall)]
    ring = drawn(sheet.shape, lambda on: on.ellipse(box, outline=255, width=round(2 * thick)))
    np.maximum(sheet.coverage, ring, out=sheet.coverage)


def underlined(sheet: Sheet, rng: Generator) -> None:
    """One or two lines below the digit."""
    top, bottom, left, right = sheet.boxes[0]
    high = bottom - top
    wide = max(right - left, 0.4 * high) * rng.uniform(0.9, 1.9)
    middle, thick = (left + right) / 2, high * rng.uniform(0.03, 0.1)
    y, fall = bottom + high * rng.uniform(0.06, 0.25) + thick / 2, high * rng.uniform(-0.04, 0.04)
    for k in range(rng.integers(1, 3)):
        at = y + k * (thick + 0.1 * high)
        draw_line(sheet, (at - fall, middle - wide / 2), (at + fall, middle + wide / 2), thick)


def minus(sheet: Sheet, rng: Generator) -> None:
    """A minus before the digit."""
    top, bottom, left, _ = sheet.boxes[0]
    high = bottom - top
    y, x = (top + bottom) / 2 + high * rng.uniform(-0.1, 0.1), left - high * rng.uniform(0.1, 0.35)
    draw_line(sheet, (y, x - high * rng.uniform(0.25, 0.5)), (y, x), high * rng.uniform(0.05, 0.12))


def specks(sheet: Sheet, rng: Generator) -> None:
    """Three specks of dirt."""
    high = sheet.boxes[0][1] - sheet.boxes[0][0]
    for _ in range(3):
        y, x = (rng.uniform(0, n) for n in sheet.shape)
        draw_line(sheet, (y, x - 0.5), (y, x + 0.5), max(1.5, high * rng.uniform(0.01, 0.06)))


def dark_pixel(sheet: Sheet, rng: Generator) -> None:
    """One dark pixel."""
    y, x = (rng.integers(n) for n in sheet.shape)
    sheet.objects[y, x] = 0.0


def line_through(sheet: Sheet, rng: Generator) -> None:
    """A fold or a margin through the digit, over the whole sheet."""
    top, bottom, left, right = sheet.boxes[0]
    height, width = sheet.shape
    thick = max(1.0, min(sheet.shape) * rng.uniform(0.004, 0.02))
    strength, fall = rng.uniform(0.3, 1.0), rng.uniform(-0.04, 0.04)
    if rng.random() < 0.5:
        y = rng.uniform(top, bottom)
        ends = (y - fall * width / 2, 0), (y + fall * width / 2, width)
    else:
        x = rng.uniform(left, right)
        ends = (0, x - fall * height / 2), (height, x + fall * height / 2)
    draw_line(sheet, *ends, thick, strength)


def rules(sheet: Sheet, rng: Generator) -> None:
    """Ruled or squared paper."""
    height, width = sheet.shape
    gap, thick = min(sheet.shape) * rng.uniform(0.1, 0.25), rng.uniform(1, 2)
    strength, fall = rng.uniform(0.15, 0.6), rng.uniform(-0.02, 0.02)
    for y in np.arange(rng.uniform(0, gap), height, gap):
        draw_line(sheet, (y, 0), (y + fall * width, width), thick, strength)
    if rng.random() < 0.5:
        for x in np.arange(rng.uniform(0, gap), width, gap):
            draw_line(sheet, (0, x), (height, x - fall * height), thick, strength)


FLAWS: dict[str, Flaw] = {
    "clean": clean,
    "shadow over a third": hand_third,
    "shadow, hard edge": hard_shadow,
    "shadow, soft edge": soft_shadow,
    "thumb": thumb,
    "corner of the desk": desk_corner,
    "edge of the desk": desk_edge,
    "paper on a desk": paper_on_desk,
    "circled": circled,
    "punch hole": punch_hole,
    "underlined": underlined,
    "minus": minus,
    "three specks": specks,
    "one dark pixel": dark_pixel,
    "line through the digit": line_through,
    "ruled paper": rules,
}
