"""The parameters of training, as Click options: one for each field of `nn.Recipe`."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import click

from nn import ACTIVATIONS, INITIALIZATIONS, LOSSES, OPTIMIZERS, SCHEDULES, Recipe
from nn.recipe import MONITORS
from stages.cli import BadParameter, PositiveNumber, WholeNumber, count

_DEFAULTS = {field.name: field.default for field in fields(Recipe)}


def _knob(name: str, kind: Any, text: str, **options: Any) -> Callable:
    option = f"--{name.replace('_', '-')}"
    return click.option(option, type=kind, default=_DEFAULTS[name], help=text, **options)


_KNOBS = [
    _knob(
        "hidden",
        count(most=65_536),
        "Units of a hidden layer; once for each layer, from the input up.",
        multiple=True,
    ),
    _knob("activation", click.Choice(tuple(ACTIVATIONS)), "The function of the hidden units."),
    _knob(
        "loss",
        click.Choice(tuple(LOSSES)),
        "What is minimised. quadratic: half the sum of squared errors. cross_entropy: of each "
        "output on its own. softmax_cross_entropy: of outputs that share a probability of 1.",
    ),
    _knob(
        "initialization",
        click.Choice(INITIALIZATIONS),
        "Random weights to start from. scaled: N(0, 1/fan-in), biases 0. normal: N(0, 1) for "
        "both, as in the article. glorot: uniform, wide enough for the units' function.",
    ),
    _knob(
        "optimizer",
        click.Choice(OPTIMIZERS),
        "What is done with the gradient. adam and the others with momentum need a learning rate "
        "of a tenth to a thousandth of sgd's.",
    ),
    _knob("learning_rate", PositiveNumber(), "Step size η."),
    _knob("momentum", float, "How much of its direction a step keeps; not for sgd. 0 to below 1."),
    _knob(
        "second_momentum",
        float,
        "How much adam keeps of what it knows of each gradient's size. 0 to below 1.",
    ),
    _knob("batch_size", count(), "Samples in a minibatch."),
    _knob("epochs", count(), "Passes over the training samples."),
    _knob(
        "schedule",
        click.Choice(SCHEDULES),
        "How the learning rate changes: not; down in steps, exponentially or along a cosine; "
        "up and down again.",
    ),
    _knob("warmup", float, "Epochs in which the learning rate rises from 0."),
    _knob("decay", float, "Factor of the schedules step and exponential, above 0, at most 1."),
    _knob("decay_every", float, "Epochs between two steps of the schedule step."),
    _knob("l2", float, "Penalty on squared weights, λ."),
    _knob("weight_decay", float, "Decoupled decay of the weights, λ; with adam, AdamW."),
    _knob("max_norm", float, "Greatest length of a unit's incoming weights; 0 for no limit."),
    _knob("dropout_input", float, "Part of the inputs that is silenced at random; below 1."),
    _knob("dropout_hidden", float, "Part of the hidden units that is silenced; below 1."),
    _knob("label_smoothing", float, "Part of each target that is spread over all classes."),
    _knob(
        "average",
        float,
        "The network's weights become the mean of the last steps, about 1/(1 - average) of them; "
        "0 for the last step's alone.",
    ),
    _knob("rotation", float, "Training images are turned by up to so many degrees."),
    _knob("scaling", float, "They grow or shrink by up to this part; width and height apart."),
    _knob("shear", float, "They slant by up to this part of their height."),
    _knob("shift", float, "They are shifted by up to so many pixels."),
    _knob("elastic", float, "They are distorted like rubber: standard deviation in pixels."),
    _knob("smoothness", float, "Stiffness of that rubber: the width of its waves in pixels."),
    _knob(
        "patience",
        WholeNumber(0, 1_000_000),
        "Epochs without a better validation score before training stops and the best weights are "
        "taken; 0 to go through all epochs and take the last.",
    ),
    _knob("monitor", click.Choice(MONITORS), "The validation score that patience looks at."),
]


def class_weight_option() -> Callable:
    """`--class-weight`; no field of the recipe, since it is about samples."""
    return click.option(
        "--class-weight",
        type=click.Choice(["equal", "balanced"]),
        default="equal",
        help="balanced: rare classes count as much as frequent ones.",
    )


def training_options(command: Callable) -> Callable:
    """Give a command an option for every field of `nn.Recipe`."""
    for knob in reversed(_KNOBS):
        command = knob(command)
    return command


def recipe_of(section: str, knobs: dict[str, Any]) -> Recipe:
    """The recipe that the options ask for; `BadParameter` names the one that does not fit."""
    recipe = Recipe(**knobs)
    try:
        recipe.validate()
    except ValueError as error:
        raise BadParameter(f"{section}.{error}.") from error
    return recipe
