"""export: the model for others → ONNX, a model card, and a page to draw on, in `data/export/`."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np

from stages.card import model_card
from stages.cli import FromPipeline, count, path_option, stage
from stages.datasets import About, read_part
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
@click.option(
    "--made-by",
    type=FromPipeline(),
    multiple=True,
    help="A command that made the model, for the card; once for each.",
)
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

    \b
    Example:
      python -m stages.export --examples 60
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
    with Artifacts() as artifacts:
        with artifacts.open(export / "model.onnx") as file:
            properties = {"made_by": json.dumps(made_by), "metrics": json.dumps(metrics)}
            file.write(to_onnx(network, properties))
        with artifacts.open(export / "README.md") as file:
            card = model_card(network, data_in_words(made_by), metrics, len(images), made_by)
            file.write(card.encode())
        with artifacts.open(export / "page.html") as file:
            names = [about.classes[k] for k in predictions.true[chosen]]
            shape = network.image_shape or (1, images.shape[1])
            file.write(drawing_page(network, shape, images[chosen], names, units).encode())
    click.echo(f"{export}: model.onnx, README.md, and page.html, which any browser opens")


def data_in_words(commands: tuple[str, ...]) -> str:
    """What `fetch` was told to fetch: "mnist_784, version 1 on OpenML", or the name of a path."""
    fetch = next((command for command in commands if "stages.fetch" in command), "")
    options = dict(re.findall(r"--(\w+)[ =](\S+)", " ".join(shlex.split(fetch))))
    if options.get("source") in ("auto", "openml", "mirror") and "name" in options:
        return f"{options['name']}, version {options.get('version', '1')} on OpenML"
    return Path(options.get("source", "data of your own")).name


def _are_metrics(value: Any) -> bool:
    try:
        numbers = [number for group in value.values() for number in group.values()]
        return "accuracy" in value["test"] and all(isinstance(n, int | float) for n in numbers)
    except (AttributeError, KeyError, TypeError):
        return False


if __name__ == "__main__":
    main()
