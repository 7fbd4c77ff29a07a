"""Matplotlib figures as PNG files; equal arrays give equal bytes."""

import io
import warnings
from collections.abc import Callable

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from stages.common.command_line.interruption import interrupted_afterwards

# Dots per inch: each pixel of a 28×28 digit is drawn with two or three dots.
_DPI = 110


def png(size: tuple[float, float], draw: Callable[[FigureBase], None]) -> bytes:
    """Draw a figure and return the content of a PNG file.

    Args:
        size: Width and height in inches.
        draw: Function that draws on the empty figure it is given.
    """
    # Matplotlib's defaults, because the bytes must not depend on the user's style.
    with interrupted_afterwards(), matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams["text.parse_math"] = False  # class names may contain $
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
        draw(figure)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None}, bbox_inches="tight")
    return file.getvalue()


def image_axes(figure: FigureBase, title: str) -> Axes:
    """Add axes without ticks and frame, for images, that fill the figure below a title."""
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.9))
    axes.set_axis_off()
    axes.set_anchor("N")
    axes.set_title(title, fontsize=11)
    return axes
