"""Training that does not learn gives one warning, with what to do; other training gives none."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from nn import NotLearningWarning, Trainer, TrainingConfig, score
from nn.optimizers import OPTIMIZERS
from nn.training import trainer as trainer_module
from nn.training.stagnation import suggested_learning_rate

ROOT = Path(__file__).parents[2]
PIXELS, LABELS = load_digits(return_X_y=True)
IMAGES, TARGETS = np.float32(PIXELS / 16), np.eye(10, dtype=np.float32)[LABELS]


def new(images=IMAGES, targets=TARGETS, **options):
    config = TrainingConfig(**{"hidden": (30,), "epochs": 6} | options)
    return Trainer(config, sizes=(images.shape[1], targets.shape[1]), seed=0)


def train(images=IMAGES, targets=TARGETS, **options):
    """Train for a little more than 1000 steps."""
    trainer = new(images, targets, **options)
    for _ in trainer.train_epochs(images, targets):
        trainer.record_validation(score(trainer.current, images, targets))
    return trainer


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"hidden": (500,)}, "choose learning_rate: 0.2, not 3$"),
        ({"learning_rate": 100.0}, "choose learning_rate: 3, not 100$"),
        ({"loss": "cross_entropy", "learning_rate": 200.0}, "choose learning_rate: 1, not 200$"),
        ({"optimizer": "adam"}, "choose learning_rate: 0.01, not 3$"),
        (
            {"learning_rate": 100.0, "initialization": "normal"},
            "choose learning_rate: 3, not 100, and initialization: scaled$",
        ),
    ],
)
def test_saturated_outputs_and_a_number(options, remedy):
    with pytest.warns(NotLearningWarning, match=f"saturated; {remedy}") as caught:
        train(**options)
    assert len(caught) == 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", ["quadratic", "softmax_cross_entropy"])
def test_saturation_is_noticed_before_an_epoch_of_many_steps(optimizer, loss):
    trainer = new(optimizer=optimizer, loss=loss, learning_rate=100.0, batch_size=5)
    with pytest.raises(NotLearningWarning, match="after 200 steps"):
        next(trainer.train_epochs(IMAGES, TARGETS))
    assert trainer.epoch == 0


@pytest.mark.parametrize("loss", ["quadratic", "cross_entropy", "softmax_cross_entropy"])
def test_a_loss_that_does_not_move(loss):
    number = 3 if loss == "quadratic" else 1
    with pytest.warns(NotLearningWarning, match=f"small; choose learning_rate: {number}$") as found:
        train(loss=loss, learning_rate=1e-6)
    assert len(found) == 1


def test_too_many_layers():
    with pytest.warns(NotLearningWarning, match="fewer hidden layers, or activation: relu"):
        train(hidden=(30,) * 5, learning_rate=1.0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 0.1},
        {"activation": "relu", "learning_rate": 0.1},
        {"loss": "softmax_cross_entropy", "learning_rate": 0.3},
        {"loss": "cross_entropy", "learning_rate": 0.3, "schedule": "cosine"},
        {"optimizer": "adam", "learning_rate": 0.002, "warmup": 1},
        {"batch_size": 5, "epochs": 1, "schedule": "one_cycle"},
    ],
)
def test_no_warning_for_training_that_learns(options):
    train(**options)


def few(brightness, pixels=64):
    """120 images of one brightness each, dark ones of one class and bright ones of the other."""
    levels = np.linspace(*brightness, 120, dtype=np.float32)
    return np.repeat(levels[:, None], pixels, axis=1), np.eye(2, dtype=np.float32)[
        np.repeat([0, 1], 60)
    ]


def test_few_steps_are_checked_at_the_end():
    images, targets = few((0.4, 0.6))
    with pytest.warns(NotLearningWarning, match="after 24 steps.* choose more epochs"):
        train(images, targets, epochs=2, learning_rate=1.0)


def test_a_loss_below_that_of_guessing_by_chance():
    # One answer for all images, so sure of some that the loss is 10 % below that of guessing, which
    # is 1.2 standard errors.
    images, targets = few((0.4, 0.6), pixels=784)
    with pytest.warns(NotLearningWarning, match="after 360 steps"):
        trainer = train(images, targets, hidden=(100,), epochs=30)
    found = score(trainer.network, images, targets)
    assert found.accuracy == 0.5
    assert found.loss < 0.95 * 0.25


def test_early_stopping_is_an_end():
    images, targets = few((0.4, 0.6))
    with pytest.warns(NotLearningWarning, match="too small; choose"):
        trainer = train(images, targets, epochs=50, patience=1, learning_rate=1e-8)
    assert trainer.epoch < 5


def test_a_network_that_is_often_right_has_learned_whatever_its_loss():
    # So sure of its answers that its loss on a few errors is above that of guessing.
    trainer = train(loss="softmax_cross_entropy", learning_rate=0.3)
    for array in (trainer.network.weights[-1], trainer.network.biases[-1]):
        array *= 300
    found = score(trainer.network, IMAGES, TARGETS)
    assert found.loss > np.log(10)
    assert found.accuracy > 0.9
    trainer.warn_if_not_learning(trainer_module.Samples(IMAGES, TARGETS), ended=True)


def test_a_network_without_hidden_layers():
    with pytest.warns(NotLearningWarning, match="choose learning_rate: 3$"):
        train(hidden=(), learning_rate=1e-8)


@pytest.mark.parametrize("factor", [16, 255, 1e-3])
def test_inputs_that_are_not_scaled(factor):
    scaled = np.float32(IMAGES * factor)
    with pytest.warns(NotLearningWarning, match="inputs are not scaled .* StandardScaler"):
        train(scaled, hidden=(100,), epochs=2)


def test_weights_of_the_samples_count():
    # A network that classifies the rare samples, which weigh most, has a larger loss than guessing
    # on samples that weigh the same.
    images = np.float32(np.random.default_rng(0).normal(0.5, 0.3, (1000, 1)))
    rare = np.arange(1000) % 20 == 0
    images[rare] += 0.5
    targets = np.eye(2, dtype=np.float32)[rare.astype(int)]
    weights = np.where(rare, np.float32(19), np.float32(1))
    trainer = new(images, targets, loss="softmax_cross_entropy", learning_rate=0.1, epochs=11)
    list(trainer.train_epochs(images, targets, weights))
    with pytest.warns(NotLearningWarning):
        trainer.warn_if_not_learning(trainer_module.Samples(images, targets), ended=True)


def test_one_class_needs_no_learning():
    list(new(IMAGES, TARGETS[:, :1]).train_epochs(IMAGES, np.ones((len(IMAGES), 1), np.float32)))


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_the_check_does_not_change_a_bit(arithmetic, monkeypatch):
    options = {"batch_size": 5, "epochs": 1, "dropout_hidden": 0.2, "arithmetic": arithmetic}
    checked = train(**options).state()
    monkeypatch.setattr(trainer_module, "EARLY", 10_000)
    unchecked = train(**options).state()
    for name, array in checked.items():
        np.testing.assert_array_equal(array, unchecked[name])


@pytest.mark.parametrize("loss", ["quadratic", "cross_entropy", "softmax_cross_entropy"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_learns_at_the_suggestion(optimizer, loss):
    for width, batch_size in itertools.product((10, 100, 400), (5, 100)):
        options = {"hidden": (width,), "batch_size": batch_size, "arithmetic": "float32"}
        config = TrainingConfig(optimizer=optimizer, loss=loss, **options)
        rate = suggested_learning_rate(config, IMAGES)
        trainer = train(
            optimizer=optimizer,
            loss=loss,
            learning_rate=rate,
            epochs=3 if batch_size == 5 else 56,
            **options,
        )
        assert score(trainer.network, IMAGES, TARGETS).accuracy > 0.7, (width, batch_size, rate)


def test_params_yaml_gives_the_suggestion_for_each_optimizer():
    text = (ROOT / "params.yaml").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("  learning_rate:")]
    hidden = tuple(yaml.safe_load(text)["train"]["hidden"])
    mnist = np.full((1, 784), np.sqrt(100 / 784))  # their mean ‖x‖² is about 100
    for optimizer in OPTIMIZERS:
        config = TrainingConfig(optimizer=optimizer, hidden=hidden)
        assert f"{suggested_learning_rate(config, mnist):g} for {optimizer}" in line
