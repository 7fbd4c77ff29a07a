"""What is written on the pictures, with few and many classes, images and epochs."""

import re
from itertools import product

import numpy as np
import pytest
from texts import all_texts, overlapping, record_figures, tick_labels

from nn import Network
from stages.common.models.predictions import Predictions
from stages.reporting import plots

LONG = tuple(f"class {k} with a long name" for k in range(26))


@pytest.fixture
def drawn(monkeypatch):
    """Draw all pictures of random predictions; returns the figures by the names of their files."""

    def draw(classes, images, shape=(8, 8), epochs=3, *, examples=40, augmented=False):
        figures = record_figures(monkeypatch)
        rng = np.random.default_rng(0)
        d, k = int(np.prod(shape)), len(classes)
        known = {"image_shape": shape} if len(shape) == 2 else {}  # none for colour images
        network = Network.initialize([d, 30, k], rng, classes=classes, **known)
        rows, true = rng.random((images, d), np.float32), np.arange(images) % k
        predicted = np.where(rng.random(images) < 0.8, true, rng.integers(0, k, images))
        predictions = Predictions(true, predicted, rng.uniform(0, 1, images))
        seen = rows[:20] / 2 if augmented else rows[:20]
        keys = product(("train", "validation"), ("accuracy", "loss"))
        curves = {key: rng.random(epochs) for key in keys}
        pictures = plots.draw_all(
            network, network.weights[0], rows, predictions, (rows[:20], seen), curves,
            examples=examples, units=50,
        )  # fmt: skip
        names = [name for name, _ in pictures]
        return dict(zip(names, figures, strict=True))

    return draw


@pytest.mark.parametrize(
    ("classes", "images", "options"),
    [
        ("01", 1, {"epochs": 1, "examples": 1}),
        ("012", 30, {"epochs": 2}),
        ("0123456789", 500, {"epochs": 30, "augmented": True}),
        (LONG, 2000, {"epochs": 300, "examples": 200}),
        (tuple(map(str, range(100))), 2000, {"epochs": 16}),
        (("a", "Donaudampfschiff", "$x$", "b"), 300, {"shape": (8, 96)}),
        ("0123456789", 300, {"shape": (3, 8, 8)}),
    ],
)
def test_no_text_covers_its_neighbour_and_none_is_a_formula(classes, images, options, drawn):
    for name, figure in drawn(tuple(classes), images, **options).items():
        assert overlapping(figure) == [], name
        assert not any("\\" in text for text in all_texts(figure)), name


@pytest.mark.parametrize("epochs", [1, 2, 4, 16, 30, 160])
def test_epochs_are_whole_numbers(epochs, drawn):
    overview = drawn(("a", "b"), 9, epochs=epochs)["overview.png"]
    curves = [a for part in overview.subfigs for a in part.axes if a.get_xlabel() == "epoch"]
    assert len(curves) == 2
    for axes in curves:
        labels = [label.get_text() for label in tick_labels(axes.xaxis)]
        assert labels
        assert all(re.fullmatch(r"\d+", label) for label in labels)


@pytest.mark.parametrize("augmented", [True, False])
def test_curves_of_augmented_images_are_named_so(augmented, drawn):
    found = all_texts(drawn(("a", "b"), 9, augmented=augmented)["overview.png"])
    assert any(text.startswith("train, augmented: ") for text in found) == augmented
    assert any(text.startswith("train: ") for text in found) != augmented
    assert not any(text.startswith("validation, augmented") for text in found)


@pytest.mark.parametrize(("classes", "images"), [("01", 1), ("01", 30), ("0123456789", 5000)])
def test_the_colours_of_the_confusion_matrix_have_a_legend(classes, images, drawn):
    figure = drawn(tuple(classes), images)["confusion.png"]
    matrix, legend = figure.axes
    assert legend.get_ylabel() == "mistakes"
    labels = [label.get_text() for label in tick_labels(legend.yaxis)]
    assert labels[0] == "0"
    assert all(label.isdecimal() for label in labels)
    (image,) = matrix.images
    assert int(labels[-1]) <= image.norm.vmax == max(1, image.get_array().max())


def test_the_weights_of_colour_images_are_not_called_red_and_blue(drawn):
    grey = all_texts(drawn(("a", "b"), 9)["weights.png"])
    colour = all_texts(drawn(("a", "b"), 9, shape=(3, 8, 8))["weights.png"])
    assert "(red)" in " ".join(grey)
    assert "(red)" not in " ".join(colour)
