"""export: the model for others → ONNX, a model card, and a page to draw on, in `data/export/`."""

import json
import shlex
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import numpy as np

from stages.card import model_card
from stages.cli import count, path_option, stage
from stages.datasets import DOWNLOADS, About, read_part
from stages.files import Artifacts, read_json, refuse
from stages.models import read_model_for
from stages.predictions import predict, sample_of_mistakes


@stage("export")
@click.option(
    "--examples",
    type=count(most=200),
    default=30,
    help="Test images to start from on the page; a third of them the network gets wrong.",
)
@click.option(
    "--units",
    type=count(most=2_000),
    default=100,
    help="Hidden units of the first layer that the page shows.",
)
@click.argument("made_by", type=click.UNPROCESSED, nargs=-1)
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("model", "data/model/model.npz", "File that `train` wrote.")
@path_option("metrics", "metrics.json", "File that `evaluate` wrote.")
@path_option("export", "data/export", "Folder for model.onnx, README.md and page.html.")
def main(
    examples: int,
    units: int,
    made_by: tuple[str, ...],
    prepared_path: str,
    model_path: str,
    metrics_path: str,
    export_path: str,
) -> None:
    """Write the model as ONNX, with a model card, and a page that it answers on.

    After `--` comes, for the card, how the model was made: MADE_BY is the module and the options of
    a stage, and after another `--` of the next.

    \b
    Example:
      python -m stages.export --examples 60 -- stages.fetch --name mnist_784
    """
    # Imported here: ONNX takes a moment, and `--help` should not.
    from stages.drawing_page import drawing_page
    from stages.onnx_model import to_onnx

    folder, export = Path(prepared_path), Path(export_path)
    about = About.read(folder)
    images, labels = read_part(folder, "test", about)
    network = read_model_for(Path(model_path), about, images.shape[1])
    metrics = read_json(Path(metrics_path), "evaluate")
    if not _are_metrics(metrics):
        raise refuse(Path(metrics_path), "it has no metrics of the test set", "evaluate")
    predictions = predict(network, images, labels)
    wrong = sample_of_mistakes(predictions, examples // 3)
    right = np.flatnonzero(predictions.correct)[: examples - len(wrong)]
    chosen = np.concatenate([right, wrong])
    stages = provenance(made_by)
    commands = [shlex.join(["python", "-m", *words]) for words in stages]
    with Artifacts() as artifacts:
        with artifacts.open(export / "model.onnx") as file:
            properties = {"made_by": json.dumps(commands), "metrics": json.dumps(metrics)}
            file.write(to_onnx(network, properties))
        with artifacts.open(export / "README.md") as file:
            card = model_card(network, data_in_words(stages), metrics, len(images), commands)
            file.write(card.encode())
        if network.image_shape is not None:
            with artifacts.open(export / "page.html") as file:
                names = [about.classes[k] for k in predictions.true[chosen]]
                file.write(drawing_page(network, images[chosen], names, units).encode())
    page = (
        "page.html, which any browser opens"
        if network.image_shape
        else f"no page to draw on, since how {images.shape[1]} pixels make an image is not known"
    )
    click.echo(f"{export}: model.onnx, README.md, and {page}")


def provenance(words: Sequence[str]) -> list[list[str]]:
    """The stages that made the model, a list of words each; local paths are names only.

    Where on this machine the data lay is nobody's business, and changes nothing.
    """
    stages = [list(group) for is_end, group in groupby(words, "--".__eq__) if not is_end]
    for stage_words in stages:
        for option, value in enumerate(stage_words[1:]):
            if stage_words[option] == "--source" and value not in DOWNLOADS:
                stage_words[option + 1] = Path(value).name
    return stages


def data_in_words(stages: Sequence[Sequence[str]]) -> str:
    """What `fetch` was told to fetch: "mnist_784, version 1 on OpenML", or the name of a path."""
    fetch = next((words for words in stages if words[0] == "stages.fetch"), [])
    options = dict(zip(fetch[1::2], fetch[2::2], strict=False))
    if options.get("--source") in DOWNLOADS and "--name" in options:
        return f"{options['--name']}, version {options.get('--version', '1')} on OpenML"
    return options.get("--source", "data of your own")


def _are_metrics(value: Any) -> bool:
    try:
        numbers = [number for group in value.values() for number in group.values()]
        return "accuracy" in value["test"] and all(isinstance(n, int | float) for n in numbers)
    except (AttributeError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    main()
