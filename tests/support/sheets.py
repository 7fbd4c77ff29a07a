"""Digits of scikit-learn's on sheets of paper, and what `predict` answers."""

import json

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from tools import predict

DIGITS, LABELS = load_digits().images / 16, load_digits().target


# Digits that the model of the tests was trained on.
TRAINED_ON = 1500
NO_IMAGE = "expected an image (PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM)"


def drawing(digit, *, size=(160, 160), scale=9, corner=(20, 40), paper=1.0, ink=0.0):
    """A digit of scikit-learn's on a sheet of paper, bytes of brightness."""
    large = np.kron(digit, np.ones((scale, scale)))
    sheet = np.zeros(size)
    sheet[corner[0] : corner[0] + len(large), corner[1] : corner[1] + len(large)] = large
    return np.rint(255 * (paper + (ink - paper) * sheet)).astype(np.uint8)


def write(path, pixels, **options):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def ask(run, *names, **options):
    """The answers by name of file, out of --json."""
    result = run(predict, *names, "--json", **options)
    assert result.exit_code == 0, result.output
    return {answer["image"]: answer for answer in json.loads(result.stdout)}
