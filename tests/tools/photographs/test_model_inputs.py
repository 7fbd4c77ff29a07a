"""predict on a data set's own test pictures has exactly the accuracy that evaluate measures."""

import json
from pathlib import Path

import numpy as np
import pytest
from own_data import digits, write_folder
from PIL import Image

from stages import evaluate, fetch, preprocess, train
from stages.common.photographs.image_preparation import prepare_image
from tools import predict


def clothes(n=240):
    """Broad textured shapes of 12×10 pixels in three classes, as photographs of clothes are."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(90, 250, (n, 12, 10), dtype=np.uint8), np.arange(n) % 3
    for image, label in zip(images, labels, strict=True):
        image[: 3 * label + rng.integers(0, 3)] = 0
        image[:, 9 - rng.integers(0, 2) :] = 0
    return images, labels


def on_paper(n=400):
    """Digits in black on white, which `preprocess` inverts."""
    images, labels = digits(n)
    return 255 - images, labels


def prepared_digits(n=400):
    """Digits as MNIST's: in a box of 20×20 in 28×28 pixels."""
    images, labels = digits(n)
    large = [prepare_image(np.kron(image, np.ones((9, 9))) / 255) for image in images]
    return np.rint(255 * np.array(large)).astype(np.uint8), labels


def scans(n=310):
    """Digits on grey paper of different sizes, with noise, each in one piece."""
    rng = np.random.default_rng(0)
    images, labels = digits(n)
    papers = []
    for image in images:
        side = int(rng.integers(32, 64))
        smooth = np.asarray(Image.fromarray(image).resize((side, side)), float)
        large = np.clip(2 * smooth - 150, 0, 255)  # strokes with sharp edges
        ink = np.pad(large, [tuple(rng.integers(4, 20, 2)) for _ in range(2)])
        papers.append(np.rint(220 - 0.7 * ink + rng.normal(0, 2, ink.shape)).astype(np.uint8))
    return papers, labels


def landscapes(n=240):
    """Textures without a background in three classes, of different sizes."""
    rng = np.random.default_rng(0)
    images, labels = [], np.arange(n) % 3
    for label in labels:
        grain = rng.integers(0, 120, (6, 5), np.uint8)
        grain[2 * label : 2 * label + 2] += 130
        size = tuple(map(int, rng.integers(30, 60, 2)))
        images.append(np.asarray(Image.fromarray(grain).resize(size)))
    return images, labels


@pytest.mark.parametrize(
    ("data", "size", "options"),
    [
        (digits, 0, ()),
        (on_paper, 0, ()),
        (prepared_digits, 0, ("--deslant",)),
        (prepared_digits, 0, ()),
        (clothes, 0, ()),
        (scans, 28, ()),
        (landscapes, 12, ()),
    ],
    ids=["digits", "on paper", "deslanted", "as MNIST's", "clothes", "scans", "landscapes"],
)
def test_predict_agrees_with_evaluate(data, size, options, run, tmp_path):
    images, labels = data()
    tenth = len(images) // 10
    write_folder(tmp_path / "pictures", images, labels)
    sizes = ("--test-size", 3 * tenth, "--validation-size", tenth)
    for stage, *words in (
        (fetch, "--source", "pictures", "--size", size),
        (preprocess, *sizes, *options),
        (train, "--hidden", 20, "--epochs", 12),
        (evaluate, "--examples", 4, "--units", 4),
    ):
        result = run(stage, *words)
        assert result.exit_code == 0, result.output
    paths = [Path("pictures", str(label), f"{k}.png") for k, label in enumerate(labels)]
    answers = json.loads(run(predict, *paths[-3 * tenth :], "--json").stdout)
    right = [answer["label"] == Path(answer["image"]).parent.name for answer in answers]
    assert len(right) == 3 * tenth
    accuracy = json.loads(Path("metrics.json").read_text())["test"]["accuracy"]
    assert np.mean(right) == pytest.approx(accuracy, abs=1e-12)
    assert accuracy > 0.4  # it would not show a difference otherwise
    larger = Image.open(paths[-1]).resize((90, 90), Image.Resampling.NEAREST)
    larger.save(tmp_path / "larger.png")
    (answer,) = json.loads(run(predict, "larger.png", "--json").stdout)
    assert answer["label"] in map(str, labels)


def test_pictures_on_white_for_a_model_that_is_not_of_drawings(run, tmp_path):
    images, labels = clothes()
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))  # on black, as Fashion-MNIST's
    write_folder(tmp_path / "pictures", images, labels)
    for stage, *words in (
        (fetch, "--source", "pictures"),
        (preprocess, "--test-size", 60, "--validation-size", 24),
        (train, "--hidden", 20, "--epochs", 30),
    ):
        assert run(stage, *words).exit_code == 0
    right = []
    for image, label in zip(images[:40], labels[:40], strict=True):
        Image.fromarray(255 - image).resize((56, 64)).save(tmp_path / "white.png")
        (answer,) = json.loads(run(predict, "white.png", "--json").stdout)
        right.append(answer["label"] == str(label))
    assert np.mean(right) > 0.9
