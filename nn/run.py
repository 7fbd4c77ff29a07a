"""A training run: everything that a recipe sets going, and that changes while it goes on.

    run = Run(recipe, sizes=(784, 10), seed=0)
    for epoch in run.epochs(images, targets):
        …
    network = run.result

A run can be put away as plain arrays after any epoch and taken up again, and then ends in the same
bits as one that was never interrupted.
"""

import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nn.averaging import Average
from nn.deformation import Deformer
from nn.network import Network
from nn.optimizers import Optimizer
from nn.recipe import Recipe
from nn.scoring import Score
from nn.stopping import EarlyStopping
from nn.training import fit

Seed = int | np.random.SeedSequence


class Run:
    """One training run.

    Attributes:
        recipe: What was chosen.
        network: The network that is trained, updated in place.
        epoch: Epochs done.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        sizes: tuple[int, int],
        seed: Seed,
        classes: Sequence[str] | None = None,
        pixel_range: tuple[float, float] = (0.0, 1.0),
        image_shape: tuple[int, int] | None = None,
        dtype: type[np.float32] | type[np.float64] = np.float32,
    ) -> None:
        """Make a network with random weights, and what is needed to train it.

        Args:
            recipe: What was chosen.
            sizes: Number of inputs and of classes.
            seed: The same seed and data give the same network, bit for bit.
            classes: See `Network`.
            pixel_range: See `Network`.
            image_shape: See `Network`; needed to deform images.
            dtype: float32 or float64.

        Raises:
            ValueError: If a choice makes no sense (see `Recipe.validate`), or images are to be
                deformed and are not square and have no `image_shape`.
        """
        recipe.validate()
        # One stream each, so that another layer does not change the order of the samples.
        weights_rng, self._rng = np.random.default_rng(seed).spawn(2)
        self.recipe, self.epoch = recipe, 0
        self.network = Network.initialize(
            [sizes[0], *recipe.hidden, sizes[1]],
            weights_rng,
            activation=recipe.activation,
            loss=recipe.loss,
            initialization=recipe.initialization,
            classes=classes,
            pixel_range=pixel_range,
            image_shape=image_shape,
            dtype=dtype,
        )
        self._optimizer = Optimizer(
            self.network,
            recipe.optimizer,
            momentum=recipe.momentum,
            second_momentum=recipe.second_momentum,
        )
        self._average = Average(self.network, recipe.average) if recipe.average else None
        self._stopping, self._deformer = self._new_stopping(), self._new_deformer()

    @property
    def current(self) -> Network:
        """The network to use after this epoch: the averaged one, if weights are averaged."""
        return self._average.network if self._average else self.network

    @property
    def result(self) -> Network:
        """The network to use in the end: the best, if early stopping has kept one."""
        best = self._stopping.best if self._stopping else None
        return best or self.current

    @property
    def stopped(self) -> bool:
        """Whether patience has run out."""
        return self._stopping is not None and self._stopping.stop

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do: all epochs are done, or patience has run out."""
        return self.stopped or self.epoch >= self.recipe.epochs

    def follow(self, recipe: Recipe, *, from_the_start: bool) -> None:
        """Go on by another recipe, with the network and the optimizer's state as they are.

        Args:
            recipe: It may differ in everything that is no part of what has been made.
            from_the_start: Whether its epochs, and with them its schedule, begin anew. Patience
                always does.

        Raises:
            ValueError: If it makes no sense, or differs in what has been made.
        """
        recipe.validate()
        for name in ("hidden", "activation", "loss", "optimizer", "average"):
            old, new = getattr(self.recipe, name), getattr(recipe, name)
            if old != new:
                raise ValueError(f"{name}: it cannot change from {old} to {new} on the way")
        self.recipe = recipe
        self._optimizer.momentum = recipe.momentum
        self._optimizer.second_momentum = recipe.second_momentum
        self._deformer = self._new_deformer()
        self._stopping = self._new_stopping()
        if from_the_start:
            self.epoch = 0

    def epochs(
        self,
        images: NDArray,
        targets: NDArray,
        sample_weights: NDArray | None = None,
        *,
        until: int | None = None,
    ) -> Iterator[int]:
        """Train until the run is over; yield the number of epochs done after each.

        The caller may call `judge` after each, and must if the recipe has patience. `until` is the
        epoch to end with, if not the recipe's last. For arguments and exceptions see `fit`.
        """
        recipe = self.recipe
        if self.stopped:
            return
        for epoch in fit(
            self.network,
            images,
            targets,
            sample_weights=sample_weights,
            epochs=recipe.epochs if until is None else until,
            batch_size=min(recipe.batch_size, len(images)),
            learning_rate=recipe.learning_rate,
            rng=self._rng,
            optimizer=self._optimizer,
            schedule=recipe.learning_rate_schedule,
            regularization=recipe.regularization,
            deformer=self._deformer,
            average=self._average,
            epochs_done=self.epoch,
        ):
            self.epoch = epoch
            yield epoch
            if self.stopped:
                return

    def as_seen(self, images: NDArray) -> NDArray:
        """What training makes of (n, d) images: deformed copies, the same for the same images."""
        seen = images.copy()
        if self._deformer:
            self._deformer.deform(images, np.random.default_rng(0), seen)
        return seen

    def judge(self, score: Score) -> None:
        """Take in the score of `current` on validation samples, for early stopping."""
        if self._stopping:
            self._stopping.update(self.current, score)

    def state(self) -> dict[str, NDArray]:
        """Everything that has changed since the run was made, as copies."""
        state = {name: array.copy() for name, array in self._arrays().items()}
        numbers = {
            "epoch": self.epoch,
            "steps": self._optimizer.steps,
            "rng": self._rng.bit_generator.state,
            "averaged": self._average.steps if self._average else 0,
        }
        if self._stopping and self._stopping.best:
            numbers["best_value"] = self._stopping.best_value
            numbers["epochs_since"] = self._stopping.epochs_since
            state |= _named("best", self._stopping.best)
        return state | {"numbers": np.array(json.dumps(numbers))}

    def restore(self, state: dict[str, NDArray]) -> None:
        """Go on where `state` was taken, in a run that was made with the same arguments.

        The number of epochs in the recipe may have grown, unless the schedule depends on it.

        Raises:
            KeyError, ValueError: If the state is another recipe's; the run is then of no use.
        """
        for name, array in self._arrays().items():
            array[...] = state[name]
        numbers = json.loads(str(state["numbers"]))
        self.epoch, self._optimizer.steps = numbers["epoch"], numbers["steps"]
        self._rng.bit_generator.state = numbers["rng"]
        if self._average:
            self._average.steps = numbers["averaged"]
        if self._stopping and "best_value" in numbers:
            self._stopping.best_value = numbers["best_value"]
            self._stopping.epochs_since = numbers["epochs_since"]
            self._stopping.best = self.network.copy()
            for name, array in _named("best", self._stopping.best).items():
                array[...] = state[name]

    def _new_stopping(self) -> EarlyStopping | None:
        recipe = self.recipe
        return EarlyStopping(recipe.patience, recipe.monitor) if recipe.patience else None

    def _new_deformer(self) -> Deformer | None:
        if not self.recipe.deformation:
            return None
        if self.network.image_shape is None:
            pixels = self.network.sizes[0]
            raise ValueError(f"image_shape: images of {pixels} pixels need one to be deformed")
        return Deformer(self.recipe.deformation, self.network.image_shape)

    def _arrays(self) -> dict[str, NDArray]:
        optimizer = self._optimizer
        arrays = _named("network", self.network)
        arrays |= {f"velocity_{k}": v for k, v in enumerate(optimizer.velocities)}
        arrays |= {f"square_{k}": s for k, s in enumerate(optimizer.squares)}
        return arrays | (_named("average", self._average.network) if self._average else {})


def _named(prefix: str, network: Network) -> dict[str, NDArray]:
    return {f"{prefix}_{k}": a for k, a in enumerate([*network.weights, *network.biases])}
