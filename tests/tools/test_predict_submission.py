"""Submissions to Kaggle's competitions: the rows, other ranges of pixels, and what is refused."""

import dataclasses

import numpy as np
import pytest
from sheets import DIGITS, drawing

from nn import save
from stages.common.photographs.framing import framing_of
from stages.common.photographs.image_preparation import prepare_image
from tools import predict

pytestmark = pytest.mark.xdist_group("predict")  # one worker trains the network


def test_a_submission_for_kaggle(run, model, network, tmp_path):
    images = np.array([prepare_image(drawing(d) / 255).reshape(-1) for d in DIGITS[:5]])
    pixels = np.rint(images * 255).astype(int)
    header = ",".join(f"pixel{k}" for k in range(784))
    np.savetxt("test.csv", pixels, fmt="%d", delimiter=",", header=header, comments="")
    assert run(predict, "test.csv", "--submission", "submission.csv").exit_code == 0
    expected = network.predict(np.float32(pixels / 255))
    assert (tmp_path / "submission.csv").read_text().split() == [
        "ImageId,Label", *(f"{k},{label}" for k, label in enumerate(expected, 1))
    ]  # fmt: skip
    rows = np.column_stack([np.arange(7, 12), pixels])  # Kannada-MNIST's
    np.savetxt("test.csv", rows, fmt="%d", delimiter=",", header=f"id,{header}", comments="")
    assert run(predict, "test.csv", "--submission", "submission.csv").exit_code == 0
    assert (tmp_path / "submission.csv").read_text().split() == [
        "id,label", *(f"{k},{label}" for k, label in enumerate(expected, 7))
    ]  # fmt: skip


@pytest.mark.parametrize("change", [lambda p: p / 255, lambda p: 255 - p, lambda p: 1 - p / 255])
def test_a_submission_with_another_range_of_pixels(change, run, model, network, tmp_path):
    images = np.array([prepare_image(drawing(d) / 255).reshape(-1) for d in DIGITS[:20]])
    pixels = np.rint(images * 255)
    framing = framing_of(images, (28, 28))._replace(drawings=True)
    with model.open("wb") as file:
        info = dataclasses.replace(network.data, framing=framing)
        save(dataclasses.replace(network, data=info), file)
    header = ",".join(f"pixel{k}" for k in range(784))
    np.savetxt("test.csv", change(pixels), fmt="%.6f", delimiter=",", header=header, comments="")
    result = run(predict, "test.csv", "--submission", "submission.csv")
    assert result.exit_code == 0, result.output
    expected = network.predict(np.float32(pixels / 255))
    found = [line.split(",")[1] for line in (tmp_path / "submission.csv").read_text().split()[1:]]
    assert found == [str(label) for label in expected]
    np.savetxt("test.csv", pixels * 3, fmt="%d", delimiter=",", header=header, comments="")
    result = run(predict, "test.csv", "--submission", "other.csv")
    assert result.exit_code == 1
    assert "test.csv: expected pixels from 0 to 255 or from 0 to 1" in result.output
    assert not (tmp_path / "other.csv").exists()


def test_a_submission_that_does_not_fit(refused, model, tmp_path):
    (tmp_path / "test.csv").write_text("pixel0,pixel1\n1,2\n")
    message = refused(predict, "test.csv", "--submission", "x.csv")
    assert message == "test.csv: expected images of 784 pixels, as the model takes, got 2."
    assert "expected one IMAGE" in refused(predict, "test.csv", "b.csv", "--submission", "x.csv")
    assert not (tmp_path / "x.csv").exists()
