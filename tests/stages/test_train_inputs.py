"""Damaged and unsuitable inputs of train: one line, and nothing is written."""

import json
import os

import numpy as np
import pytest

from nn import load
from stages import train
from stages.common.files.prepared_data import PARTS

QUICK = ("--hidden", 8, "--epochs", 4, "--learning-rate", 1)
DAMAGED = [(part, kind) for part in PARTS if part != "test" for kind in ("images", "labels")]


@pytest.mark.parametrize(("part", "kind"), DAMAGED)
@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "tampered", "dtype"])
def test_damaged_inputs(part, kind, damage, refused, prepared, tmp_path):
    path = prepared / f"{part}_{kind}.npy"
    array = np.load(path)
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        os.truncate(path, path.stat().st_size - 7)
    elif damage == "foreign":
        path.write_bytes(b"\x93NUMPY nonsense")
    elif damage == "tampered":
        array[3, 1] = np.nan
        np.save(path, array)
    else:
        np.save(path, array.astype(np.float64))
    line = refused(train, *QUICK)
    assert line.startswith(f"data/prepared/{part}_{kind}.npy: ")
    assert line.endswith("Make it again: dvc repro --force --single-item preprocess")
    assert not (tmp_path / "data/model").exists()


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b'{"classes": ["a"]}',
        b"{",
        b"\xff",
        b'{"classes": ["a"], "pixel_range": [0, 0]}',
    ],
)
def test_damaged_description(content, refused, prepared):
    path = prepared / "about.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert refused(train, *QUICK).startswith("data/prepared/about.json: ")


def test_only_images_with_a_shape_can_be_augmented(refused, run, prepared):
    for part in ("train", "validation", "test"):
        path = prepared / f"{part}_images.npy"
        np.save(path, np.load(path)[:, :15])
    about = json.loads((prepared / "about.json").read_text())

    def set_shape(shape):
        (prepared / "about.json").write_text(json.dumps(about | {"image_shape": shape}))

    message = refused(train, *QUICK)
    assert message.startswith("data/prepared/about.json: expected an image_shape of 15 pixels, got")
    set_shape(None)
    assert run(train, *QUICK).exit_code == 0
    message = refused(train, *QUICK, "--shift", 1)
    assert message.startswith("augmentation.shift: expected 0, because height and width of the")
    set_shape([3, 5])
    assert run(train, *QUICK, "--shift", 1).exit_code == 0
    assert load("data/model/model.npz").image_shape == (3, 5)
