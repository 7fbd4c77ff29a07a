"""Docstrings and `dir` are complete, and mistakes get a message that says what to write."""

import inspect
import io
import re

import numpy as np
import pytest

import nn
from nn import Network, NetworkClassifier, Trainer, TrainingConfig, save, score
from nn.checks.hyperparameters import Range, hyperparameters


@pytest.mark.parametrize("owner", [TrainingConfig, NetworkClassifier])
def test_docstrings_give_the_values_and_the_default_of_every_argument(owner):
    text = " ".join(inspect.getdoc(owner).split())
    described = {field.name: field.metadata for field in hyperparameters(owner)}
    for name, parameter in inspect.signature(owner).parameters.items():
        entry = re.search(rf" {name}: (.*?)\(default (.*?)\)\.? ", text + " ")
        assert entry, name
        # A tuple ends with the same sign as the entry.
        assert repr(parameter.default).startswith(entry[2]), name
        values = described[name]["values"] if name in described else ()
        for value in [str(values)] if isinstance(values, Range) else values:
            assert value in entry[1]


def test_dir_has_the_public_names_without_importing_them():
    assert set(nn.__all__) <= set(dir(nn))
    assert "NetworkClassifier" in dir(nn)


def test_a_trainer_prints_as_one_line():
    trainer = Trainer(TrainingConfig(), sizes=(784, 10), seed=0)
    assert repr(trainer) == (
        "<Trainer of <Network 784-100-10, sigmoid, quadratic loss, float32, 79510 parameters>, "
        "sgd, learning rate 3, epoch 0 of 30>"
    )


IMAGES, LABELS = np.random.default_rng(0).random((20, 4), np.float32), np.arange(20) % 3
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
MISTAKES = [
    (IMAGES, LABELS, "targets: expected one-hot rows, shape (20, 3), got shape (20,)"),
    (IMAGES.tolist(), ONE_HOT, "images: expected a NumPy array, got list"),
    (IMAGES, ONE_HOT.tolist(), "targets: expected a NumPy array, got list"),
]


@pytest.mark.parametrize(("images", "targets", "message"), MISTAKES)
def test_samples_of_another_form(images, targets, message):
    trainer = Trainer(TrainingConfig(batch_size=1), sizes=(4, 3), seed=0)
    scoring = score, (trainer.network, images, targets)
    training = lambda *samples: next(trainer.train_epochs(*samples)), (images, targets)
    for function, arguments in (scoring, training):
        with pytest.raises(ValueError, match=re.escape(message)) as error:
            function(*arguments)
        # What the message says to write works.
        written = re.search(r"write (np\..*)$", str(error.value))[1]
        names = {"np": np, "labels": targets, "images": images, "targets": targets}
        corrected = eval(written, names)
        which = "images" if message.startswith("images") else "targets"
        score(trainer.network, **{"images": images, "targets": targets} | {which: corrected})


def test_many_samples_of_another_form():
    # An epoch has more than 200 steps, so that a copy of the network is tried first.
    trainer = Trainer(TrainingConfig(batch_size=1), sizes=(4, 3), seed=0)
    for images, targets, message in MISTAKES:
        many = [data * 20 if isinstance(data, list) else np.repeat(data, 20, axis=0)
                for data in (images, targets)]  # fmt: skip
        with pytest.raises(ValueError, match=re.escape(message.replace("20", "400"))):
            next(trainer.train_epochs(*many))


def test_the_arguments_of_save_the_wrong_way_round():
    file = io.BytesIO()
    network = Network.initialize([4, 3], np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"got BytesIO and Network; write save\(network, file\)$"):
        save(file, network)
    assert not file.getvalue()
