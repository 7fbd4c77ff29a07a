"""Results of a search: ranked trials as a table and a plot, and a command to run the best."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stages.common.files.artifacts import Artifacts
from stages.reporting.figures import png
from stages.training.options import SECTIONS
from tools.tuning.search import Trial


def write(folder: Path, names: list[str], trials: list[Trial]) -> str:
    """Write the results of ranked trials, in which `names` vary; return two lines to print."""
    best, command = {name: trials[0].options[name] for name in names}, "dvc exp run"
    for name, value in best.items():
        command += f" -S '{SECTIONS[name]}.{name}={_as_yaml(value)}'"
    header, rows = ["rank", *names, "accuracy", "multiplications", "outcome"], list[list]()
    for rank, trial in enumerate(trials, start=1):
        values = [trial.options[name] for name in names]
        values = ["-".join(map(str, v)) if isinstance(v, tuple) else v for v in values]
        accuracy = f"{trial.accuracy:.6f}" if trial.outcome == "trained" else ""
        rows.append([rank, *values, accuracy, trial.cost, trial.outcome])
    about = {"accuracy": trials[0].accuracy, "command": command}
    with Artifacts() as artifacts:
        artifacts.write_csv(folder / "trials.csv", header, rows)
        artifacts.write_json(folder / "best.json", {"parameters": best, **about})
        with artifacts.open(folder / "trade_off.png") as file:
            file.write(png((8, 5), lambda figure: _draw(trials, figure)))
    failed = sum(trial.outcome != "trained" for trial in trials)
    counts = f"{len(trials)} trials ({failed} failed)"
    return f"best of {counts}: accuracy {trials[0].accuracy:.2%}\n{command}"


def _draw(trials: list[Trial], figure: Any) -> None:
    """Plot the error of all trials against their cost, with the Pareto front."""
    axes = figure.add_subplot(
        xlabel="multiplications in training", ylabel="validation error, % (at least 0.01)"
    )
    done = sorted((t.cost, 1 - t.accuracy) for t in trials if t.outcome == "trained")
    costs, errors = [cost for cost, _ in done], [max(100 * error, 0.01) for _, error in done]
    front = [min(errors[: k + 1]) for k in range(len(errors))]
    axes.plot(costs, errors, "C7o", label="trials")
    axes.step(costs, front, "C0", where="post", label="Pareto front")
    axes.set(xscale="log", yscale="log")
    axes.minorticks_off()
    for axis, values in ((axes.xaxis, costs), (axes.yaxis, errors)):
        ticks = _ticks(min(values), max(values))
        # The default labels are formulas, which `png` does not typeset.
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.legend()


def _ticks(low: float, high: float) -> list[float]:
    """At most six places on a logarithmic axis, with two significant digits."""
    return sorted({float(f"{place:.2g}") for place in np.geomspace(low, high, 6)})


def _as_yaml(value: Any) -> str:
    """The value as in params.yaml, but without blanks, which `dvc exp run -S` rejects."""
    return "".join(yaml.safe_dump([value], default_flow_style=True).split())[1:-1]
