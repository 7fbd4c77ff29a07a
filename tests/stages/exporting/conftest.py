"""Fixtures of the tests of the page: a browser, a trained network, a page of a network."""

from contextlib import contextmanager

import browser
import numpy as np
import pytest
from drawings import DIGITS, LABELS, STROKES, pen

from nn import Trainer, TrainingConfig
from stages.common.photographs.image_preparation import prepare_image
from stages.exporting.drawing_page import drawing_page


@pytest.fixture(scope="module")  # its event loop is in the way of other tests
def chromium():
    with browser.chromium() as found:
        yield found


@pytest.fixture(scope="session")
def network():
    """Knows half of scikit-learn's digits, and some that were drawn as in `drawings`."""
    rng = np.random.default_rng(0)
    drawn = [(int(label), pen(points, rng)) for label, points in STROKES.items() for _ in range(50)]
    pictures = [np.kron(digit, np.ones((9, 9))) for digit in DIGITS[::2]] + [p for _, p in drawn]
    images = [prepare_image(picture).reshape(-1) for picture in pictures]
    targets = np.eye(10, dtype=np.float32)[[*LABELS[::2], *(label for label, _ in drawn)]]
    config = TrainingConfig(
        hidden=(40,), loss="softmax_cross_entropy", optimizer="adam", learning_rate=0.003,
        epochs=20, shift=1.0, rotation=8.0,
    )  # fmt: skip
    trainer = Trainer(config, sizes=(784, 10), seed=0)
    list(trainer.train_epochs(np.array(images), targets))
    return trainer.result


@pytest.fixture
def opened(chromium, tmp_path):
    """Open a page of a network; in the end nothing may have gone wrong or left it."""

    @contextmanager
    def open_page(network, images, labels, units=30, snapshots=None, **options):
        path = tmp_path / "page.html"
        html = drawing_page(network, images, labels, units, snapshots)
        path.write_text(html, encoding="utf-8")
        page = chromium.new_page(**options)
        faults, requests = [], []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        yield page
        page.close()
        assert faults == []
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]

    return open_page
