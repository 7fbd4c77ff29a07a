"""Galleries: images with captions, in rows."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from numpy.typing import NDArray

from stages.common.figures import image_axes, png
from stages.common.mosaics import COLUMNS, mosaic


def draw_gallery(
    figure: FigureBase,
    title: str,
    images: NDArray,
    captions: Sequence[str],
    colours: Sequence[str],
) -> None:
    """Draw images with captions above them.

    Args:
        figure: The figure to draw on.
        title: Title of the figure.
        images: (n, height, width) or (n, height, width, 3), values in [0, 1].
        captions: One per image; they may have two lines.
        colours: Colour of each caption.
    """
    height, width = images.shape[1:3]
    gap = 0.6 if any("\n" in caption for caption in captions) else 0.36
    axes, positions = draw_images(figure, title, images, gap=gap * max(1.0, width / height))
    for (x, y), caption, colour in zip(positions, captions, colours, strict=True):
        axes.text(x, y, caption, color=colour, fontsize=7, ha="center", va="bottom")


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


def gallery_png(title: str, images: NDArray, captions: Sequence[str]) -> bytes:
    """A PNG file of images with captions; arguments as `draw_gallery`."""

    def draw(figure: FigureBase) -> None:
        draw_gallery(figure, title, images, captions, ["black"] * len(captions))

    return png((8, 1 + math.ceil(len(images) / COLUMNS)), draw)
