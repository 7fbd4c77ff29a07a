"""The texts of Matplotlib figures."""

from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.text import Text

from stages.reporting import figures


def record_figures(monkeypatch):
    """A list to which each figure is added that `figures.png` draws from now on."""
    drawn = []

    class Recorded(Figure):
        def savefig(self, *args, **kwargs):
            super().savefig(*args, **kwargs)
            drawn.append(self)

    monkeypatch.setattr(figures, "Figure", Recorded)
    return drawn


def all_texts(figure):
    """What is written on a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def tick_labels(axis):
    """The labels of the ticks that an axis shows, on whichever of its sides."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [label for t in ticks for label in (t.label1, t.label2) if label.get_visible()]


def overlapping(figure):
    """Neighbouring labels of ticks, and captions of a gallery, that cover each other."""
    found = []
    for axes in (a for part in (figure, *figure.subfigs) for a in part.axes):
        for labels in (tick_labels(axes.xaxis), tick_labels(axes.yaxis), axes.texts):
            boxes = [(text.get_text(), text.get_window_extent()) for text in labels]
            found += [
                (one, other)
                for (one, a), (other, b) in pairwise(boxes)
                if min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) > max(a.y0, b.y0)
            ]
    return found
