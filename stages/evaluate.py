"""Stage `evaluate`: measure the model on the test set and write metrics, tables and plots."""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from nn import Classifier, expected_calibration_error, score
from stages.common.command_line.command import copies_option, count_option, path_option, stage
from stages.common.files.artifacts import Artifacts, invalid_artifact, read_array
from stages.common.files.prepared_data import read_info, read_part
from stages.common.models.model_files import augmented, read_model_for
from stages.common.models.predictions import predict


@stage("evaluate", writes="evaluation")
@count_option("examples", 40, 400, "Number of images in each gallery.")
@count_option("units", 50, 400, "Number of first-layer units whose weights are drawn.")
@count_option("bins", 15, 1_000, "Number of bins of the expected calibration error.")
@copies_option()
@path_option("prepared", "data/prepared", "Folder written by `preprocess`.")
@path_option("model", "data/model/model.npz", "File written by `train` or `tools.combine`.")
@path_option(
    "examples", "data/model/examples.npy", "Training images after augmentation, from `train`."
)
@path_option("training", "data/training", "Folder of learning curves, from `train`.")
@path_option("metrics", "metrics.json", "File for the metrics.")
@path_option("evaluation", "data/evaluation", "Folder for tables and plots.")
def main(
    examples: int,
    units: int,
    bins: int,
    copies: int,
    prepared_path: str,
    model_path: str,
    examples_path: str,
    training_path: str,
    metrics_path: str,
    evaluation_path: str,
) -> None:
    """Measure the model on the test set and plot its right and wrong predictions.

    \b
    Example:
      python -m stages.evaluate --examples 60
    """
    folder, evaluation = Path(prepared_path), Path(evaluation_path)
    about = read_info(folder)
    parts = {part: read_part(folder, part, about) for part in ("test", "validation", "train")}
    images, labels = parts["test"]
    model = read_model_for(Path(model_path), about, images.shape[1])
    classifier: Classifier = augmented(model, "evaluate", copies)
    predictions = predict(classifier, images, labels)
    # Imported here, so that `--help` need not wait for scikit-learn and Matplotlib.
    from sklearn.metrics import precision_recall_fscore_support

    from stages.reporting import plots
    from stages.reporting.learning_curves import read_curves

    names = np.array(about.classes)
    table = precision_recall_fscore_support(
        predictions.true, predictions.predicted, labels=np.arange(len(names)), zero_division=0.0
    )
    scores = {part: score(classifier, *arrays) for part, arrays in parts.items()}
    metrics = {
        "test": {
            "accuracy": scores["test"].accuracy,
            "loss": scores["test"].loss,
            "macro_f1": float(np.mean(table[2])),
            "calibration_error": expected_calibration_error(
                predictions.confidence, predictions.correct, bins
            ),
        },
        "validation": {"accuracy": scores["validation"].accuracy},
        "train": {"accuracy": scores["train"].accuracy},
    }
    with Artifacts() as artifacts:
        artifacts.write_csv(
            evaluation / "confusion.csv",
            ("actual", "predicted"),
            zip(names[predictions.true], names[predictions.predicted], strict=True),
        )
        artifacts.write_csv(
            evaluation / "classes.csv",
            ("class", "precision", "recall", "f1", "support"),
            [
                (name, *(f"{fraction:.4f}" for fraction in fractions), n)
                for name, *fractions, n in zip(about.classes, *table, strict=True)
            ],
        )
        for name, png in plots.draw_all(
            classifier,
            model.members[0].weights[0],
            images,
            predictions,
            _read_examples(Path(examples_path), parts["train"][0]),
            read_curves(Path(training_path)),
            examples=examples,
            units=units,
        ):
            with artifacts.open(evaluation / name) as file:
                file.write(png)
        artifacts.write_json(Path(metrics_path), metrics)
    wrong = np.count_nonzero(~predictions.correct)
    click.echo(
        f"accuracy {scores['test'].accuracy:.2%}: {wrong} of {len(images)} test images wrong"
    )


def _read_examples(path: Path, images: NDArray) -> tuple[NDArray, NDArray]:
    """The first training images before and after augmentation; none if `path` does not exist."""
    if not path.exists():
        return np.array(images[:0]), np.array(images[:0])
    augmented = read_array(path, "train")
    n, d = images.shape
    if (
        augmented.ndim != 2
        or augmented.shape[1] != d
        or len(augmented) > n
        or augmented.dtype != np.float32
    ):
        found = f"{augmented.dtype} {augmented.shape}"
        raise invalid_artifact(path, f"expected float32 (at most {n}, {d}), got {found}", "train")
    return np.array(images[: len(augmented)]), np.array(augmented)


if __name__ == "__main__":
    main()
