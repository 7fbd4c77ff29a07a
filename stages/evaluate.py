"""evaluate: the model on the test set → `metrics.json`, tables and pictures."""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from nn import Committee, Network, expected_calibration_error, score
from stages.cli import Refusal, count, path_option, stage
from stages.datasets import About, read_part
from stages.files import Artifacts, read_array, refuse
from stages.models import read_model_for
from stages.predictions import ClassReport, Predictions, measure_classes, predict


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
@click.option(
    "--model-path",
    type=click.Path(),
    multiple=True,
    default=["data/model/model.npz"],
    help="File that `train` wrote; several make a committee, whose probabilities are averaged.",
)
@path_option("examples", "data/model/examples.npy", "Images as the network saw them, from `train`.")
@path_option("metrics", "metrics.json", "File for the metrics.")
@path_option("evaluation", "data/evaluation", "Folder for tables and pictures.")
def main(
    examples: int,
    units: int,
    bins: int,
    prepared_path: str,
    model_path: tuple[str, ...],
    examples_path: str,
    metrics_path: str,
    evaluation_path: str,
) -> None:
    """Measure the model on images it has never seen, and draw what it gets right and wrong.

    \b
    Example:
      python -m stages.evaluate --examples 60
    """
    folder, evaluation = Path(prepared_path), Path(evaluation_path)
    about = About.read(folder)
    parts = {part: read_part(folder, part, about) for part in ("test", "validation", "train")}
    images, labels = parts["test"]
    members = [read_model_for(Path(path), about, images.shape[1]) for path in model_path]
    network = _committee(members) if len(members) > 1 else members[0]
    predictions = predict(network, images, labels)
    per_class = measure_classes(predictions, network.classes)
    scores = {part: score(network, *arrays) for part, arrays in parts.items()}
    metrics = {
        "test": {
            "accuracy": scores["test"].accuracy,
            "loss": scores["test"].loss,
            "macro_f1": float(np.mean([report.f1 for report in per_class])),
            "calibration_error": expected_calibration_error(
                predictions.confidence, predictions.correct, bins
            ),
        },
        "validation": {"accuracy": scores["validation"].accuracy},
        "train": {"accuracy": scores["train"].accuracy},
    }
    # Imported here: Matplotlib takes a second, and `--help` should not.
    from stages import pictures

    with Artifacts() as artifacts:
        artifacts.write_csv(
            evaluation / "confusion.csv", ("actual", "predicted"), _named(predictions, about)
        )
        artifacts.write_csv(
            evaluation / "classes.csv",
            ("class", *ClassReport._fields[1:]),
            [_rounded(c) for c in per_class],
        )
        seen = _read_examples(Path(examples_path), parts["train"][0])
        figures = pictures.draw_all(
            network, images, predictions, seen, examples=examples, units=units
        )
        for name, png in figures:
            with artifacts.open(evaluation / name) as file:
                file.write(png)
        artifacts.write_json(Path(metrics_path), metrics)
    wrong = np.count_nonzero(~predictions.correct)
    click.echo(
        f"accuracy {scores['test'].accuracy:.2%}: {wrong} of {len(images)} test images wrong"
    )


def _committee(members: list[Network]) -> Committee:
    try:
        return Committee.of(members)
    except ValueError as error:
        raise Refusal(f"evaluate.model_path: {error}.") from error


def _read_examples(path: Path, images: NDArray) -> tuple[NDArray, NDArray]:
    """Training images, and the same as the network saw them; a model from elsewhere has none."""
    if not path.exists():
        return np.array(images[:0]), np.array(images[:0])
    seen = read_array(path, "train")
    fits = seen.ndim == 2 and seen.shape[1] == images.shape[1] and len(seen) <= len(images)
    if not fits or seen.dtype != np.float32:
        fault = f"it is no float32 array of (n, {images.shape[1]}) images"
        raise refuse(path, fault, "train")
    return np.array(images[: len(seen)]), np.array(seen)


def _named(predictions: Predictions, about: About) -> Iterator[tuple[str, str]]:
    for true, predicted in zip(predictions.true, predictions.predicted, strict=True):
        yield about.classes[true], about.classes[predicted]


def _rounded(report: ClassReport) -> tuple:
    return tuple(f"{x:.4f}" if isinstance(x, float) else x for x in report)


if __name__ == "__main__":
    main()
