"""Sheets of paper with MNIST's digits, and photographs of them.

Sizes, places and strengths are drawn at random; lengths are relative to the sheet or to the height
of the digit.
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


def width_of(image: NDArray, height: float) -> float:
    """Width of a digit that is written with this height."""
    rows, columns = ((image > 0).any(axis=axis).nonzero()[0] for axis in (1, 0))
    return float(height * (np.ptp(columns) + 1) / (np.ptp(rows) + 1))


def single(image: NDArray, label: int, rng: Generator) -> Sheet:
    """A sheet with one digit somewhere."""
    height = int(rng.integers(140, 500))
    width = int(height * rng.uniform(0.75, 1.4))
    sheet = blank(height, width)
    size = int(min(height, width) * rng.uniform(0.3, 0.6))
    across = width_of(image, size)
    size, across = (n * min(1.0, 0.6 * width / across) for n in (size, across))
    top, left = (rng.uniform(0.14, 0.86 - n / m) * m for n, m in ((size, height), (across, width)))
    write(sheet, image, label, int(size), int(top), int(left))
    return sheet


def row(images: NDArray, labels: NDArray, gap: float, rng: Generator) -> Sheet:
    """Digits in a line; `gap` is their distance as a fraction of the height, negative to touch."""
    high = int(rng.integers(60, 160))
    margin = int(high * rng.uniform(0.3, 0.8))
    width = sum(width_of(image, high) + abs(gap) * high for image in images)
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
        ink = other.coverage
        while not ((sheet.coverage > 0.5) & (ink > 0.5)).any() and left > 0:
            ink, left = np.roll(ink, -1, axis=1), left - 1
        np.maximum(sheet.coverage, ink, out=sheet.coverage)
        width = other.boxes[0][3] - other.boxes[0][2]
        sheet.boxes.append((top, top + high, left, left + width))
        sheet.text += str(label)
    fresh = blank(*sheet.coverage.shape)
    sheet.light, sheet.objects = fresh.light, fresh.objects
    return sheet


def grid(images: NDArray, labels: NDArray, rows: int, columns: int, rng: Generator) -> Sheet:
    """A table with a digit in each cell."""
    cell = int(rng.integers(60, 110))
    wide = int(cell * rng.uniform(0.8, 1.6))
    margin = int(cell * rng.uniform(0.1, 0.6))
    sheet = blank(rows * cell + 2 * margin, columns * wide + 2 * margin)
    thick = rng.uniform(1, 4)
    for k in range(rows + 1):
        y = margin + k * cell
        draw_line(sheet, (y, margin - thick / 2), (y, margin + columns * wide + thick / 2), thick)
    for k in range(columns + 1):
        x = margin + k * wide
        draw_line(sheet, (margin, x), (margin + rows * cell, x), thick)
    for k, (image, label) in enumerate(zip(images, labels, strict=True)):
        high = cell * rng.uniform(0.45, 0.7)
        across = width_of(image, high)
        high, across = (n * min(1.0, 0.7 * wide / across) for n in (high, across))
        top = margin + k // columns * cell + (cell - high) * rng.uniform(0.3, 0.7)
        left = margin + k % columns * wide + (wide - across) * rng.uniform(0.3, 0.7)
        write(sheet, image, int(label), int(high), int(top), int(left))
    return sheet


def drawn(shape: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw], None]) -> NDArray:
    """Coverage from 0 to 1 of what `paint` draws in white, without jagged edges."""
    image = Image.new("L", (2 * shape[1], 2 * shape[0]))
    paint(ImageDraw.Draw(image))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BOX)) / 255


def draw_line(sheet: Sheet, start: tuple, end: tuple, thick: float, strength: float = 1.0) -> None:
    """A line of ink; places are (y, x) in pixels."""
    points = [(2 * x, 2 * y) for y, x in (start, end)]
    width = max(1, round(2 * thick))
    covered = strength * drawn(sheet.shape, lambda on: on.line(points, fill=255, width=width))
    np.maximum(sheet.coverage, covered, out=sheet.coverage)


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
