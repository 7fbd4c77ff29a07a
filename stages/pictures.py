"""The pictures that `evaluate` draws: digits right and wrong, hidden units, the confusion matrix.

The same arrays give the same PNG, byte for byte. A gallery is drawn as one mosaic, because a
Matplotlib axes for every digit would take longer than the training of the network.
"""

import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.image import imsave
from numpy.typing import NDArray

from nn import Network
from stages.png import png
from stages.predictions import Predictions, most_confident, sample_of_mistakes

_RIGHT, _WRONG = "#1a7f37", "#cf222e"
_COLUMNS = 10
_RED_AND_BLUE: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}


def draw_all(
    network: Network,
    images: NDArray,
    predictions: Predictions,
    trained_on: tuple[NDArray, NDArray],
    *,
    examples: int,
    units: int,
) -> Iterator[tuple[str, bytes]]:
    """Draw mistakes.png, confident.png, weights.png, confusion.png, overview.png, training.png.

    Args:
        network: Gives the class names and the weights of the first layer.
        images: (n, d) inputs in [0, 1] that `predictions` are about.
        predictions: What the network said of them.
        trained_on: (m, d) training images, and (m, d) what the network saw of them.
        examples: The most digits in a gallery.
        units: The most hidden units.

    Yields:
        The name and the content of each PNG file.
    """
    shape = image_shape(images.shape[1]) if network.image_shape is None else network.image_shape
    images, before, after, templates = (
        _as_pictures(rows, shape) for rows in (images, *trained_on, network.weights[0])
    )

    def mistakes(figure: FigureBase, most: int = examples) -> None:
        rows = sample_of_mistakes(predictions, most)
        wrong = np.count_nonzero(~predictions.correct)
        title = f"{len(rows)} of {wrong} mistakes: true → predicted, confidence"
        gallery(figure, title, images, predictions, network.classes, rows)

    def confident(figure: FigureBase, most: int = examples) -> None:
        right, wrong = most_confident(predictions, (most + 1) // 2)
        rows = np.concatenate([_filled_row(right), wrong])
        title = "most confident: right above, wrong below"
        gallery(figure, title, images, predictions, network.classes, rows)

    def weights(figure: FigureBase, most: int = units) -> None:
        hidden_units(figure, templates[:most], len(templates))

    def confusion(figure: FigureBase) -> None:
        confusion_matrix(figure, predictions, network.classes)

    def training(figure: FigureBase) -> None:
        before_and_after(figure, before, after)

    def overview(figure: FigureBase) -> None:
        quarters = np.asarray(figure.subfigures(2, 2, hspace=0.02, wspace=0.02))
        mistakes(quarters[0, 0], min(examples, 40))
        weights(quarters[0, 1], min(units, 50))
        confident(quarters[1, 0], min(examples, 40))
        confusion(quarters[1, 1])

    height = 1 + math.ceil((examples + _COLUMNS) / _COLUMNS)
    yield "mistakes.png", png((8, height), mistakes)
    yield "confident.png", png((8, height), confident)
    yield "weights.png", png((8, 1 + math.ceil(units / _COLUMNS)), weights)
    yield "confusion.png", png((7, 6), confusion)
    yield "overview.png", png((15, 9), overview)
    yield "training.png", png((8, 1 + 2 * math.ceil(len(before) / _COLUMNS)), training)


def image_shape(d: int) -> tuple[int, ...]:
    """How d pixels make an image: a square, three square planes (red, green, blue), or the
    rectangle that is nearest to a square.
    """
    if math.isqrt(d) ** 2 == d:
        return (math.isqrt(d),) * 2
    if d % 3 == 0 and math.isqrt(d // 3) ** 2 == d // 3:
        return (3, *(math.isqrt(d // 3),) * 2)
    height = next(h for h in range(math.isqrt(d), 0, -1) if d % h == 0)
    return height, d // height


def gallery(
    figure: FigureBase,
    title: str,
    images: NDArray,
    predictions: Predictions,
    classes: Sequence[str],
    rows: NDArray[np.intp],
) -> None:
    """Digits under their true and predicted class; a row number of -1 leaves a place empty."""
    blank = np.zeros_like(images[0])
    tiles = np.array([blank if row < 0 else images[row] for row in rows])
    arrow = " → " if max(map(len, classes)) <= 3 else " →\n"  # long names need a line each
    captions, colours = [], []
    for row in rows:
        true, said = (classes[k] for k in (predictions.true[row], predictions.predicted[row]))
        right = predictions.correct[row]
        what = _short(said) if right else f"{_short(true)}{arrow}{_short(said)}"
        captions.append(f"{what}  {predictions.confidence[row]:.0%}" if row >= 0 else "")
        colours.append(_RIGHT if right else _WRONG)
    _captioned(_panel(figure, title), tiles, captions, colours)


def answers(images: NDArray, captions: Sequence[str]) -> bytes:
    """A PNG file of (n, height, width) images with a caption each."""

    def draw(figure: FigureBase) -> None:
        axes = _panel(figure, "what the network saw, and what it says")
        _captioned(axes, images, captions, ["black"] * len(captions))

    return png((8, 1 + math.ceil(len(images) / _COLUMNS)), draw)


def before_and_after(figure: FigureBase, before: NDArray, after: NDArray) -> None:
    """Images in lines, and under each line what became of them."""
    axes = _panel(figure, "training images, and below each line what the network saw of them")
    if len(before) == 0:
        axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes)
        return
    blank = np.zeros((-len(before) % _COLUMNS, *before.shape[1:]), before.dtype)
    lines = [
        np.concatenate([images, blank]).reshape(-1, _COLUMNS, *before.shape[1:])
        for images in (before, after)
    ]
    tiles = np.stack(lines, axis=1).reshape(-1, *before.shape[1:])
    mosaic, _ = _mosaic(_inked(tiles), gap=0.1, fill=1.0)
    axes.imshow(mosaic, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def hidden_units(figure: FigureBase, weights: NDArray, of: int) -> None:
    """Incoming weights of first-layer units as images: red where ink excites the unit, blue where
    it holds it back; each unit on its own scale.
    """
    axes = _panel(
        figure, f"what {len(weights)} of {of} hidden units look for (red) and avoid (blue)"
    )
    axes.imshow(_weights_mosaic(weights), interpolation="nearest", **_RED_AND_BLUE)


def units_picture(network: Network, most: int) -> bytes:
    """A small PNG file of the incoming weights of first-layer units, at most so many."""
    weights = network.weights[0][:most]
    shape = image_shape(weights.shape[1]) if network.image_shape is None else network.image_shape
    mosaic = _weights_mosaic(_as_pictures(weights, shape))
    file = io.BytesIO()
    metadata: dict[str, Any] = {"Software": None}
    imsave(file, mosaic, format="png", metadata=metadata, **_RED_AND_BLUE)
    return file.getvalue()


def _weights_mosaic(weights: NDArray) -> NDArray:
    pixels = tuple(range(1, weights.ndim))
    greatest = np.abs(weights).max(axis=pixels, keepdims=True)
    tiles = weights / np.where(greatest > 0, greatest, 1)
    if tiles.ndim == 4:  # a colour image has no sign left to show
        return _mosaic(tiles / 2 + 0.5, gap=0.1, fill=1.0)[0]
    return _mosaic(tiles, gap=0.1, fill=0.0)[0]


def confusion_matrix(figure: FigureBase, predictions: Predictions, classes: Sequence[str]) -> None:
    """How often each class was taken for each other; colours show the mistakes only."""
    k = len(classes)
    counts = np.bincount(k * predictions.true + predictions.predicted, minlength=k * k)
    counts = counts.reshape(k, k)
    mistakes = np.where(np.eye(k, dtype=bool), 0, counts)
    axes = figure.add_axes((0.12, 0.12, 0.84, 0.78))
    axes.set_title("confusion matrix", fontsize=11)
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()), aspect="auto")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if k > 30:  # names and counts would overlap
        return
    names = [_short(name) for name in classes]
    axes.set_xticks(range(k), names, rotation=90 if max(map(len, names)) > 2 else 0)
    axes.set_yticks(range(k), names)
    for (true, predicted), n in np.ndenumerate(counts):
        if n:
            colour = "white" if mistakes[true, predicted] > 0.6 * mistakes.max() else "black"
            weight = "bold" if true == predicted else "normal"
            axes.text(
                predicted, true, str(n), ha="center", va="center", fontsize=8, color=colour,
                fontweight=weight,
            )  # fmt: skip


def _captioned(
    axes: Axes, images: NDArray, captions: Sequence[str], colours: Sequence[str]
) -> None:
    if len(images) == 0:
        axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes)
        return
    height, width = images.shape[1:3]
    gap = 0.6 if any("\n" in caption for caption in captions) else 0.36
    mosaic, corners = _mosaic(_inked(images), gap=gap * max(1.0, width / height), fill=1.0)
    axes.imshow(mosaic, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    for (x, y), caption, colour in zip(corners, captions, colours, strict=True):
        axes.text(x, y, caption, color=colour, fontsize=7, ha="center", va="bottom")


def _as_pictures(rows: NDArray, shape: tuple[int, ...]) -> NDArray:
    """(n, d) rows as (n, height, width) grey or (n, height, width, 3) coloured images."""
    images = rows.reshape(len(rows), *shape)
    return np.moveaxis(images, 1, -1) if len(shape) == 3 else images


def _inked(images: NDArray) -> NDArray:
    """Grey images as ink on paper; coloured ones as they are."""
    return images if images.ndim == 4 else 1 - images


def _mosaic(
    images: NDArray, *, gap: float, fill: float
) -> tuple[NDArray, list[tuple[float, float]]]:
    """Images side by side, and the point above the middle of each where its caption belongs."""
    height, width = images.shape[1:3]
    space = max(1, round(gap * height))
    rows = math.ceil(len(images) / _COLUMNS)
    size = (rows * (height + space), _COLUMNS * (width + space))
    mosaic = np.full((*size, *images.shape[3:]), fill, np.float32)
    corners = []
    for number, image in enumerate(images):
        row, column = divmod(number, _COLUMNS)
        y, x = row * (height + space) + space, column * (width + space) + space // 2
        mosaic[y : y + height, x : x + width] = image
        corners.append((x + width / 2 - 0.5, y - 1.0))
    return mosaic, corners


def _filled_row(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Row numbers with -1 appended until the last line of the gallery is full."""
    return np.concatenate([rows, np.full(-len(rows) % _COLUMNS, -1)])


def _panel(figure: FigureBase, title: str) -> Axes:
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.9))
    axes.set_axis_off()
    axes.set_anchor("N")
    axes.set_title(title, fontsize=11)
    return axes


def _short(name: str) -> str:
    return name if len(name) <= 8 else name[:7] + "…"
