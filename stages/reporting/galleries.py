"""Galleries: images with captions, in rows."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from numpy.typing import NDArray

from stages.common.pictures.mosaics import COLUMNS, mosaic
from stages.reporting.figures import image_axes, png


def draw_gallery(
    figure: FigureBase,
    title: str,
    images: NDArray,
    captions: Sequence[str],
    colours: Sequence[str],
    names: Sequence[str] = (),
) -> None:
    """Draw images with captions above them, and names below.

    Args:
        figure: The figure to draw on.
        title: Title of the figure.
        images: (n, height, width) or (n, height, width, 3), values in [0, 1].
        captions: One per image; they may have two lines.
        colours: Colour of each caption.
        names: One per image, or none at all; they may have several lines.
    """
    height, width = images.shape[1:3]
    lines = max((text.count("\n") + 1 for text in captions), default=1)
    lines += max((text.count("\n") + 1 for text in names), default=0)
    gap = 0.12 + 0.24 * lines
    axes, positions = draw_images(figure, title, images, gap=gap * max(1.0, width / height))
    for (x, y), caption, colour in zip(positions, captions, colours, strict=True):
        axes.text(x, y, caption, color=colour, fontsize=7, ha="center", va="bottom")
    for (x, y), name in zip(positions, names, strict=False):
        axes.text(x, y + height + 1, name, color="0.4", fontsize=6, ha="center", va="top")


def draw_images(
    figure: FigureBase, title: str, images: NDArray, *, gap: float
) -> tuple[Axes, list[tuple[float, float]]]:
    """Draw images without captions, grey ones inverted, that is as black ink on white.

    Args:
        figure: The figure to draw on.
        title: Title of the figure.
        images: (n, height, width) or (n, height, width, 3), values in [0, 1].
        gap: Space between the images, as a fraction of their height.

    Returns:
        The axes, and for each image the position (x, y) above it for a centred caption.
    """
    axes = image_axes(figure, title)
    if len(images) == 0:
        axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes)
        return axes, []
    tiled, positions = mosaic(images if images.ndim == 4 else 1 - images, gap=gap, fill=1.0)
    axes.imshow(tiled, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    return axes, positions


def gallery_png(
    title: str, images: NDArray, captions: Sequence[str], names: Sequence[str]
) -> bytes:
    """A PNG file of images with captions and names; arguments as `draw_gallery`."""

    def draw(figure: FigureBase) -> None:
        draw_gallery(figure, title, images, captions, ["black"] * len(captions), names)

    return png((8, 1 + math.ceil(len(images) / COLUMNS)), draw)
