"""preprocess: scaling, one-hot labels, the split, and invalid input."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import deslant
from nn.checks.arrays import square
from stages import preprocess
from stages.common.files.raw_data import Raw
from stages.common.photographs.framing import framing_of


def example(n=100, classes=4, d=9, dtype=np.uint8):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, d)).astype(dtype)
    images[0, 0] = 255
    names = [f"c{k}" for k in range(classes)]
    return Raw(images, (np.arange(n) % classes).astype(np.uint8), names, square(d))


@pytest.fixture
def raw_folder(tmp_path):
    example().write(tmp_path / "data" / "raw")
    return tmp_path / "data" / "raw"


def prepared(tmp_path):
    folder = tmp_path / "data" / "prepared"
    return {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}


SIZES = ("--test-size", 20, "--validation-size", 10)


def test_source_order_keeps_the_last_samples_for_the_test(run, raw_folder, tmp_path):
    result = run(preprocess, *SIZES)
    assert result.exit_code == 0, result.output
    raw, found = Raw.read(raw_folder), prepared(tmp_path)
    for part, rows in {
        "train": slice(70),
        "validation": slice(70, 80),
        "test": slice(80, None),
    }.items():
        images, labels = found[f"{part}_images"], found[f"{part}_labels"]
        assert images.dtype == labels.dtype == np.float32
        np.testing.assert_allclose(images, raw.images[rows] / 255, rtol=1e-6)
        np.testing.assert_array_equal(labels, np.eye(4)[raw.labels[rows]])
    about = json.loads((tmp_path / "data/prepared/about.json").read_text())
    framing = framing_of(np.array(found["train_images"]), raw.image_shape)
    assert about == {
        "framing": framing.numbers(),
        "classes": ["c0", "c1", "c2", "c3"],
        "image_shape": list(raw.image_shape),
        "pixel_range": [0, 255],
        "deslanted": False,
    }


def test_deslanted_images(run, raw_folder, tmp_path):
    assert run(preprocess, *SIZES).exit_code == 0
    plain = {name: np.array(array) for name, array in prepared(tmp_path).items()}
    result = run(preprocess, *SIZES, "--deslant")
    assert "images deslanted" in result.output
    for name, array in prepared(tmp_path).items():
        is_images = name.endswith("images")
        expected = deslant(plain[name], (3, 3)) if is_images else plain[name]
        np.testing.assert_array_equal(array, expected)
    assert json.loads((tmp_path / "data/prepared/about.json").read_text())["deslanted"] is True


def test_deslanting_needs_the_image_shape(refused, raw_folder):
    replace(Raw.read(raw_folder), image_shape=None).write(raw_folder)
    assert refused(preprocess, *SIZES, "--deslant").startswith("preprocess.deslant: expected false")


def test_shuffled_split_is_stratified_and_seeded(run, raw_folder, tmp_path):
    def content(seed):
        assert run(preprocess, *SIZES, "--shuffle", "--seed", seed).exit_code == 0
        return {name: array.copy() for name, array in prepared(tmp_path).items()}

    first, again, other = content(1), content(1), content(2)
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
    assert not np.array_equal(first["test_images"], other["test_images"])
    assert first["test_labels"].sum(axis=0).tolist() == [5, 5, 5, 5]
    together = np.concatenate([first[f"{p}_images"] for p in ("train", "validation", "test")])
    raw = Raw.read(raw_folder).images / np.float32(255)
    np.testing.assert_allclose(np.sort(together, axis=0), np.sort(raw, axis=0), rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(80, 200),
    test_size=st.one_of(st.integers(4, 15), st.floats(0.1, 0.4)),
    validation_size=st.one_of(st.integers(4, 15), st.floats(0.1, 0.4)),
    seed=st.one_of(st.none(), st.integers(0, 2**32 - 1)),
)
def test_every_sample_is_in_exactly_one_part(n, test_size, validation_size, seed):
    labels = np.arange(n) % 4
    parts = preprocess.split(labels, test_size, validation_size, seed)
    together = np.concatenate(list(parts.values()))
    assert sorted(together.tolist()) == list(range(n))
    if isinstance(test_size, int):
        assert len(parts["test"]) == test_size
    if isinstance(validation_size, int):
        assert len(parts["validation"]) == validation_size
    if seed is None:
        assert together.tolist() == list(range(n))


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (
            ("--test-size", 100),
            "preprocess.test_size: expected fewer than 100 samples, to leave some",
        ),
        (
            ("--test-size", 10**8),
            "preprocess.test_size: expected fewer than 100 samples, to leave some",
        ),
        (("--validation-size", 80), "preprocess.validation_size: expected fewer than 80 samples"),
        (("--test-size", 0), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", -5), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", "nan"), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", "inf"), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", 1.5), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", "1.0"), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", 0.999999), "preprocess.test_size: expected a size that leaves"),
        (("--test-size", "many"), "preprocess.test_size: expected a number of samples (1"),
        (("--test-size", 1e300), "preprocess.test_size: expected a number of samples (1"),
        (("--validation-size", 0.001), "preprocess.validation_size: expected samples of all"),
        (("--seed", -1), "preprocess.seed: expected an integer from 0 to 4294967295, got '-1'"),
        (("--seed", 2**32), "preprocess.seed: expected an integer from 0 to 4294967295"),
        (
            ("--seed", 1, "--shuffle", "--test-size", 2),
            "preprocess.test_size: expected a size that leaves",
        ),
    ],
)
def test_impossible_splits(options, start, refused, raw_folder, tmp_path):
    merged = dict(zip(SIZES[::2], SIZES[1::2], strict=True))
    flags = [option for option in options if option == "--shuffle"]
    pairs = [option for option in options if option != "--shuffle"]
    merged |= dict(zip(pairs[::2], pairs[1::2], strict=True))
    line = refused(preprocess, *flags, *[part for pair in merged.items() for part in pair])
    assert line.startswith(start)
    assert not (tmp_path / "data" / "prepared").exists()


PARTS = {"train": 60, "validation": 16, "test": 24}


@pytest.mark.parametrize("shuffle", [(), ("--shuffle",)])
def test_parts_of_the_data_sets_own(shuffle, run, refused, raw_folder, tmp_path):
    assert "because the data set has no test part of its own, got own for a data set in one" in (
        refused(preprocess, "--test-size", "own")
    )
    raw = replace(Raw.read(raw_folder), parts=PARTS)
    raw.write(raw_folder)
    assert Raw.read(raw_folder).parts == PARTS
    own = run(preprocess, "--test-size", "own", "--validation-size", "own", *shuffle)
    assert own.exit_code == 0, own.output
    for part, rows in (
        ("train", slice(60)),
        ("validation", slice(60, 76)),
        ("test", slice(76, 100)),
    ):
        images = prepared(tmp_path)[f"{part}_images"]
        np.testing.assert_allclose(images, raw.images[rows] / 255, rtol=1e-6)
    assert run(preprocess, "--test-size", "own", "--validation-size", 0.25, *shuffle).exit_code == 0
    found = prepared(tmp_path)
    np.testing.assert_allclose(found["test_images"], raw.images[76:] / 255, rtol=1e-6)
    assert len(found["validation_images"]) == 19
    replace(raw, parts={"train": 60, "test": 30}).write(raw_folder)
    assert "about.json: expected parts of 100 images, got 90" in refused(preprocess, *SIZES)


def test_a_class_that_only_the_training_part_has(refused, tmp_path):
    raw = example()
    Raw(raw.images, np.sort(raw.labels), raw.classes).write(tmp_path / "data" / "raw")
    line = refused(preprocess, *SIZES)
    assert "expected samples of all classes" in line
    assert "preprocess.shuffle: true" in line


@pytest.mark.parametrize(
    ("of_the_first", "message"),
    [
        (2, "data/raw/labels.npy: expected at least 3 samples of class c0, one per part, got 2"),
        (3, "preprocess.validation_size: expected samples of all classes in the validation part, "
            "got none of class c0; choose a larger size"),
    ],
)  # fmt: skip
def test_rare_classes_that_no_shuffling_brings_into_every_part(
    of_the_first, message, refused, tmp_path
):
    raw = example()
    labels = np.where(np.arange(100) < of_the_first, 0, 1 + np.arange(100) % 3).astype(np.uint8)
    Raw(raw.images, labels, raw.classes).write(tmp_path / "data" / "raw")
    sizes = ("--test-size", 10, "--validation-size", 5)
    assert refused(preprocess, *sizes, "--shuffle").startswith(message)


def test_a_failure_half_way_leaves_the_old_split_whole(run, raw_folder, tmp_path, monkeypatch):
    assert run(preprocess, *SIZES).exit_code == 0
    before = {name: array.copy() for name, array in prepared(tmp_path).items()}
    monkeypatch.setattr(preprocess, "write_info", interrupted)
    assert run(preprocess, "--test-size", 30, "--validation-size", 20).exit_code != 0
    after = prepared(tmp_path)
    assert after.keys() == before.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def interrupted(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "about.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "pickled"])
def test_damaged_raw_files(name, damage, refused, raw_folder, tmp_path):
    path = raw_folder / name
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "foreign":
        path.write_bytes(b"hello")
    else:
        with path.open("wb") as file:
            np.save(file, np.array([{}], object), allow_pickle=True)
    line = refused(preprocess, *SIZES)
    assert line.startswith(f"data/raw/{name}: ")
    assert line.endswith("dvc repro --force --single-item fetch")
    assert not (tmp_path / "data" / "prepared").exists()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("images.npy", np.zeros((100, 9), np.int64)),
        ("images.npy", np.zeros((100, 3, 3), np.uint8)),
        ("images.npy", np.zeros((0, 9), np.uint8)),
        ("labels.npy", np.zeros(99, np.uint8)),
        ("labels.npy", np.zeros(100, np.float32)),
        ("labels.npy", np.full(100, 4, np.uint8)),
        ("labels.npy", np.full(100, -1)),
    ],
)
def test_whole_files_with_the_wrong_content(name, array, refused, raw_folder):
    np.save(raw_folder / name, array)
    assert refused(preprocess, *SIZES).startswith(f"data/raw/{name}: ")


def test_dark_strokes_on_a_bright_background_are_inverted(run, raw_folder, tmp_path):
    raw = Raw.read(raw_folder)
    images = np.array(raw.images)
    images[:, [0, 1, 2, 3, 5, 6, 7, 8]] = 250  # all but the middle of 3×3 pixels
    replace(raw, images=images).write(raw_folder)
    assert run(preprocess, *SIZES).exit_code == 0
    np.testing.assert_allclose(
        prepared(tmp_path)["train_images"], 1 - images[:70] / 255, rtol=1e-5, atol=1e-7
    )
    about = json.loads((tmp_path / "data/prepared/about.json").read_text())
    assert about["pixel_range"] == [255, 0]
    replace(raw, images=images, image_shape=None).write(raw_folder)  # no border is known
    assert run(preprocess, *SIZES).exit_code == 0
    np.testing.assert_allclose(prepared(tmp_path)["train_images"], images[:70] / 255, rtol=1e-6)
