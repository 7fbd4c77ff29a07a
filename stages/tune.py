"""tune: prepared images and a search space → `data/search/`: trials, trade-off, the best."""

import math
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nn import Recipe
from stages.cli import (
    LARGEST_SEED,
    BadParameter,
    Refusal,
    WholeNumber,
    count,
    environment_option,
    path_option,
    seed_option,
    stage,
)
from stages.datasets import About, read_part
from stages.files import Artifacts
from stages.knobs import class_weight_option, recipe_of, training_options
from stages.searching.engines import working_with
from stages.searching.plan import METHODS, Plan, recipe_with
from stages.searching.ranking import Ranked, experiment, ranked, table
from stages.searching.space import Range, read_space


@stage("tune")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="random",
    help="grid: all combinations of lists. random: so many drawn from the space. halving: so many "
    "drawn, trained for a few epochs; the best third goes on with three times the epochs, and so "
    "on.",
)
@click.option(
    "--trials",
    type=count(most=100_000),
    default=20,
    help="Combinations that are drawn; without effect on grid.",
)
@click.option(
    "--folds",
    type=WholeNumber(0, 100),
    default=0,
    help="Parts of the training images for cross-validation, at least 2; 0 to judge by the "
    "validation images.",
)
@click.option(
    "--search-seed",
    type=WholeNumber(0, LARGEST_SEED),
    default=0,
    help="Of the draw, and of the folds.",
)
@training_options
@class_weight_option()
@seed_option()
@environment_option(
    "engine",
    "TUNE_ENGINE",
    "Who trains; changes no result. loky: processes of this machine. dask: a cluster. Or another "
    "engine of joblib.",
    default="loky",
)
@environment_option(
    "workers",
    "TUNE_WORKERS",
    "How many at a time; 0 for one a core. Not for dask.",
    type=WholeNumber(0, 10_000),
    default=0,
)
@environment_option(
    "scheduler", "TUNE_SCHEDULER", "Address of the Dask scheduler, such as tcp://10.0.0.1:8786."
)
@path_option("space", "search/space.yaml", "File that says which parameters vary, and how.")
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("search", "data/search", "Folder for what was found.")
def main(
    method: str,
    trials: int,
    folds: int,
    search_seed: int,
    class_weight: str,
    seed: int,
    engine: str,
    workers: int,
    scheduler: str | None,
    space_path: str,
    prepared_path: str,
    search_path: str,
    **knobs: Any,
) -> None:
    """Search for better parameters of `train`: try many, judge each by validation images.

    The parameters of `train` say what does not vary. Each trial is trained as `train` would. The
    test set is never read. Engine and workers change the time it takes, and nothing else.

    \b
    Example:
      python -m stages.tune --method halving --trials 27 --epochs 9
    """
    # Imported here: scikit-learn takes a second, and `--help` should not.
    from stages.searching.search import Trial, search

    base = recipe_of("train", knobs)
    space = read_space(Path(space_path), _searchable(click.get_current_context()))
    plan = Plan(method, space, trials, folds, search_seed, base.epochs)
    folder = Path(prepared_path)
    about = About.read(folder)
    train, validation = (
        _indexed(read_part(folder, part, about)) for part in ("train", "validation")
    )
    _require_sense(plan, base, about, train[1], space_path)
    trial = Trial(
        **vars(base),
        class_weight=class_weight,
        seed=seed,
        n_classes=len(about.classes),
        image_shape=about.image_shape,
    )
    with (
        working_with(engine, workers, scheduler),
        tqdm(total=plan.total, desc="tune", unit="trial", disable=None) as progress,
    ):
        try:
            tried = search(plan, trial, train, validation, progress.update)
        except BrokenExecutor as error:
            raise Refusal(
                f"tune.engine: the workers of {engine} die even without work "
                f"({' '.join(str(error).split())}); see to them, or choose another engine."
            ) from error
    seen = len(train[0]) * (folds - 1) // folds if folds else len(train[0])
    found = ranked(tried, base, sizes=(train[0].shape[1], len(about.classes)), images=seen)
    if found[0].outcome != "trained":
        raise Refusal(
            f"{space_path}: none of {len(found)} trials came to a result; the first one "
            f"{'killed its worker' if found[0].tried.lost else 'diverged: try less learning_rate'}."
        )
    _write(Path(search_path), found, folds)
    click.echo(_report(found, folds))


def _searchable(context: click.Context) -> dict[str, click.Option]:
    """The options that a space may name: those of training."""
    names = {*vars(Recipe()), "class_weight", "seed"}
    return {
        str(param.name): param
        for param in context.command.params
        if isinstance(param, click.Option) and param.name in names
    }


def _indexed(part: tuple[NDArray, NDArray]) -> tuple[NDArray, NDArray]:
    images, labels = part
    return images, labels.argmax(axis=1)


def _require_sense(
    plan: Plan, base: Recipe, about: About, labels: NDArray, space_path: str
) -> None:
    """Refuse what cannot be searched, before anything is trained."""
    space, folds = plan.space, plan.folds
    for name, values in space.items():
        if plan.method == "grid" and isinstance(values, Range):
            raise BadParameter(
                f"{space_path}: {name}: a grid takes lists only; list its values, or choose "
                "tune.method random."
            )
    if plan.method == "halving" and "epochs" in space:
        raise BadParameter(
            f"{space_path}: epochs: they are what halving saves; leave them out, or choose "
            "tune.method random."
        )
    rarest = int(np.bincount(labels, minlength=len(about.classes)).min())
    if folds == 1 or folds > rarest > 0:
        raise BadParameter(
            f"tune.folds: {folds} is not 0, or from 2 to the {rarest} training images of the "
            "rarest class; choose 0 to judge by the validation images."
        )
    if folds and (base.patience or "patience" in space):
        raise BadParameter(
            "tune.folds: a fold has no images to spare for patience; choose folds 0, or patience 0."
        )
    fewest_epochs = plan.rungs[0][1] if plan.method == "halving" else None
    for knobs in plan.candidates():
        if fewest_epochs:
            knobs = knobs | {"epochs": fewest_epochs}
        recipe = recipe_with(base, knobs)
        fault = _fault(recipe, about, len(labels))
        if fault:
            where = ", ".join(f"{name} {value}" for name, value in sorted(knobs.items()))
            raise BadParameter(f"{space_path}: {fault} (in the trial with {where}).")


def _fault(recipe: Recipe, about: About, images: int) -> str | None:
    """Why such a training cannot be; None if it can."""
    try:
        recipe.validate()
    except ValueError as error:
        return str(error)
    if recipe.batch_size > images:
        return f"batch_size: {recipe.batch_size} is more than the {images} training images"
    if about.image_shape is None and recipe.deformation:
        asked = next(name for name, value in vars(recipe.deformation).items() if value)
        return f"{asked}: how pixels make an image is not known, so it cannot be deformed; choose 0"
    return None


def _write(folder: Path, found: Sequence[Ranked], folds: int) -> None:
    # Imported here: Matplotlib takes half a second, and `--help` should not.
    from stages.searching.trade_off import draw

    best = found[0].tried
    picture = draw(found)
    with Artifacts() as artifacts:
        artifacts.write_csv(folder / "trials.csv", *table(found, folds=folds))
        with artifacts.open(folder / "trade_off.png") as file:
            file.write(picture)
        value: dict[str, Any] = {"train": best.knobs, "accuracy": best.accuracy}
        if folds:
            value["deviation"] = best.deviation
        value |= {"trials": len(found), "command": experiment(best.knobs)}
        artifacts.write_json(folder / "best.json", value)


def _report(found: Sequence[Ranked], folds: int) -> str:
    best = found[0].tried
    where = f"± {best.deviation:.2%} over {folds} folds" if folds else "of the validation images"
    failed = sum(math.isnan(trial.tried.accuracy) for trial in found)
    without = f", {failed} of them without a result" if failed else ""
    return (
        f"best of {len(found)} trials{without}: accuracy {best.accuracy:.2%} {where}; run it with\n"
        f"{experiment(best.knobs)}"
    )


if __name__ == "__main__":
    main()
