"""Every artifact, damaged at random: it is read as before, or refused in one line."""

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages import preprocess, train
from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts, read_array
from stages.common.files.prepared_data import PARTS, read_info, read_part
from stages.common.files.raw_data import Raw
from stages.common.models.model_files import read_model, read_model_for
from stages.common.models.snapshots import Snapshots
from stages.reporting.learning_curves import read_curves
from tools import summarize

RAW = ("images.npy", "labels.npy", "about.json")
PREPARED = [*(f"{part}_{kind}.npy" for part in PARTS for kind in ("images", "labels")), RAW[2]]
ARTIFACTS = [
    *(f"raw/{name}" for name in RAW),
    *(f"prepared/{name}" for name in PREPARED),
    "model/model.npz",
    "model/examples.npy",
    "model/snapshots.npz",
    "training/plots/metrics/train/loss.tsv",
    "metrics.json",
]
HOSTILE = [
    b"", b"{}", b"[]", b"null", b"[" * 100_000, b"9" * 5_000, b"9" * 400, b"1e999", b"-1",
    b"Infinity", b"true", b'"\\ud800"', b"(True, 2)", b"(-1, 2)", b"1180591620717411303424",
    b"\x93NUMPY\x01\x00\xff\xff", b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    b"\xff" * 8, b"\0" * 300,
]  # fmt: skip
TRAIN = ("--hidden", "3", "--epochs", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The folder of all artifacts of a pipeline on 60 images of 2×3 pixels in 3 classes."""
    folder = tmp_path_factory.mktemp("data")
    labels = (np.arange(60) % 3).astype(np.uint8)
    pixels = np.random.default_rng(0).integers(0, 255, (60, 6), np.uint8)
    pixels[np.arange(60), labels] = 255
    Raw(pixels, labels, ["a", "b", "c"], (2, 3)).write(folder / "raw")
    run(preprocess, folder, "--test-size", "12", "--validation-size", "12")
    run(train, folder, *TRAIN)
    with Artifacts() as artifacts:
        artifacts.write_json(folder / "metrics.json", {"test": {"accuracy": 0.5, "loss": 0.25}})
    return folder


def run(stage, folder, *options):
    names = {option.name for option in stage.main.params}
    paths = {
        "raw": "raw", "prepared": "prepared", "training": "training",
        "model": "model/model.npz", "examples": "model/examples.npy", "checkpoint": "checkpoint",
        "snapshots": "model/snapshots.npz",
    }  # fmt: skip
    for name, path in paths.items():
        if f"{name}_path" in names:
            options = (*options, f"--{name}-path", str(folder / path))
    result = CliRunner().invoke(stage.main, list(options))
    assert result.exit_code == 0, result.output
    return result


def read_everything(data):
    """All artifacts, as the stages read them."""
    raw = Raw.read(data / "raw")
    about = read_info(data / "prepared")
    parts = [array for part in PARTS for array in read_part(data / "prepared", part, about)]
    model = read_model_for(data / "model/model.npz", about, raw.images.shape[1])
    examples = read_array(data / "model/examples.npy", "train")
    Snapshots.read(data / "model/snapshots.npz", model)
    curves = read_curves(data / "training")
    summary = CliRunner().invoke(summarize.main, [str(data / "metrics.json")])
    if summary.exit_code:
        assert summary.output.startswith("Error: "), summary.output
        raise StageError(summary.output.removeprefix("Error: ").rstrip("\n"))
    return raw, about, parts, model, examples, curves


def is_as_documented(raw, about, parts, model, examples, curves):
    """Numbers may have changed, but they are in their ranges and fit each other."""
    assert raw.labels.max() < len(raw.classes)
    assert raw.image_shape is None or np.prod(raw.image_shape) == raw.images.shape[1]
    assert (about.classes, about.image_shape) == (model.classes, model.image_shape)
    for images, labels in zip(parts[::2], parts[1::2], strict=True):
        assert images.min() >= 0
        assert images.max() <= 1
        assert (np.sort(labels, axis=1) == [0, 0, 1]).all()
    assert examples.dtype.kind in "biufU"
    assert np.isfinite(model.probabilities(parts[0])).all()
    assert all(curve.ndim == 1 and np.isfinite(curve).all() for curve in curves.values())


@st.composite
def damages(draw, content):
    """The content with a part replaced, removed, repeated or filled with something hostile."""
    start = draw(st.integers(0, min(len(content), 400)) | st.integers(0, len(content)))
    end = start + draw(st.sampled_from([0, 1, 2, 8, 100, len(content)]))
    new = draw(st.binary(max_size=9) | st.sampled_from(HOSTILE) | st.just(content[start:end] * 2))
    return content[:start] + new + content[end:]


@pytest.mark.parametrize("name", ARTIFACTS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chance=st.data())
def test_damage_is_one_line_or_harmless(name, chance, data):
    path, message = data / name, f"{data} in one line"
    whole = path.read_bytes()
    path.write_bytes(chance.draw(damages(whole)))
    try:
        is_as_documented(*read_everything(data))
    except StageError as error:
        message = error.format_message()
    finally:
        path.write_bytes(whole)
    assert str(data) in message
    assert "\n" not in message


@pytest.mark.parametrize("place", [os.mkfifo, os.mkdir], ids=["FIFO", "folder"])
@pytest.mark.parametrize("name", ARTIFACTS)
def test_what_is_not_a_file_is_refused_at_once(name, place, data):
    path, aside = data / name, data / "aside"
    path.rename(aside)
    place(path)
    try:
        with pytest.raises(StageError, match="expected a file, got a folder or a special file"):
            read_everything(data)
    finally:
        path.rmdir() if path.is_dir() else path.unlink()
        aside.rename(path)


@pytest.mark.parametrize(
    ("value", "ok"),
    [
        ({}, True),
        ({"image_shape": None, "framing": None}, True),
        ({"image_shape": None, "framing": [0.5] * 9}, False),
        ({"framing": [10**400]}, False),
        ({"framing": "x"}, False),
        ({"framing": {}}, False),
        ({"framing": True}, False),
        ({"image_shape": [-2, -3]}, False),
        ({"image_shape": [True, 6]}, False),
        ({"image_shape": [2.0, 3]}, False),
        ({"image_shape": [2, 3, 1]}, False),
        ({"image_shape": [2**62, 2**64]}, False),
        ({"image_shape": [10**400, 1]}, False),
        ({"pixel_range": [0, 10**400]}, False),
        ({"pixel_range": [-3e38, 3e38]}, False),
        ({"pixel_range": [0, 1e-60]}, False),
        ({"pixel_range": [1, 1]}, False),
        ({"pixel_range": [0, float("nan")]}, False),
        ({"classes": ["a", "b", "\ud800"]}, False),
        ({"classes": ["a", "b", "b"]}, False),
        ({"classes": "abc"}, False),
    ],
)
def test_descriptions_with_impossible_values(value, ok, data, tmp_path):
    about = json.loads((data / "prepared/about.json").read_bytes())
    (tmp_path / "about.json").write_text(json.dumps(about | value))

    def read():
        return read_info(tmp_path)

    if ok:
        assert read() == read_info(data / "prepared") or "image_shape" in value
    else:
        with pytest.raises(StageError, match=r"about\.json: expected"):
            read()


def test_the_size_of_a_file_is_limited(data, tmp_path):
    path = tmp_path / "model.npz"
    path.touch()
    os.truncate(path, 1 << 42)  # a file with a hole, which takes no place on the disk
    with pytest.raises(StageError, match=r"model\.npz: expected at most \d+ bytes, got"):
        read_model(path)


@pytest.mark.parametrize("damage", ["missing", "misshapen", "another type", "nonsense"])
def test_a_checkpoint_with_a_damaged_array_does_not_change_the_result(damage, data):
    path, more = data / "checkpoint", ("--hidden", "3", "--epochs", "3")
    path.unlink()
    run(train, data, *TRAIN)
    with np.load(path) as archive:
        arrays = dict(archive)
    path.unlink()
    run(train, data, *more)
    results = [data / "model/model.npz", data / "training/metrics.json"]
    expected = [result.read_bytes() for result in results]
    for name in ("history", "finished", "numbers", "network_0", "network_3", "snapshot_1"):
        changed = {
            "missing": {},
            "misshapen": {name: np.array([arrays[name]])},
            "another type": {name: np.zeros(arrays[name].shape, np.complex64)},
            "nonsense": {name: np.array("[" * 9_000)},
        }[damage]
        rest = {key: array for key, array in arrays.items() if key != name}
        with path.open("wb") as file:
            np.savez(file, **rest, **changed, allow_pickle=False)
        run(train, data, *more)
        assert [result.read_bytes() for result in results] == expected, name
