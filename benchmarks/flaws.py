"""Photographs of MNIST's digits on paper, with the flaws that photographs have.

Each function takes a `Sheet` and random numbers, and paints on the sheet. Sizes, places and
strengths are drawn at random; lengths are relative to the sheet or to the height of the digit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage


@dataclass
class Sheet:
    """A sheet of paper with digits.

    Attributes:
        coverage: (height, width) ink from 0 to 1.
        light: (height, width) factor of the brightness, of shadows.
        objects: (height, width) brightness of what lies on the sheet; NaN where nothing does.
        boxes: Top, bottom, left and right of each digit in pixels.
        text: The digits in reading order.
    """

    coverage: NDArray
    light: NDArray
    objects: NDArray
    boxes: list[tuple[int, int, int, int]]
    text: str

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.coverage.shape
        return height, width


Flaw = Callable[[Sheet, Generator], None]


def blank(height: int, width: int) -> Sheet:
    """A sheet without digits."""
    shape = (height, width)
    return Sheet(np.zeros(shape), np.ones(shape), np.full(shape, np.nan), [], "")


def write(sheet: Sheet, image: NDArray, label: int, height: int, top: int, left: int) -> None:
    """Write a (28, 28) digit on the sheet, with this height in pixels."""
    rows, columns = (np.flatnonzero((image > 0).any(axis=axis)) for axis in (1, 0))
    crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(1, round(height * crop.shape[1] / crop.shape[0]))
    large = Image.fromarray(np.rint(255 * crop).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    part = sheet.coverage[top : top + height, left : left + width]
    np.maximum(part, np.asarray(large)[: part.shape[0], : part.shape[1]] / 255, out=part)
    sheet.boxes.append((top, top + part.shape[0], left, left + part.shape[1]))
    sheet.text += str(label)


def single(image: NDArray, label: int, rng: Generator) -> Sheet:
    """A sheet with one digit somewhere."""
    height = int(rng.integers(140, 500))
    width = int(height * rng.uniform(0.75, 1.4))
    sheet = blank(height, width)
    size = int(min(height, width) * rng.uniform(0.3, 0.6))
    across = _width(image, size)
    size, across = (n * min(1.0, 0.6 * width / across) for n in (size, across))
    top, left = (rng.uniform(0.14, 0.86 - n / m) * m for n, m in ((size, height), (across, width)))
    write(sheet, image, label, int(size), int(top), int(left))
    return sheet


def _width(image: NDArray, height: float) -> float:
    rows, columns = ((image > 0).any(axis=axis).nonzero()[0] for axis in (1, 0))
    return float(height * (np.ptp(columns) + 1) / (np.ptp(rows) + 1))


def photograph(sheet: Sheet, rng: Generator, *, inverted: bool = False) -> NDArray[np.uint8]:
    """The sheet's brightness: paper, ink, uneven light, blur and noise at random."""
    paper, ink = rng.uniform(0.7, 1.0), rng.uniform(0.05, 0.4)
    y, x = np.mgrid[: sheet.shape[0], : sheet.shape[1]]
    slope = rng.uniform(-0.06, 0.06, 2)
    light = 1 + slope[0] * (y / sheet.shape[0] - 0.5) + slope[1] * (x / sheet.shape[1] - 0.5)
    picture = (paper + (ink - paper) * sheet.coverage) * light
    if inverted:
        picture = 1 - picture
    picture = np.where(np.isnan(sheet.objects), picture * sheet.light, sheet.objects)
    picture = ndimage.gaussian_filter(picture, rng.uniform(0, 1.0))
    picture = picture + rng.normal(0, rng.uniform(0, 0.02), picture.shape)
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def clean(sheet: Sheet, rng: Generator) -> None:
    """No flaw."""


def _draw(shape: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw], None]) -> NDArray:
    """Coverage from 0 to 1 of what `paint` draws in white, without jagged edges."""
    image = Image.new("L", (2 * shape[1], 2 * shape[0]))
    paint(ImageDraw.Draw(image))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BOX)) / 255


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
    shade = np.zeros(sheet.shape)
    side = rng.integers(4)
    if side == 0:
        shade[:, : width // 3] = 1
    elif side == 1:
        shade[:, -(width // 3) :] = 1
    elif side == 2:
        shade[: height // 3] = 1
    else:
        shade[-(height // 3) :] = 1
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
    ring = _draw(sheet.shape, lambda on: on.ellipse(box, outline=255, width=round(2 * thick)))
    np.maximum(sheet.coverage, ring, out=sheet.coverage)


def _line(sheet: Sheet, start: tuple, end: tuple, thick: float, strength: float = 1.0) -> None:
    """A line of ink; places are (y, x) in pixels."""
    points = [(2 * x, 2 * y) for y, x in (start, end)]
    width = max(1, round(2 * thick))
    drawn = _draw(sheet.shape, lambda on: on.line(points, fill=255, width=width))
    np.maximum(sheet.coverage, strength * drawn, out=sheet.coverage)


def underlined(sheet: Sheet, rng: Generator) -> None:
    """One or two lines below the digit."""
    top, bottom, left, right = sheet.boxes[0]
    high = bottom - top
    wide = max(right - left, 0.4 * high) * rng.uniform(0.9, 1.9)
    middle, thick = (left + right) / 2, high * rng.uniform(0.03, 0.1)
    y, fall = bottom + high * rng.uniform(0.06, 0.25) + thick / 2, high * rng.uniform(-0.04, 0.04)
    for k in range(rng.integers(1, 3)):
        at = y + k * (thick + 0.1 * high)
        _line(sheet, (at - fall, middle - wide / 2), (at + fall, middle + wide / 2), thick)


def minus(sheet: Sheet, rng: Generator) -> None:
    """A minus before the digit."""
    top, bottom, left, _ = sheet.boxes[0]
    high = bottom - top
    y, x = (top + bottom) / 2 + high * rng.uniform(-0.1, 0.1), left - high * rng.uniform(0.1, 0.35)
    _line(sheet, (y, x - high * rng.uniform(0.25, 0.5)), (y, x), high * rng.uniform(0.05, 0.12))


def specks(sheet: Sheet, rng: Generator) -> None:
    """Three specks of dirt."""
    high = sheet.boxes[0][1] - sheet.boxes[0][0]
    for _ in range(3):
        y, x = (rng.uniform(0, n) for n in sheet.shape)
        _line(sheet, (y, x - 0.5), (y, x + 0.5), max(1.5, high * rng.uniform(0.01, 0.06)))


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
    _line(sheet, *ends, thick, strength)


def rules(sheet: Sheet, rng: Generator) -> None:
    """Ruled or squared paper."""
    height, width = sheet.shape
    gap, thick = min(sheet.shape) * rng.uniform(0.1, 0.25), rng.uniform(1, 2)
    strength, fall = rng.uniform(0.15, 0.6), rng.uniform(-0.02, 0.02)
    for y in np.arange(rng.uniform(0, gap), height, gap):
        _line(sheet, (y, 0), (y + fall * width, width), thick, strength)
    if rng.random() < 0.5:
        for x in np.arange(rng.uniform(0, gap), width, gap):
            _line(sheet, (0, x), (height, x - fall * height), thick, strength)


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


def grid(images: NDArray, labels: NDArray, rows: int, columns: int, rng: Generator) -> Sheet:
    """A table with a digit in each cell."""
    cell = int(rng.integers(60, 110))
    wide = int(cell * rng.uniform(0.8, 1.6))
    margin = int(cell * rng.uniform(0.1, 0.6))
    sheet = blank(rows * cell + 2 * margin, columns * wide + 2 * margin)
    thick = rng.uniform(1, 4)
    for k in range(rows + 1):
        y = margin + k * cell
        _line(sheet, (y, margin - thick / 2), (y, margin + columns * wide + thick / 2), thick)
    for k in range(columns + 1):
        x = margin + k * wide
        _line(sheet, (margin, x), (margin + rows * cell, x), thick)
    for k, (image, label) in enumerate(zip(images, labels, strict=True)):
        high = cell * rng.uniform(0.45, 0.7)
        across = _width(image, high)
        high, across = (n * min(1.0, 0.7 * wide / across) for n in (high, across))
        top = margin + k // columns * cell + (cell - high) * rng.uniform(0.3, 0.7)
        left = margin + k % columns * wide + (wide - across) * rng.uniform(0.3, 0.7)
        write(sheet, image, int(label), int(high), int(top), int(left))
    return sheet


def row(images: NDArray, labels: NDArray, gap: float, rng: Generator) -> Sheet:
    """Digits in a line; `gap` is their distance as a fraction of the height, negative to touch."""
    high = int(rng.integers(60, 160))
    margin = int(high * rng.uniform(0.3, 0.8))
    width = sum(_width(image, high) + abs(gap) * high for image in images)
    sheet = blank(high + 2 * margin, int(width) + 2 * margin)
    left = float(margin)
    for image, label in zip(images, labels, strict=True):
        tall = int(high * rng.uniform(0.85, 1.0))
        write(sheet, image, int(label), tall, margin + int(rng.uniform(0, high - tall)), int(left))
        left = sheet.boxes[-1][3] + gap * high
    return sheet


def touching(images: NDArray, labels: NDArray, rng: Generator) -> Sheet:
    """Digits that touch their neighbours: each is moved left until it does."""
    sheet = row(images[:1], labels[:1], 0.0, rng)
    high = sheet.boxes[0][1] - sheet.boxes[0][0]
    for image, label in zip(images[1:], labels[1:], strict=True):
        sheet.coverage = np.pad(sheet.coverage, ((0, 0), (0, int(high * 1.2))))
        top = sheet.boxes[0][0]
        left = sheet.boxes[-1][3]
        other = blank(*sheet.coverage.shape)
        write(other, image, int(label), int(high * rng.uniform(0.9, 1.0)), top, left)
        ink = np.pad(other.coverage, ((0, 0), (0, 0)))
        while not ((sheet.coverage > 0.5) & (ink > 0.5)).any() and left > 0:
            ink, left = np.roll(ink, -1, axis=1), left - 1
        np.maximum(sheet.coverage, ink, out=sheet.coverage)
        width = other.boxes[0][3] - other.boxes[0][2]
        sheet.boxes.append((top, top + high, left, left + width))
        sheet.text += str(label)
    fresh = blank(*sheet.coverage.shape)
    sheet.light, sheet.objects = fresh.light, fresh.objects
    return sheet
