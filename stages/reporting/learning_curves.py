"""The learning curves of a training, as DVCLive logs them."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stages.common.files.artifacts import invalid_artifact, read_bytes

Curves = dict[tuple[str, str], NDArray[np.float64]]

_PARTS, _METRICS = ("train", "validation"), ("accuracy", "loss")


def read_curves(training: Path) -> Curves:
    """Read the curves from the folder that `train` writes; none if there is no such folder.

    Returns:
        For each part and metric, such as ("train", "loss"), the values after each epoch.

    Raises:
        StageError: If a file is missing or damaged.
    """
    folder = training / "plots/metrics"
    if not folder.exists():
        return {}
    return {(p, m): _read_curve(folder / p / f"{m}.tsv", m) for p in _PARTS for m in _METRICS}


def _read_curve(path: Path, metric: str) -> NDArray[np.float64]:
    content = read_bytes(path, "train")
    try:
        rows = csv.DictReader(content.decode().splitlines(), delimiter="\t")
        curve = np.array([float(row[metric]) for row in rows])
        if curve.size == 0 or not np.isfinite(curve).all():
            raise ValueError("an empty curve, or infinite values")
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        fault = f"expected a column {metric} of finite numbers ({error})"
        raise invalid_artifact(path, fault, "train") from error
    return curve


def draw_curves(figure: FigureBase, curves: Curves, *, augmented: bool) -> None:
    """Draw accuracy and loss after each epoch, of training and validation images.

    Args:
        figure: The figure to draw on.
        curves: Learning curves.
        augmented: Whether the training images were augmented.
    """
    if not curves:
        figure.text(0.5, 0.5, "no learning curves", ha="center", va="center")
        return
    for number, metric in enumerate(_METRICS):
        axes = figure.add_axes((0.07 + 0.49 * number, 0.12, 0.42, 0.78))
        axes.set_title(f"{metric} after each epoch", fontsize=11)
        for part, line in zip(_PARTS, ("C0-", "C1-"), strict=True):
            curve = curves[part, metric]
            marker = "o" if len(curve) == 1 else ""
            name = "train, augmented" if augmented and part == "train" else part
            label = f"{name}: {curve[-1]:.4f}"
            axes.plot(np.arange(1, len(curve) + 1), curve, line, marker=marker, label=label)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=9)
