"""A Matplotlib figure as PNG: the same arrays give the same bytes, whatever the user's style."""

import io
import warnings
from collections.abc import Callable

import matplotlib
from matplotlib.figure import Figure, FigureBase

# Dots an inch: a digit of 28 pixels is then drawn with two or three dots a pixel.
_DPI = 110


def png(size: tuple[float, float], draw: Callable[[FigureBase], None]) -> bytes:
    """The content of the PNG file of what `draw` draws.

    Args:
        size: Width and height in inches.
        draw: Is given an empty figure.
    """
    # The defaults, not the user's style: the same arrays must give the same bytes.
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams["text.parse_math"] = False  # a class may be called $x$
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
        draw(figure)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None}, bbox_inches="tight")
    return file.getvalue()
