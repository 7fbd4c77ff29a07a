"""Training of a network as a `TrainingConfig` describes it.

    trainer = Trainer(config, sizes=(784, 10), seed=0)
    for epoch in trainer.train_epochs(images, targets):
        …
    network = trainer.result

The state of a trainer can be saved as plain arrays after any epoch. A trainer that is restored from
it gives the same bytes as one that was not interrupted.
"""

import copy
import json
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.exact.grids import DivergedError
from nn.metrics import Score
from nn.network import Network
from nn.optimizers import Optimizer
from nn.training.augmentation import Augmenter
from nn.training.config import TrainingConfig
from nn.training.early_stopping import EarlyStopping
from nn.training.ema import EMA
from nn.training.inputs import Samples
from nn.training.loop import Epoch, train_epochs
from nn.training.stagnation import EARLY, STEPS, NotLearningWarning, not_learning
from nn.training.team import Team, Workers

Seed = int | np.random.SeedSequence
# Samples that a copy of the network sees in its early steps, unless a minibatch has more.
_TRIED_SAMPLES = 2_000


class Trainer:
    """Trains a network, and keeps everything that changes during training.

    Args:
        config: The configuration.
        sizes: Number of inputs and of classes.
        seed: The same seed and data give the same network, bit for bit.
        **description: Arguments of `Network.initialize`: dtype, and what describes inputs and
            outputs, such as image_shape (required to augment images that are not square).

    Attributes:
        network: The network, updated in place.
        epoch: Number of epochs done.

    Raises:
        ValueError: If the configuration is invalid (see `TrainingConfig.validate`), or the image
            shape is unknown and images are to be augmented.
    """

    def __init__(
        self, config: TrainingConfig, *, sizes: tuple[int, int], seed: Seed, **description: Any
    ) -> None:
        config.validate()
        # One generator each, so that the order of the samples does not depend on the layers.
        weights_rng, self._rng = np.random.default_rng(seed).spawn(2)
        self.config, self.epoch = config, 0
        self.network = Network.initialize(
            [sizes[0], *config.hidden, sizes[1]],
            weights_rng,
            activation=config.activation,
            loss=config.loss,
            initialization=config.initialization,
            **description,
        )
        self._optimizer = Optimizer(
            self.network, config.optimizer, momentum=config.momentum, beta2=config.beta2
        )
        self._ema = EMA(self.network, config.ema_decay) if config.ema_decay else None
        self._early_stopping, self._augmenter = self._new_early_stopping(), self._new_augmenter()
        self._warned = False

    def __repr__(self) -> str:
        """One line, such as `<Trainer of <Network …>, sgd, learning rate 3, epoch 2 of 30>`."""
        config = self.config
        return (
            f"<Trainer of {self.network}, {config.optimizer}, learning rate "
            f"{config.learning_rate:g}, epoch {self.epoch} of {config.epochs}>"
        )

    @property
    def current(self) -> Network:
        """The network to use after this epoch: the average of the weights, if there is one."""
        return self._ema.network if self._ema else self.network

    @property
    def result(self) -> Network:
        """The trained network: with early stopping, the one with the best validation score."""
        network = (self._early_stopping and self._early_stopping.best) or self.current
        return network.on_grid() if self.config.arithmetic == "exact" else network

    @property
    def stopped(self) -> bool:
        """Whether early stopping has ended training."""
        return self._early_stopping is not None and self._early_stopping.stop

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or early stopping has ended training."""
        return self.stopped or self.epoch >= self.config.epochs

    def reconfigure(self, config: TrainingConfig, *, from_the_start: bool) -> None:
        """Continue with another configuration; keep the network and the state of the optimizer.

        Early stopping restarts; epochs and schedule, too, if training continues `from_the_start`.

        Raises:
            ValueError: If the configuration is invalid, or its layers, activation function, loss,
                optimizer or EMA decay are others.
        """
        config.validate()
        for name in ("hidden", "activation", "loss", "optimizer", "ema_decay"):
            old, new = getattr(self.config, name), getattr(config, name)
            if old != new:
                raise ValueError(f"{name}: expected {old}, as when training began, got {new}")
        self.config = config
        self._optimizer.momentum, self._optimizer.beta2 = config.momentum, config.beta2
        self._early_stopping, self._augmenter = self._new_early_stopping(), self._new_augmenter()
        if from_the_start:
            self.epoch = 0

    def train_epochs(
        self,
        images: NDArray,
        targets: NDArray,
        sample_weights: NDArray | None = None,
        *,
        until: int | None = None,
        workers: Workers | None = None,
    ) -> Iterator[Epoch]:
        """Train until all epochs are done or early stopping ends training.

        For the samples, and what is raised, see `training.loop.train_epochs`. `until` is the last
        epoch, by default that of the configuration. `workers` divide each minibatch among threads
        or machines, such as `team.Threads(4)`; in exact arithmetic the network is the same. With
        `patience` in the configuration, the caller calls `record_validation` after each epoch.

        Yields:
            The number of epochs done.

        Warns:
            NotLearningWarning: Once, if the loss is not below that of guessing: after 200 steps if
                the outputs are saturated, and otherwise after 1000 steps and at the end. If an
                epoch has more than 200 steps, a copy of the network takes 200 steps before the
                first epoch, unless there are workers.
        """
        if self.stopped:
            return
        config, last = self.config, until or self.config.epochs
        samples = Samples(images, targets, sample_weights)
        steps = math.ceil(len(images) / config.batch_size)
        is_early = workers is None and self.epoch == 0 and steps > EARLY
        if is_early and (tried := self._after_early_steps(samples)):
            self._warn_once(not_learning(tried, config, samples, EARLY, ended=False))
        checked = (math.ceil(EARLY / steps), math.ceil(STEPS / steps), config.epochs)
        run = self._run(samples, last) if workers is None else self._run_on(workers, samples, last)
        for epoch in run:
            self.epoch = epoch.number
            if self.epoch in checked:
                self.warn_if_not_learning(samples, ended=self.finished)
            yield epoch
            if self.stopped:
                self.warn_if_not_learning(samples, ended=True)
                return

    def warn_if_not_learning(self, samples: Samples, *, ended: bool) -> None:
        """Give a `NotLearningWarning` if there is a reason, and there was none before.

        `train_epochs` calls it; a caller that ends training with these samples earlier may, too.
        """
        steps = self._optimizer.steps
        self._warn_once(not_learning(self.network, self.config, samples, steps, ended=ended))

    def _warn_once(self, problem: str | None) -> None:
        if problem and not self._warned:
            self._warned = True
            warnings.warn(problem, NotLearningWarning, stacklevel=4)

    def _after_early_steps(self, samples: Samples) -> Network | None:
        """A copy of the network after `EARLY` steps with some samples; None if they fail.

        Errors are left to the training itself, which says what is wrong with all samples.
        """
        config, n = self.config, len(samples.images)
        if config.learning_rate_schedule(0) < 1:  # the learning rate rises too slowly to tell
            return None
        rows = min(n, max(_TRIED_SAMPLES, config.batch_size))
        epochs = math.ceil(EARLY / math.ceil(rows / config.batch_size))
        trial = copy.deepcopy(self)
        trial.config = replace(config, schedule="constant", epochs=epochs)
        try:
            list(trial._run(samples.rows(slice(None, rows * (n // rows), n // rows)), epochs))
        except (DivergedError, ValueError):
            return None
        return trial.network

    def _run(self, samples: Samples, last: int, team: Team | None = None) -> Iterator[Epoch]:
        config = self.config
        n = team.samples if team and team.samples else len(samples.targets)
        return train_epochs(
            self.network,
            samples.images,
            samples.targets,
            sample_weights=samples.weights,
            epochs=last,
            batch_size=min(config.batch_size, n),
            learning_rate=config.learning_rate,
            rng=self._rng,
            optimizer=self._optimizer,
            schedule=config.learning_rate_schedule,
            regularization=config.regularization,
            augmenter=self._augmenter,
            ema=self._ema,
            exact=config.arithmetic == "exact",
            epochs_done=self.epoch,
            team=team,
        )

    def _run_on(self, workers: Workers, samples: Samples, last: int) -> Iterator[Epoch]:
        while self.epoch < last:
            epoch, state = workers.run(partial(_train_as_member, self), samples)
            self.restore(state)
            yield epoch

    def as_seen(self, images: NDArray) -> NDArray:
        """Copies of (n, d) images as the network saw them: augmented, with a fixed seed."""
        seen = images.copy()
        if self._augmenter:
            self._augmenter.augment(images, np.random.default_rng(0), seen)
        return seen

    def record_validation(self, score: Score) -> None:
        """Record the score of `current` on the validation samples, for early stopping."""
        if self._early_stopping:
            self._early_stopping.update(self.current, score)

    def state(self) -> dict[str, NDArray]:
        """Copies of everything that training changes, by name."""
        numbers = {
            "epoch": self.epoch,
            "steps": self._optimizer.steps,
            "rng": self._rng.bit_generator.state,
            "ema_steps": self._ema.steps if self._ema else 0,
        }
        if self._early_stopping and self._early_stopping.best:
            numbers["best_value"] = self._early_stopping.best_value
            numbers["epochs_since"] = self._early_stopping.epochs_since
        arrays = {name: array.copy() for name, array in self._arrays().items()}
        return arrays | {"numbers": np.array(json.dumps(numbers))}

    def restore(self, state: dict[str, NDArray]) -> None:
        """Set the state of a trainer that was created with the same arguments.

        The number of epochs in the configuration may be larger than it was, unless the first epochs
        depend on it; see `TrainingConfig.ends`.

        Raises:
            KeyError, ValueError: If the state belongs to another configuration; the trainer cannot
                be used then.
        """
        numbers = json.loads(str(state["numbers"]))
        self.epoch, self._optimizer.steps = numbers["epoch"], numbers["steps"]
        self._rng.bit_generator.state = numbers["rng"]
        if self._ema:
            self._ema.steps = numbers["ema_steps"]
        if self._early_stopping:
            self._early_stopping.best = self.network.copy() if "best_value" in numbers else None
            self._early_stopping.best_value = numbers.get("best_value", 0.0)
            self._early_stopping.epochs_since = numbers.get("epochs_since", 0)
        for name, array in self._arrays().items():
            if (array.shape, array.dtype) != (state[name].shape, state[name].dtype):
                raise ValueError(f"{name}: expected {array.dtype} {array.shape}")
            array[...] = state[name]

    def _new_early_stopping(self) -> EarlyStopping | None:
        config = self.config
        return EarlyStopping(config.patience, config.monitor) if config.patience else None

    def _new_augmenter(self) -> Augmenter | None:
        augmentation, shape = self.config.augmentation, self.network.image_shape
        if augmentation and shape is None:
            raise ValueError(
                f"image_shape: expected height and width of the images of {self.network.sizes[0]} "
                "pixels, to augment them, got None"
            )
        return (
            Augmenter(augmentation, shape, self.config.epochs) if augmentation and shape else None
        )

    def _arrays(self) -> dict[str, NDArray]:
        """The arrays that training changes, by name."""
        networks = {
            "network": self.network,
            "ema": self._ema and self._ema.network,
            "best": self._early_stopping and self._early_stopping.best,
        }
        groups = {name: [*n.weights, *n.biases] for name, n in networks.items() if n}
        groups |= {"velocity": self._optimizer.velocities, "square": self._optimizer.squares}
        return {f"{name}_{k}": a for name, arrays in groups.items() for k, a in enumerate(arrays)}


def _train_as_member(trainer: Trainer, samples: Samples, team: Team) -> tuple[Epoch, dict]:
    """Train a copy for an epoch; the epoch, and the state of the copy."""
    trainer = copy.deepcopy(trainer)
    (epoch,) = trainer._run(samples, trainer.epoch + 1, team)
    trainer.epoch = epoch.number
    return epoch, trainer.state()
