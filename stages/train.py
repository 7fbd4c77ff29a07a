"""train: prepared images → `data/model/model.npz`, with live curves in `data/training/`."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
from numpy.typing import NDArray
from tqdm import tqdm

from nn import DivergedError, Recipe, Run, save, score
from stages.cli import BadParameter, Refusal, path_option, seed_option, stage
from stages.datasets import About, read_part
from stages.files import Artifacts, restored_on_failure
from stages.knobs import class_weight_option, recipe_of, training_options
from stages.live import Epoch, open_live, show
from stages.resume import ResumeFile

# Training images that `evaluate` shows as the network saw them.
_EXAMPLES = 20
# Hidden units in a picture, and the first epochs that all have one. Later, when little changes, one
# in so many has.
_UNITS, _EPOCHS = 50, 30
# Copies of the weights that each optimizer keeps beside them.
_COPIES = {"sgd": 0, "momentum": 1, "nesterov": 2, "adam": 3}


@stage("train")
@training_options
@class_weight_option()
@seed_option()
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("model", "data/model/model.npz", "File for the trained network.")
@path_option("examples", "data/model/examples.npy", "File for images as the network saw them.")
@path_option("training", "data/training", "Folder for the live curves, in DVCLive's format.")
@click.option(
    "--pictures-path",
    type=click.Path(),
    help="Folder for pictures of the hidden units, epoch by epoch; none if not given.",
)
@path_option("resume", "data/resume.npz", "File from which an interrupted training goes on.")
def main(
    class_weight: str,
    seed: int,
    prepared_path: str,
    model_path: str,
    examples_path: str,
    training_path: str,
    pictures_path: str | None,
    resume_path: str,
    **knobs: Any,
) -> None:
    """Train a multi-layer perceptron by minibatch gradient descent.

    Loss and accuracy on the training and the validation set are shown and logged after every
    epoch. The test set is never read. A training that was interrupted goes on after its last whole
    epoch and ends in the same bytes.

    \b
    Example:
      python -m stages.train --hidden 300 --hidden 100 --learning-rate 1 --epochs 20
    """
    recipe = recipe_of("train", knobs)
    folder = Path(prepared_path)
    about = About.read(folder)
    images, labels = read_part(folder, "train", about)
    validation = read_part(folder, "validation", about)
    if recipe.batch_size > len(images):
        raise BadParameter(
            f"train.batch_size: {recipe.batch_size} is more than the {len(images)} training "
            f"images; choose 1 to {len(images)}."
        )
    if about.image_shape is None and recipe.deformation:
        asked = [name for name, value in vars(recipe.deformation).items() if value]
        raise BadParameter(
            f"train.{asked[0]}: how {images.shape[1]} pixels make an image is not known, so they "
            "cannot be deformed; choose 0."
        )
    weights = _balanced(labels) if class_weight == "balanced" else None
    sizes = (images.shape[1], labels.shape[1])
    _require_memory(recipe, sizes)
    pictures = Path(pictures_path) if pictures_path else None
    if pictures:
        # Imported here: Matplotlib takes a moment, and `--help` should not.
        from stages.pictures import units_picture

    def new_run() -> Run:
        return Run(
            recipe,
            sizes=sizes,
            seed=seed,
            classes=about.classes,
            pixel_range=about.pixel_range,
            image_shape=about.image_shape,
        )

    data = [folder / f"{p}_{k}.npy" for p in ("train", "validation") for k in ("images", "labels")]
    resume = ResumeFile(
        Path(resume_path),
        recipe,
        [seed, class_weight, pictures is not None],
        [*data, folder / "about.json"],
    )
    run, history = new_run(), []
    kept = resume.read()
    if kept is not None:
        run.restore(kept.state)
        history = kept.history
        if kept.finished and run.over:
            run, history = new_run(), []
        else:
            click.echo(f"train: going on after epoch {run.epoch}, from {resume.path}", err=True)

    with (
        restored_on_failure(Path(training_path)),
        open_live(training_path) as live,
        Artifacts() as artifacts,
        tqdm(
            run.epochs(images, labels, weights),
            initial=run.epoch,
            total=recipe.epochs,
            desc="train",
            unit="epoch",
            disable=None,
        ) as progress,
    ):
        for epoch in history:
            show(live, epoch, pictures)
        try:
            for _ in progress:
                on_train = score(run.current, images, labels)
                on_validation = score(run.current, *validation)
                run.judge(on_validation)
                is_shown = pictures and (run.epoch <= _EPOCHS or run.epoch % _EPOCHS == 0)
                picture = units_picture(run.current, _UNITS) if is_shown else b""
                history.append(Epoch.of(on_train, on_validation, picture))
                show(live, history[-1], pictures)
                resume.write(run, history)
                progress.set_postfix_str(
                    f"loss {on_train.loss:.4f}, accuracy {on_train.accuracy:.2%}, "
                    f"validation {on_validation.loss:.4f}, {on_validation.accuracy:.2%}"
                )
        except DivergedError as error:
            raise Refusal(
                f"train.learning_rate: training diverged, {error}; choose less than "
                f"{recipe.learning_rate:g}{_other_causes(recipe)}."
            ) from error
        with artifacts.open(Path(model_path)) as file:
            save(run.result, file)
        artifacts.write_array(Path(examples_path), run.as_seen(np.array(images[:_EXAMPLES])))
    resume.write(run, history, finished=True)
    click.echo(
        f"{'-'.join(map(str, run.network.sizes))} {recipe.activation} network, {recipe.loss} loss, "
        f"{recipe.optimizer}, {run.epoch} epochs: accuracy "
        f"{score(run.result, images, labels).accuracy:.2%} on training, "
        f"{score(run.result, *validation).accuracy:.2%} on validation images"
    )


def _other_causes(recipe: Recipe) -> str:
    """What else may have made the weights grow, for the end of a sentence."""
    names = [name for name in ("l2", "weight_decay") if getattr(recipe, name)]
    return f", or a smaller train.{' or train.'.join(names)}" if names else ""


def _balanced(labels: NDArray) -> NDArray:
    """Sample weights, (n,), that add up to the same for every class; their mean is 1."""
    counts = labels.sum(axis=0)
    return (len(labels) / (len(counts) * counts))[labels.argmax(axis=1)].astype(np.float32)


def _require_memory(recipe: Recipe, sizes: tuple[int, int]) -> None:
    layers = [sizes[0], *recipe.hidden, sizes[1]]
    copies = 1 + _COPIES[recipe.optimizer] + bool(recipe.average) + bool(recipe.patience)
    # Twice, because what is put away after an epoch is a copy.
    weights = 4 * 2 * copies * sum(a * b for a, b in pairwise(layers))
    activations = 4 * 3 * recipe.batch_size * sum(layers)
    free = psutil.virtual_memory().available
    if weights + activations > free:
        culprit = "hidden" if weights > activations else "batch_size"
        raise BadParameter(
            f"train.{culprit}: layers of {', '.join(map(str, recipe.hidden))} units with "
            f"minibatches of {recipe.batch_size} need {(weights + activations) / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB of memory are free; choose less."
        )


if __name__ == "__main__":
    main()
