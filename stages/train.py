"""train: prepared images → `data/model/model.npz`, with live curves in `data/training/`."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import psutil
from tqdm import tqdm

from nn import INITIALIZATIONS, DivergedError, Network, fit, save, score
from stages.cli import (
    BadParameter,
    PositiveNumber,
    Refusal,
    count,
    path_option,
    seed_option,
    stage,
)
from stages.datasets import About, read_part
from stages.files import Artifacts, restored_on_failure

if TYPE_CHECKING:
    from dvclive import Live


@stage("train")
@click.option(
    "--hidden",
    type=count(most=65_536),
    multiple=True,
    default=[100],
    help="Units of a hidden layer; once for each layer, from the input up.",
)
@click.option(
    "--activation",
    type=click.Choice(["sigmoid"]),
    default="sigmoid",
    help="The function of every unit.",
)
@click.option(
    "--loss",
    type=click.Choice(["quadratic"]),
    default="quadratic",
    help="What is minimised: half the sum of squared errors.",
)
@click.option(
    "--initialization",
    type=click.Choice(INITIALIZATIONS),
    default="scaled",
    help="Random weights to start from. scaled: N(0, 1/fan-in), biases 0. normal: N(0, 1) for "
    "both, as in the article.",
)
@click.option(
    "--optimizer",
    type=click.Choice(["sgd"]),
    default="sgd",
    help="What is done with the gradient: plain gradient descent.",
)
@click.option("--learning-rate", type=PositiveNumber(), default=3.0, help="Step size η.")
@click.option("--batch-size", type=count(), default=10, help="Samples in a minibatch.")
@click.option("--epochs", type=count(), default=30, help="Passes over the training samples.")
@seed_option()
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("model", "data/model/model.npz", "File for the trained network.")
@path_option("training", "data/training", "Folder for the live curves, in DVCLive's format.")
def main(
    hidden: tuple[int, ...],
    activation: str,
    loss: str,
    initialization: str,
    optimizer: str,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    seed: int,
    prepared_path: str,
    model_path: str,
    training_path: str,
) -> None:
    """Train a multi-layer perceptron by minibatch gradient descent.

    Loss and accuracy on the training and the validation set are shown and logged after every
    epoch. The test set is never read.

    \b
    Example:
      python -m stages.train --hidden 300 --hidden 100 --learning-rate 1 --epochs 20
    """
    folder = Path(prepared_path)
    about = About.read(folder)
    images, labels = read_part(folder, "train", about)
    validation = read_part(folder, "validation", about)
    if batch_size > len(images):
        raise BadParameter(
            f"train.batch_size: {batch_size} is more than the {len(images)} training images; "
            f"choose 1 to {len(images)}."
        )
    sizes = [images.shape[1], *hidden, labels.shape[1]]
    _require_memory(sizes, batch_size)

    # One stream each, so that another layer does not change the order of the samples.
    weights_rng, order_rng = np.random.default_rng(seed).spawn(2)
    network = Network.initialize(
        sizes,
        weights_rng,
        initialization=initialization,
        classes=about.classes,
        pixel_range=about.pixel_range,
    )
    progress = tqdm(
        fit(
            network,
            images,
            labels,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            rng=order_rng,
        ),
        total=epochs,
        desc="train",
        unit="epoch",
        disable=None,
    )
    with (
        restored_on_failure(Path(training_path)),
        _live_log(training_path) as live,
        Artifacts() as artifacts,
        progress,
    ):
        try:
            for epoch in progress:
                on_train = score(network, images, labels)
                on_validation = score(network, *validation)
                live.step = epoch
                for part, result in (("train", on_train), ("validation", on_validation)):
                    live.log_metric(f"{part}/loss", result.loss)
                    live.log_metric(f"{part}/accuracy", result.accuracy)
                live.next_step()
                progress.set_postfix_str(
                    f"loss {on_train.loss:.4f}, accuracy {on_train.accuracy:.2%}, "
                    f"validation {on_validation.loss:.4f}, {on_validation.accuracy:.2%}"
                )
        except DivergedError as error:
            raise Refusal(
                f"train.learning_rate: training diverged, {error}; choose less than "
                f"{learning_rate:g}."
            ) from error
        with artifacts.open(Path(model_path)) as file:
            save(network, file)
    click.echo(
        f"{'-'.join(map(str, sizes))} {activation} network, {loss} loss, {optimizer}, {epochs} "
        f"epochs: accuracy {on_train.accuracy:.2%} on training, {on_validation.accuracy:.2%} on "
        "validation images"
    )


def _live_log(folder: str) -> "Live":
    # Imported here: DVCLive takes half a second, and `--help` should not.
    from dvclive import Live
    from scmrepo.exceptions import SCMError

    try:
        # By default it would rewrite dvc.yaml and save an experiment of its own.
        return Live(folder, dvcyaml=False, save_dvc_exp=False)
    except SCMError as error:
        raise Refusal(
            f"train: DVCLive needs a git repository with a commit ({error}); make one: "
            "git add . && git commit -m start"
        ) from error


def _require_memory(sizes: list[int], batch_size: int) -> None:
    weights = 4 * 2 * sum(a * b for a, b in pairwise(sizes))
    activations = 4 * 3 * batch_size * sum(sizes)
    free = psutil.virtual_memory().available
    if weights + activations > free:
        culprit = "hidden" if weights > activations else "batch_size"
        raise BadParameter(
            f"train.{culprit}: layers of {', '.join(map(str, sizes[1:-1]))} units with minibatches "
            f"of {batch_size} need {(weights + activations) / 1e9:.1f} GB, and {free / 1e9:.1f} GB "
            "of memory are free; choose less."
        )


if __name__ == "__main__":
    main()
