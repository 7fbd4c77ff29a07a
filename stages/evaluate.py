"""evaluate: the model on the test set → `metrics.json`, tables and pictures."""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from nn import ModelFileError, Network, load, score
from stages.cli import count, path_option, stage
from stages.datasets import About, read_part
from stages.files import refuse, write_csv, write_json
from stages.predictions import ClassReport, Predictions, measure, predict


@stage("evaluate")
@click.option(
    "--examples", type=count(most=400), default=40, help="Images in each gallery of digits."
)
@click.option(
    "--units",
    type=count(most=400),
    default=50,
    help="Hidden units of the first layer whose weights are shown.",
)
@click.option(
    "--bins",
    type=count(most=1_000),
    default=15,
    help="Bins of confidence for the expected calibration error.",
)
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("model", "data/model/model.npz", "File that `train` wrote.")
@path_option("metrics", "metrics.json", "File for the metrics.")
@path_option("evaluation", "data/evaluation", "Folder for tables and pictures.")
def main(
    examples: int,
    units: int,
    bins: int,
    prepared_path: str,
    model_path: str,
    metrics_path: str,
    evaluation_path: str,
) -> None:
    r"""Measure the model on images it has never seen, and draw what it gets right and wrong.

    \b
    Example:
      python -m stages.evaluate --examples 60
    """
    folder, evaluation = Path(prepared_path), Path(evaluation_path)
    about = About.read(folder)
    parts = {part: read_part(folder, part, about) for part in ("test", "validation", "train")}
    images, labels = parts["test"]
    network = _read_model(Path(model_path), about, images.shape[1])
    predictions = predict(network, images, labels)
    metrics, per_class = measure(predictions, network.classes, bins)
    scores = {part: score(network, *part_arrays) for part, part_arrays in parts.items()}
    metrics["loss"] = scores["test"].loss
    write_csv(evaluation / "confusion.csv", "actual,predicted", _pairs(predictions, about.classes))
    write_csv(evaluation / "classes.csv", "class,precision,recall,f1,support", _lines(per_class))

    # Imported here: Matplotlib takes a second, and `--help` should not.
    from stages import pictures

    pictures.draw_all(evaluation, network, images, predictions, examples=examples, units=units)
    write_json(
        Path(metrics_path),
        {
            "test": metrics,
            "validation": {"accuracy": scores["validation"].accuracy},
            "train": {"accuracy": scores["train"].accuracy},
        },
    )
    wrong = np.count_nonzero(~predictions.correct)
    click.echo(f"accuracy {metrics['accuracy']:.2%}: {wrong} of {len(images)} test images wrong")


def _read_model(path: Path, about: About, d: int) -> Network:
    try:
        network = load(path)
    except FileNotFoundError as error:
        raise refuse(path, "it is not there", "train") from error
    except ModelFileError as error:
        raise refuse(path, f"it is no model: {error}", "train") from error
    if network.sizes[0] != d or list(network.classes) != about.classes:
        fault = f"it takes {network.sizes[0]} pixels and knows {len(network.classes)} classes, "
        fault += f"the test images have {d} and {len(about.classes)}"
        raise refuse(path, fault, "train")
    return network


def _pairs(predictions: Predictions, classes: list[str]) -> Iterator[str]:
    for true, predicted in zip(predictions.true, predictions.predicted, strict=True):
        yield f"{_quoted(classes[true])},{_quoted(classes[predicted])}"


def _lines(per_class: list[ClassReport]) -> Iterator[str]:
    for c in per_class:
        yield f"{_quoted(c.name)},{c.precision:.4f},{c.recall:.4f},{c.f1:.4f},{c.support}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n') else name


if __name__ == "__main__":
    main()
