"""Stage `train`: train the network, and write the model and its learning curves."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nn import DivergedError, NotLearningWarning, Score, Trainer, TrainingConfig, save, score
from nn.training.team import Workers
from stages.common.command_line.command import environment_option, path_option, stage
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts, errors_naming, restored_on_failure
from stages.common.models.snapshots import Snapshots, parameters_of, snapshot_of
from stages.training.checkpoint import CheckpointFile
from stages.training.data import TrainingData
from stages.training.dvclive_log import Epoch, log_epoch, open_live
from stages.training.options import SECTIONS, config_from_options, training_options

# Number of training images that `evaluate` draws before and after augmentation.
_EXAMPLES = 20
# Hidden units in a picture. Each of the first 30 epochs has a picture, later every 30th.
_UNITS, _EPOCHS = 50, 30


@stage("train", SECTIONS, writes="training")
@training_options
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("model", "data/model/model.npz", "File for the trained network.")
@path_option("examples", "data/model/examples.npy", "File for images as the network saw them.")
@path_option("training", "data/training", "Folder for the live curves, in DVCLive's format.")
@path_option("pictures", None, "Folder for pictures of the hidden units, one per epoch; optional.")
@path_option("snapshots", None, "File for the weights after some epochs, for the page; optional.")
@path_option("checkpoint", "data/checkpoint.npz", "File to resume an interrupted training from.")
@environment_option("scheduler", "TRAIN_SCHEDULER", "Dask scheduler with workers.", default="")
def main(
    seed: int,
    class_weight: str,
    prepared_path: str,
    model_path: str,
    examples_path: str,
    training_path: str,
    pictures_path: str | None,
    snapshots_path: str | None,
    checkpoint_path: str,
    scheduler: str,
    **options: Any,
) -> None:
    """Train a multi-layer perceptron by minibatch gradient descent.

    Loss and accuracy on the training and the validation set are logged after every epoch. The test
    set is not read. An interrupted training resumes after its last complete epoch, and its results
    are the same bytes as without the interruption.

    \b
    Example:
      python -m stages.train --hidden 300 --hidden 100 --learning-rate 1 --epochs 20
    """
    config = config_from_options(options)
    data = TrainingData.read(Path(prepared_path))
    data.check(config)
    pictures = Path(pictures_path) if pictures_path else None
    checkpoint = CheckpointFile(
        Path(checkpoint_path), config, [seed, class_weight, pictures is not None], data.files
    )
    trainer, history = _resume_or_start(checkpoint, config, data, seed)
    with (
        errors_naming(Path(training_path)),  # DVCLive's errors on a full disk name no file
        restored_on_failure(Path(training_path)),
        open_live(training_path) as live,
        _workers(scheduler) as workers,
        Artifacts() as artifacts,
    ):
        for epoch in history:
            log_epoch(live, epoch, pictures)
        weights = data.sample_weights(class_weight)
        for epoch in _train(trainer, data, weights, workers, pictures is not None):
            history.append(epoch)
            log_epoch(live, epoch, pictures)
            checkpoint.write(trainer, history)
        with artifacts.open(Path(model_path)) as file:
            save(trainer.result, file)
        seen = trainer.as_seen(np.array(data.images[:_EXAMPLES]))
        artifacts.write_array(Path(examples_path), seen)
        on_validation = score(trainer.result, *data.validation)
        if snapshots_path:
            snapshots = _snapshots(_new_trainer(config, data, seed), history, on_validation, data)
            with artifacts.open(Path(snapshots_path)) as file:
                snapshots.write(file)
    checkpoint.write(trainer, history, finished=True)
    click.echo(_summary(trainer, data, on_validation))


def _resume_or_start(
    file: CheckpointFile, config: TrainingConfig, data: TrainingData, seed: int
) -> tuple[Trainer, list[Epoch]]:
    """Return a trainer, in the state of the checkpoint if there is one, and the epochs done."""
    trainer, checkpoint = _new_trainer(config, data, seed), file.read()
    if checkpoint is None:
        return trainer, []
    trainer.restore(checkpoint.state)
    # The number of epochs may have been reduced since the checkpoint was written.
    if trainer.epoch > config.epochs or (checkpoint.finished and trainer.finished):
        return _new_trainer(config, data, seed), []
    click.echo(f"train: resuming after epoch {trainer.epoch}, from {file.path}", err=True)
    return trainer, checkpoint.history


def _new_trainer(config: TrainingConfig, data: TrainingData, seed: int) -> Trainer:
    return Trainer(config, sizes=data.sizes, seed=seed, **vars(data.about))


@contextmanager
def _workers(scheduler: str) -> Iterator[Workers | None]:
    """The workers of a Dask scheduler; None if there is none."""
    if not scheduler:
        yield None
        return
    from stages.training.cluster import Cluster

    with closing(Cluster(scheduler, partial(click.echo, err=True))) as cluster:
        yield cluster


def _train(
    trainer: Trainer,
    data: TrainingData,
    weights: NDArray | None,
    workers: Workers | None,
    with_pictures: bool,
) -> Iterator[Epoch]:
    """Train under a progress bar; yield each epoch. Raises `StageError` if training diverges."""
    if with_pictures:  # imported here, because Matplotlib takes a moment
        from stages.common.pictures.hidden_units import units_picture
    config = trainer.config
    with (
        warnings.catch_warnings(),
        tqdm(
            trainer.train_epochs(data.images, data.labels, weights, workers=workers),
            initial=trainer.epoch,
            total=config.epochs,
            desc="train",
            unit="epoch",
            disable=None,
        ) as progress,
    ):
        warnings.simplefilter("always", NotLearningWarning)
        warnings.showwarning = _print_warning
        try:
            for number, on_train in progress:
                on_validation = score(trainer.current, *data.validation)
                trainer.record_validation(on_validation)
                has_picture = with_pictures and (number <= _EPOCHS or number % _EPOCHS == 0)
                picture = units_picture(trainer.current, _UNITS) if has_picture else b""
                snapshot = snapshot_of(trainer.current, number)
                yield Epoch.of(on_train, on_validation, picture, snapshot)
                progress.set_postfix_str(
                    f"loss {on_train.loss:.4f}, accuracy {on_train.accuracy:.2%}, "
                    f"validation {on_validation.loss:.4f}, {on_validation.accuracy:.2%}"
                )
        except DivergedError as error:
            used = [f"regularization.{n}" for n in ("l2", "weight_decay") if getattr(config, n)]
            others = f", or a smaller {' or '.join(used)}" if used else ""
            raise StageError(
                f"train.learning_rate: training diverged, {error}; choose less than "
                f"{config.learning_rate:g}{others}."
            ) from error


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    tqdm.write(f"Warning: {message}.", file=sys.stderr)


def _snapshots(
    new: Trainer, history: Sequence[Epoch], at_the_end: Score, data: TrainingData
) -> Snapshots:
    """The snapshots of a training run, given a trainer before its first epoch."""
    start = score(new.network, *data.validation).accuracy
    epochs = [(0, start, snapshot_of(new.network, 0))] + [
        (number, epoch.scores["validation/accuracy"], epoch.snapshot)
        for number, epoch in enumerate(history[:-1], 1)
    ]
    kept = [epoch for epoch in epochs if epoch[2].size]
    return Snapshots(
        np.array([*(number for number, _, _ in kept), len(history)], dtype=np.int64),
        np.array([*(accuracy for _, accuracy, _ in kept), at_the_end.accuracy]),
        np.reshape([p for _, _, p in kept], (len(kept), parameters_of(new.network).size)),
    )


def _summary(trainer: Trainer, data: TrainingData, on_validation: Score) -> str:
    config = trainer.config
    on_train = score(trainer.result, data.images, data.labels)
    epochs = "1 epoch" if trainer.epoch == 1 else f"{trainer.epoch} epochs"
    return (
        f"{'-'.join(map(str, trainer.network.sizes))} {config.activation} network, "
        f"{config.loss} loss, {config.optimizer}, {epochs}: accuracy "
        f"{on_train.accuracy:.2%} on training, {on_validation.accuracy:.2%} on validation images"
    )


if __name__ == "__main__":
    main()
