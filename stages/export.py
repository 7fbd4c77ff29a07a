"""Stage `export`: write the model as ONNX, a model card, and a page to draw on."""

import json
import shlex
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import numpy as np

from nn import Ensemble, Network
from stages.common.command_line.command import count_option, path_option, stage
from stages.common.command_line.errors import StageError
from stages.common.command_line.terminal import echo
from stages.common.files.artifacts import Artifacts, invalid_artifact, read_json
from stages.common.files.prepared_data import read_info, read_part
from stages.common.files.raw_data import DOWNLOADS
from stages.common.models.model_files import read_model_for
from stages.common.models.predictions import predict, sample_mistakes
from stages.common.models.snapshots import Snapshots
from stages.exporting.model_card import model_card

# Options of `fetch` at their defaults, which say nothing about most data sets.
_UNCHANGED = {
    ("--label", "auto"),
    ("--classes", "auto"),
    ("--transpose", "auto"),
    ("--size", "0"),
}


@stage("export", writes="export")
@count_option("examples", 30, 200, "Number of test images on the page; a third are misclassified.")
@count_option("units", 100, 2_000, "Number of first-layer units that the page shows.")
@path_option("snapshots", None, "File written by `train`; without it, the page has no slider.")
@click.argument("made_by", type=click.UNPROCESSED, nargs=-1)
@path_option("prepared", "data/prepared", "Folder written by `preprocess`.")
@path_option("model", "data/model/model.npz", "File written by `train` or `tools.combine`.")
@path_option("metrics", "metrics.json", "File written by `evaluate`.")
@path_option("export", "data/export", "Folder for model.onnx, README.md and page.html.")
def main(
    examples: int,
    units: int,
    snapshots_path: str | None,
    made_by: tuple[str, ...],
    prepared_path: str,
    model_path: str,
    metrics_path: str,
    export_path: str,
) -> None:
    """Write the model as ONNX, a model card, and a page to draw on.

    MADE_BY is for the model card: the module and options of each stage that made the model, each
    stage after a `--`.

    \b
    Example:
      python -m stages.export -- stages.fetch --name mnist_784 --source auto -- stages.train
    """
    # Imported here, so that `--help` need not wait for ONNX.
    from stages.exporting.drawing_page import drawing_page
    from stages.exporting.onnx_model import to_onnx

    folder, export = Path(prepared_path), Path(export_path)
    about = read_info(folder)
    images, labels = read_part(folder, "test", about)
    model = read_model_for(Path(model_path), about, images.shape[1])
    if len({network.deslanted for network in model.members}) > 1:
        raise StageError(
            f"{model_path}: expected members that are all for deslanted images, or none, because "
            "ONNX runtimes cannot deslant images; combine other models."
        )
    snapshots = _snapshots(model, snapshots_path)
    metrics = read_json(Path(metrics_path), "evaluate")
    if not _are_metrics(metrics):
        fault = "expected numbers by data set and metric, with test.accuracy among them"
        raise invalid_artifact(Path(metrics_path), fault, "evaluate")
    predictions = predict(model, images, labels)
    wrong = sample_mistakes(predictions, examples // 3)
    right = np.flatnonzero(predictions.correct)[: examples - len(wrong)]
    chosen = np.concatenate([right, wrong])
    stages = provenance(made_by)
    commands = [shlex.join(["python", "-m", *words]) for words in stages]
    with Artifacts() as artifacts:
        with artifacts.open(export / "model.onnx") as file:
            properties = {"made_by": json.dumps(commands), "metrics": json.dumps(metrics)}
            file.write(to_onnx(model, properties))
        with artifacts.open(export / "README.md") as file:
            card = model_card(model, data_set_name(stages), metrics, len(images), commands)
            file.write(card.encode())
        if model.image_shape is not None:
            with artifacts.open(export / "page.html") as file:
                names = [about.classes[k] for k in predictions.true[chosen]]
                page = drawing_page(model, images[chosen], names, units, snapshots)
                file.write(page.encode())
    no_page = "no page to draw on, because the height and width of the images are unknown"
    echo(f"{export}: model.onnx, README.md, and {'page.html' if model.image_shape else no_page}")


def provenance(words: Sequence[str]) -> list[list[str]]:
    """Split the words at each `--` into one list per stage.

    Local paths are shortened to their last part, because the card must not depend on the folder in
    which the data lie. Defaults of the options for files of one's own are left out.
    """
    stages = [list(group) for is_end, group in groupby(words, "--".__eq__) if not is_end]
    for stage_words in stages:
        for at in reversed(range(1, len(stage_words))):
            if tuple(stage_words[at : at + 2]) in _UNCHANGED:
                del stage_words[at : at + 2]
        for option, value in enumerate(stage_words[1:]):
            if stage_words[option] == "--source" and value not in DOWNLOADS:
                stage_words[option + 1] = Path(value).name
    return stages


def data_set_name(stages: Sequence[Sequence[str]]) -> str:
    """Name of the fetched data set: "mnist_784, version 1 on OpenML", or the name of a path."""
    fetch = next((words for words in stages if words[0] == "stages.fetch"), [])
    options = dict(zip(fetch[1::2], fetch[2::2], strict=False))
    if options.get("--source") in DOWNLOADS and "--name" in options:
        return f"{options['--name']}, version {options.get('--version', '1')} on OpenML"
    return options.get("--source", "an unnamed data set")


def _snapshots(model: Network | Ensemble, path: str | None) -> Snapshots | None:
    if path is None:
        return None
    if len(model.members) > 1:
        raise StageError(
            f"{path}: expected snapshots of one network, got an ensemble as the model; leave out "
            "--snapshots-path."
        )
    return Snapshots.read(Path(path), model.members[0])


def _are_metrics(value: Any) -> bool:
    try:
        numbers = [number for group in value.values() for number in group.values()]
        return "accuracy" in value["test"] and all(isinstance(n, int | float) for n in numbers)
    except (AttributeError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    main()
