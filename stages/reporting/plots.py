"""Plots of an evaluation: galleries of digits, hidden units and the confusion matrix.

Equal arrays give equal bytes of each PNG file.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nn import Classifier
from stages.common.models.predictions import Predictions, sample_mistakes
from stages.common.pictures.hidden_units import RED_AND_BLUE, weights_mosaic
from stages.common.pictures.mosaics import COLUMNS, as_images
from stages.reporting.figures import image_axes, png
from stages.reporting.galleries import draw_gallery, draw_images
from stages.reporting.learning_curves import Curves, draw_curves

_RIGHT, _WRONG = "#1a7f37", "#cf222e"
# Names and counts of more classes would overlap in the confusion matrix.
_MAX_LABELLED_CLASSES = 30
# The greatest number of digits, and of hidden units, in the overview: four rows of each.
_OVERVIEW_TILES = 4 * COLUMNS


def draw_all(
    classifier: Classifier,
    weights: NDArray,
    images: NDArray,
    predictions: Predictions,
    trained_on: tuple[NDArray, NDArray],
    curves: Curves,
    *,
    examples: int,
    units: int,
) -> Iterator[tuple[str, bytes]]:
    """Draw mistakes.png, confident.png, weights.png, confusion.png and overview.png, and
    training.png if training images were augmented.

    Args:
        classifier: Gives the class names and the shape of the images.
        weights: (units, d) incoming weights of hidden units.
        images: (n, d) floats in [0, 1] that were classified.
        predictions: Predictions for `images`.
        trained_on: (m, d) training images before and after augmentation.
        curves: Learning curves.
        examples: Greatest number of digits in a gallery.
        units: Greatest number of hidden units.

    Yields:
        Name and content of each PNG file.
    """
    images, before, after, templates = (
        as_images(rows, classifier.image_shape) for rows in (images, *trained_on, weights)
    )

    is_augmented = not np.array_equal(before, after)

    def mistakes(figure: FigureBase, most: int = examples) -> None:
        rows = sample_mistakes(predictions, most)
        wrong = np.count_nonzero(~predictions.correct)
        title = f"{len(rows)} of {wrong} mistakes: true → predicted, confidence"
        gallery(figure, title, images, predictions, classifier.classes, rows)

    def confident(figure: FigureBase, most: int = examples) -> None:
        right, wrong = most_confident(predictions, (most + 1) // 2)
        filled = np.concatenate([right, np.full(-len(right) % COLUMNS, -1), wrong])
        title = "most confident: right above, wrong below"
        gallery(figure, title, images, predictions, classifier.classes, filled)

    def hidden(figure: FigureBase, most: int = units) -> None:
        hidden_units(figure, templates[:most], len(templates))

    def confusion(figure: FigureBase) -> None:
        confusion_matrix(figure, predictions, classifier.classes)

    def training(figure: FigureBase) -> None:
        before_and_after(figure, before, after)

    def overview(figure: FigureBase) -> None:
        quarters = np.asarray(
            figure.subfigures(2, 2, hspace=0, wspace=0.02, height_ratios=(33, 36))
        )
        mistakes(quarters[0, 0], min(examples, _OVERVIEW_TILES))
        hidden(quarters[0, 1], min(units, _OVERVIEW_TILES))
        draw_curves(quarters[1, 0], curves, augmented=is_augmented)
        confusion(quarters[1, 1])

    height = 1 + math.ceil((examples + COLUMNS) / COLUMNS)
    yield "mistakes.png", png((8, height), mistakes)
    yield "confident.png", png((8, height), confident)
    yield "weights.png", png((8, 1 + math.ceil(units / COLUMNS)), hidden)
    yield "confusion.png", png((7, 6), confusion)
    yield "overview.png", png((15, 6.9), overview)
    if is_augmented:
        yield "training.png", png((8, 1 + 2 * math.ceil(len(before) / COLUMNS)), training)


def most_confident(
    predictions: Predictions, count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the most confident right and wrong predictions, up to `count` of each."""
    by_confidence = np.argsort(-predictions.confidence, kind="stable")
    correct = predictions.correct[by_confidence]
    return by_confidence[correct][:count], by_confidence[~correct][:count]


def gallery(
    figure: FigureBase,
    title: str,
    images: NDArray,
    predictions: Predictions,
    classes: Sequence[str],
    rows: NDArray[np.intp],
) -> None:
    """Draw images with their true and predicted class; a row index of -1 leaves a gap."""
    tiles = np.array(images[rows])
    tiles[rows < 0] = 0
    # Longer names have more lines, because captions must not be wider than their images.
    longest = max(map(len, classes))
    arrow, space = " → " if longest <= 3 else " →\n", "  " if longest == 1 else "\n"
    captions, colours = [], []
    for row in rows:
        true, predicted = (
            _short(classes[k[row]]) for k in (predictions.true, predictions.predicted)
        )
        right = predictions.correct[row]
        names = predicted if right else f"{true}{arrow}{predicted}"
        captions.append(f"{names}{space}{predictions.confidence[row]:.0%}" if row >= 0 else "")
        colours.append(_RIGHT if right else _WRONG)
    draw_gallery(figure, title, tiles, captions, colours)


def before_and_after(figure: FigureBase, before: NDArray, after: NDArray) -> None:
    """Draw rows of training images, and below each row the same images after augmentation."""
    shape = before.shape[1:]
    blank = np.zeros((-len(before) % COLUMNS, *shape), before.dtype)
    lines = [
        np.concatenate([images, blank]).reshape(-1, COLUMNS, *shape) for images in (before, after)
    ]
    title = "training images, and below each line what the network saw of them"
    draw_images(figure, title, np.stack(lines, axis=1).reshape(-1, *shape), gap=0.1)


def hidden_units(figure: FigureBase, weights: NDArray, total: int) -> None:
    """Draw incoming weights of hidden units as images, positive in red and negative in blue.

    Args:
        figure: The figure to draw on.
        weights: (n, height, width), or (n, height, width, 3) for colour images.
        total: Number of units in the layer.
    """
    colours = "(red) and avoid (blue)" if weights.ndim == 3 else "(its colours) and avoid (others)"
    title = f"what {len(weights)} of {total} hidden units look for {colours}"
    axes = image_axes(figure, title)
    axes.imshow(weights_mosaic(weights), interpolation="nearest", **RED_AND_BLUE)


def confusion_matrix(figure: FigureBase, predictions: Predictions, classes: Sequence[str]) -> None:
    """Draw the number of images of each true and predicted class; colours show the mistakes."""
    k = len(classes)
    counts = np.bincount(k * predictions.true + predictions.predicted, minlength=k * k)
    counts = counts.reshape(k, k)
    mistakes = np.where(np.eye(k, dtype=bool), 0, counts)
    axes = figure.add_axes((0.12, 0.12, 0.84, 0.78))
    axes.set_title("confusion matrix", fontsize=11)
    shades = axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max()), aspect="auto")
    whole_numbers = MaxNLocator("auto", integer=True)
    figure.colorbar(shades, ax=axes, label="mistakes", ticks=whole_numbers, pad=0.02, aspect=30)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    shown = range(0, k, math.ceil(k / _MAX_LABELLED_CLASSES))
    names = [_short(classes[label]) for label in shown]
    fontsize = min(10, 160 / len(names))
    upright = max(map(len, names)) * len(names) <= 40
    axes.set_xticks(shown, names, rotation=0 if upright else 90, fontsize=fontsize)
    axes.set_yticks(shown, names, fontsize=fontsize)
    if k > _MAX_LABELLED_CLASSES:
        return
    for (true, predicted), n in np.ndenumerate(counts):
        if n:
            colour = "white" if mistakes[true, predicted] > 0.6 * mistakes.max() else "black"
            weight = "bold" if true == predicted else "normal"
            axes.text(
                predicted, true, str(n), ha="center", va="center", fontsize=8, color=colour,
                fontweight=weight,
            )  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= 8 else name[:7] + "…"
