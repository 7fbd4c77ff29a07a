"""Training that does not learn gives one warning, with what to do; other training gives none."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nn import NotLearningWarning, Trainer, TrainingConfig

PIXELS, LABELS = load_digits(return_X_y=True)
IMAGES, TARGETS = np.float32(PIXELS / 16), np.eye(10, dtype=np.float32)[LABELS]


def train(**options):
    """Train for a little more than 1000 steps."""
    config = TrainingConfig(**{"hidden": (30,), "epochs": 6} | options)
    trainer = Trainer(config, sizes=(64, 10), seed=0)
    return list(trainer.train_epochs(IMAGES, TARGETS))


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": (500,)},
        {"learning_rate": 100.0},
        {"loss": "cross_entropy", "learning_rate": 200.0},
        {"optimizer": "adam"},
    ],
)
def test_saturated_outputs(options):
    with pytest.warns(NotLearningWarning, match="saturated .* smaller learning_rate") as caught:
        train(**options)
    assert len(caught) == 1


@pytest.mark.parametrize("loss", ["quadratic", "cross_entropy", "softmax_cross_entropy"])
def test_a_loss_that_does_not_move(loss):
    with pytest.warns(NotLearningWarning, match="another learning_rate") as caught:
        train(loss=loss, learning_rate=1e-6)
    assert len(caught) == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 0.1},
        {"activation": "relu", "learning_rate": 0.1},
        {"loss": "softmax_cross_entropy", "learning_rate": 0.3},
        {"loss": "cross_entropy", "learning_rate": 0.3, "schedule": "cosine"},
        {"optimizer": "adam", "learning_rate": 0.002, "warmup": 1},
    ],
)
def test_no_warning_for_training_that_learns(options):
    train(**options)


def test_no_warning_before_there_were_enough_steps():
    train(learning_rate=100.0, epochs=5)
