"""Results of a search: ranked trials as a table, a picture, and a command to run the best."""

from functools import partial
from pathlib import Path
from typing import Any

import matplotlib

from stages.common.artifacts import Artifacts
from stages.common.figures import png
from stages.training.options import SECTIONS
from tools.tuning.search import Trial


def pareto_front(trials: list[Trial]) -> list[Trial]:
    """Trials more accurate than every trial of the same or a lower cost, cheapest first."""
    front: list[Trial] = []
    for trial in sorted(trials, key=lambda t: (t.cost, -t.accuracy)):
        if trial.outcome == "trained" and (not front or trial.accuracy > front[-1].accuracy):
            front.append(trial)
    return front


def command(parameters: dict[str, dict[str, Any]]) -> str:
    """The command, for bash and zsh, that runs the pipeline with these parameters by section."""
    line = "dvc exp run"
    for section, values in parameters.items():
        for name, value in values.items():
            # Quoted, because brackets are patterns to a shell; no blanks, which Hydra would refuse.
            text = str(list(value) if isinstance(value, tuple) else value).replace(" ", "")
            if isinstance(value, float) and "." not in text:
                text = text.replace("e", ".0e")  # YAML 1.1 reads 1e-05 as text
            line += f" -S '{section}.{name}={text}'"
    return line


def table(trials: list[Trial], folds: int) -> list[list[Any]]:
    """Header and rows of `trials.csv`, of ranked trials."""
    names, scores = sorted(trials[0].params), ["accuracy", "deviation"][: 2 if folds else 1]
    rows: list[list[Any]] = [["rank", *names, *scores, "multiplications", "outcome"]]
    for rank, trial in enumerate(trials, start=1):
        values = [trial.params[name] for name in names]
        values = ["-".join(map(str, v)) if isinstance(v, tuple) else v for v in values]
        values += [f"{getattr(trial, name):.6f}".replace("nan", "") for name in scores]
        rows.append([rank, *values, trial.cost, trial.outcome])
    return rows


def write(folder: Path, trials: list[Trial], folds: int) -> str:
    """Write the table, the picture and the best of ranked trials; return two lines about it."""
    best, parameters = trials[0], dict[str, dict[str, Any]]()
    for name in sorted(best.params, key=lambda name: (SECTIONS[name], name)):
        parameters.setdefault(SECTIONS[name], {})[name] = best.params[name]
    value = {"parameters": parameters, "accuracy": best.accuracy, "deviation": best.deviation}
    value |= {"trials": len(trials), "command": command(parameters)}
    header, *rows = table(trials, folds)
    picture = png((8, 5), partial(_draw, trials))
    with Artifacts() as artifacts:
        artifacts.write_csv(folder / "trials.csv", header, rows)
        artifacts.write_json(folder / "best.json", value)
        with artifacts.open(folder / "trade_off.png") as file:
            file.write(picture)
    failed = sum(trial.outcome != "trained" for trial in trials)
    spread = f" ± {best.deviation:.2%} over {folds} folds" if folds else ""
    return (
        f"best of {len(trials)} trials ({failed} failed): accuracy {best.accuracy:.2%}{spread}\n"
        + command(parameters)
    )


def _draw(trials: list[Trial], figure: Any) -> None:
    matplotlib.rcParams["text.parse_math"] = True  # labels of the x axis are powers of 10
    axes = figure.add_subplot(xlabel="multiplications in training", ylabel="accuracy, %")
    trained = [trial for trial in trials if trial.outcome == "trained"]
    styles = {"C7o": (trained, "trials"), "C0o-": (pareto_front(trained), "Pareto front, ranks")}
    # The y axis is logarithmic in the error, and labelled with the accuracy.
    for style, (some, label) in styles.items():
        x, y = [t.cost for t in some], [max(100 * (1 - t.accuracy), 0.01) for t in some]
        axes.step(x, y, style, where="post", label=label)
    for trial, *place in zip(some, x, y, strict=True):
        axes.annotate(trials.index(trial) + 1, place, (5, -12), textcoords="offset points")
    axes.set(xscale="log", yscale="log")
    axes.invert_yaxis()
    axes.yaxis.set_major_formatter(lambda error, _: f"{100 - error:g}")
    axes.yaxis.set_minor_formatter(lambda error, _: f"{100 - error:g}")
    axes.legend(loc="lower right")
