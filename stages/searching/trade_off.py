"""The picture of a search: what accuracy costs, and which trials nobody beats at their price."""

import math
from collections.abc import Sequence

from matplotlib.figure import FigureBase

from stages.png import png
from stages.searching.ranking import Ranked, pareto_front, shown

_FRONT, _OTHER = "#0969da", "#8c959f"
# Trials that are named below the picture; more would not be read.
_NAMED = 8
_ERRORS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw(trials: Sequence[Ranked]) -> bytes:
    """A PNG file; the same trials give the same bytes."""
    front = pareto_front(trials)
    others = [trial for trial in trials if trial.outcome == "trained" and trial not in front]
    failed = len(trials) - len(front) - len(others)
    # The most accurate, if there are too many to be named.
    named = front[-_NAMED:]
    least = _least_error(trials)

    def place(trial: Ranked) -> tuple[float, float]:
        return trial.cost, max(1 - trial.tried.accuracy, least)

    def trade_off(figure: FigureBase) -> None:
        axes = figure.add_axes((0.1, 0.1, 0.86, 0.8))
        without = f", {failed} without a result" if failed else ""
        axes.set_title(f"what accuracy costs: {len(trials)} trials{without}", fontsize=11, pad=24)
        for some, colour, size, label in (
            (others, _OTHER, 25, "beaten by another at no higher cost"),
            (front, _FRONT, 45, "beaten by none (number: rank in trials.csv)"),
        ):
            if some:
                x, y = zip(*map(place, some), strict=True)
                axes.scatter(x, y, size, colour, label=label, zorder=3)
        x, y = zip(*map(place, front), strict=True)
        axes.plot(x, y, color=_FRONT, drawstyle="steps-post", zorder=2)
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.99), ncols=2, frameon=False)

        # From 98 to 99 % is as far as from 80 to 90: half the errors.
        axes.set_yscale("log")
        axes.invert_yaxis()
        low, high = sorted(axes.get_ylim())
        ticks = [error for error in _ERRORS if low <= error <= high]
        axes.set_yticks(ticks, [f"{100 * (1 - error):.4g}" for error in ticks])
        axes.set_yticks([], minor=True)
        axes.set_ylabel("accuracy on validation images, %")
        costs = [trial.cost for trial in trials]
        axes.set_xscale("log")
        axes.set_xlim(min(costs) / 4, max(costs) * 4)  # so that a power of ten is in it
        powers = range(math.ceil(math.log10(min(costs) / 4)), int(math.log10(max(costs) * 4)) + 1)
        axes.set_xticks(
            [10**power for power in powers],
            [f"10{str(power).translate(_SUPERSCRIPTS)}" for power in powers],
        )
        axes.set_xlabel("multiplications in training")
        axes.grid(alpha=0.3)

        for trial in named:
            axes.annotate(
                str(trial.rank),
                place(trial),
                textcoords="offset points",
                xytext=(-5, 5),
                ha="right",
                fontsize=9,
                color=_FRONT,
            )
        lines = [
            f"{trial.rank}:  {trial.tried.accuracy:.2%}  "
            + ", ".join(f"{name} {shown(v)}" for name, v in sorted(trial.tried.knobs.items()))
            for trial in reversed(named)
        ]
        axes.text(0, -0.14, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=8)

    return png((8, 5), trade_off)


def _least_error(trials: Sequence[Ranked]) -> float:
    """The error that stands for none, which has no place on a logarithmic axis."""
    errors = [1 - t.tried.accuracy for t in trials if 0 <= t.tried.accuracy < 1]
    return min(errors) / 2 if errors else 0.001
