"""Fixtures of the tests of `nn`."""

import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="module")
def digits():
    pixels, labels = load_digits(return_X_y=True)
    return pixels / 16, labels
