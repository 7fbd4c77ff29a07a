"""fetch.source as a path: every format through all stages, and errors."""

import hashlib
import json
import sys

import numpy as np
import pytest
from own_data import csv_text, digits, idx_bytes, write_folder
from PIL import Image

from stages import evaluate, fetch, preprocess, train
from tools import predict

IMAGES, LABELS = digits(600)


def write_idx(path):
    path.mkdir()
    (path / "train-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES))
    (path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS.astype(np.uint8)))


FORMATS = {
    "folder": lambda path: write_folder(path, IMAGES, LABELS),
    "train.csv": lambda path: path.write_text(csv_text(IMAGES.reshape(-1, 64), LABELS)),
    "digits.npz": lambda path: np.savez(path, x=IMAGES, y=LABELS),
    "idx": write_idx,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_same_data_set(name, run, tmp_path, monkeypatch):
    digests = tuple(
        hashlib.sha256(array.astype(np.uint8).tobytes()).hexdigest() for array in (IMAGES, LABELS)
    )
    monkeypatch.setattr(fetch, "PINNED", {("digits", 1): digests})
    FORMATS[name](tmp_path / name)
    result = run(fetch, "--source", name)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{name}: 600 images of 64 pixels (8×8), 10 classes\n"
    assert f"SHA-256 of the images: {digests[0]}" in result.stderr
    assert f"{name}: identical to digits version 1" in result.stderr
    raw = tmp_path / "data/raw"
    np.testing.assert_array_equal(np.load(raw / "images.npy"), IMAGES.reshape(-1, 64))
    np.testing.assert_array_equal(np.load(raw / "labels.npy"), LABELS)
    about = json.loads((raw / "about.json").read_text())
    assert about == {"classes": list("0123456789"), "image_shape": [8, 8]}


def chain(run, source, *more):
    """Accuracy after all four stages."""
    for stage, options in (
        (fetch, ("--source", source)),
        (preprocess, ("--test-size", 0.2, "--validation-size", 0.2, "--shuffle")),
        (train, ("--hidden", 16, "--epochs", 12, *more)),
        (evaluate, ("--examples", 10, "--units", 10)),
    ):
        result = run(stage, *options)
        assert result.exit_code == 0, result.output
    return json.loads((evaluate.Path("metrics.json")).read_text())["test"]["accuracy"]


@pytest.mark.parametrize("name", ["folder", "train.csv"])
def test_the_whole_chain_learns(name, run, tmp_path):
    FORMATS[name](tmp_path / name)
    assert chain(run, name) > 0.8


def test_emnist_is_learned_upright(run, tmp_path):
    """`evaluate`, `predict` and the examples of the page see the same upright images."""
    images, labels = digits()
    folder = tmp_path / "gzip"
    folder.mkdir()
    for part, rows in (("train", slice(1500)), ("test", slice(1500, None))):
        stored = np.ascontiguousarray(images[rows].transpose(0, 2, 1))
        (folder / f"emnist-digits-{part}-images-idx3-ubyte").write_bytes(idx_bytes(stored))
        content = idx_bytes(labels[rows].astype(np.uint8))
        (folder / f"emnist-digits-{part}-labels-idx1-ubyte").write_bytes(content)
    result = run(fetch, "--source", "gzip")
    assert "gzip: images transposed (fetch.transpose: auto).\n" in result.stderr
    for stage, options in (
        (preprocess, ("--test-size", "own", "--validation-size", 200)),
        (train, ("--hidden", 32, "--epochs", 8)),
        (evaluate, ("--examples", 10, "--units", 10)),
    ):
        assert run(stage, *options).exit_code == 0
    on_page = np.load(tmp_path / "data/prepared/test_images.npy")
    np.testing.assert_array_equal(np.round(on_page * 255), images[1500:].reshape(-1, 64))
    accuracy = json.loads((tmp_path / "metrics.json").read_text())["test"]["accuracy"]
    assert accuracy > 0.85
    (tmp_path / "pictures").mkdir()
    for number in range(100):
        upright = Image.fromarray(images[1500 + number])
        upright.save(tmp_path / "pictures" / f"{number:03}_{labels[1500 + number]}.png")
    found = json.loads(run(predict, "pictures", "--json").stdout)
    right = [entry["label"] == entry["image"][-5] for entry in found]
    assert len(right) == 100
    assert np.mean(right) > 0.85


def test_images_that_are_not_square_from_end_to_end(run, tmp_path):
    rng = np.random.default_rng(0)
    labels = [f"{name} ß" for name in ("left", "right", "nan")] * 40
    images = rng.integers(0, 60, (120, 4, 9), np.uint8)
    for k, column in enumerate((1, 7, 4)):
        images[k::3, :, column] += 190
    write_folder(tmp_path / "own", images, labels)
    assert chain(run, "own", "--shift", 0.3, "--rotation", 5) > 0.9
    about = json.loads((tmp_path / "data/prepared/about.json").read_text())
    assert about["image_shape"] == [4, 9]
    assert about["classes"] == ["left ß", "nan ß", "right ß"]
    assert (tmp_path / "data/evaluation/overview.png").stat().st_size > 10_000


def test_the_official_parts_are_kept_by_the_sizes_that_it_names(run, tmp_path):
    for part, rows in (("train", slice(400)), ("test", slice(400, 600))):
        write_folder(tmp_path / "own" / part, IMAGES[rows], LABELS[rows])
    result = run(fetch, "--source", "own")
    assert result.stderr.startswith(
        "own/train: classes from the names of folders.\nown/test: classes from the names of "
        "folders.\nown: 400 train, 200 test; to keep this split: preprocess.test_size: own, "
        "validation_size: 0.1.\n"
    )
    assert run(preprocess, "--test-size", "own", "--validation-size", 50).exit_code == 0
    test = np.load(tmp_path / "data/prepared/test_images.npy")
    np.testing.assert_array_equal(np.round(test * 255), IMAGES[400:].reshape(-1, 64))


def test_the_advice_for_the_default_sizes_and_sorted_classes(run, refused, tmp_path):
    for number, label in enumerate(np.sort(LABELS)):
        write_folder(tmp_path / "own", IMAGES[number : number + 1], [label])
        (tmp_path / "own" / str(label) / "0.png").rename(
            tmp_path / "own" / str(label) / f"{label}-{number}.png"
        )
    assert run(fetch, "--source", "own").exit_code == 0
    assert refused(preprocess).startswith("preprocess.test_size: expected fewer than 600 samples")
    sizes = ("--test-size", 0.2, "--validation-size", 0.2)
    assert "set preprocess.shuffle: true" in refused(preprocess, *sizes)
    assert run(preprocess, *sizes, "--shuffle").exit_code == 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("auot", "'auot'; did you mean auto."),
        ("own/trian.csv", "'own/trian.csv'; did you mean own/train.csv."),
        ("no/such/thing", "'no/such/thing'."),
        ("", "''."),
        ("x" * 5000, "'xxx"),
    ],
)  # fmt: skip
def test_sources_that_are_not_there(source, message, refused, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "train.csv").write_text("")
    assert refused(fetch, "--source", source).startswith(
        f"fetch.source: expected auto, openml, mirror, or an existing file or folder, got {message}"
    )


def test_a_word_is_a_word_and_a_path_a_path(run, tmp_path, monkeypatch):
    FORMATS["folder"](tmp_path / "mirror")
    monkeypatch.setenv("HOME", str(tmp_path))
    for source in ("./mirror", tmp_path / "mirror", "~/mirror"):
        assert run(fetch, "--source", source, "--name", "a b").exit_code == 0
    refused = run(fetch, "--source", "mirror", "--name", "x").output
    assert "the mirrors have only mnist_784" in refused


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"\x89PNG\r\n", "a.png: expected IDX files, CSV, .npz"),
        ("a.txt", b"", "a.txt: expected IDX files"),
        ("a.csv", b"", "a.csv: expected IDX files"),
        (
            "a.csv",
            b"1,2,3\n",
            "fetch.label: expected labels in the first or the last column of a.csv",
        ),
        (
            "a.csv",
            b"label,p0\n1,0\n1,2\n",
            "fetch.source: a.csv: expected 2 to 1000 different labels, got 1",
        ),
        ("a.npz", b"PK\x03\x04", "a.npz: "),
        (
            "a-images",
            b"\0\0\x08\x03",
            "a-images: expected an array of its labels beside it, got none",
        ),
        ("a.gz", b"\x1f\x8b\x08", "a.gz: expected a whole gzip file, got a damaged one"),
    ],
)
def test_files_that_are_no_data_set(name, content, message, refused, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert refused(fetch, "--source", name).startswith(message)
    assert not (tmp_path / "data").exists()


def test_a_folder_without_data_names_the_file_that_may_be_meant(refused, tmp_path):
    (tmp_path / "own").mkdir()
    assert refused(fetch, "--source", "own").startswith(
        "own: expected a data set in this folder, got none; supported are IDX files"
    )
    for name in ("one", "two"):
        (tmp_path / "own" / name).mkdir()
        (tmp_path / "own" / name / "train.csv").write_text("label,pixel0\n1,2\n")
    assert refused(fetch, "--source", "own") == (
        "own: expected a data set in this folder, got none; set fetch.source to one of own/one, "
        "own/two."
    )


@pytest.mark.parametrize(
    ("name", "head", "package", "extra"),
    [
        ("a.parquet", b"PAR1", "pyarrow", "parquet"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "h5py", "hdf5"),
        ("a.mat", b"MATLAB 7.3 MAT-file", "h5py", "hdf5"),
    ],
)
def test_a_package_that_is_missing_is_named(
    name, head, package, extra, refused, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / name).write_bytes(head)
    assert refused(fetch, "--source", name).endswith(
        f"need a package; install it with pip install -e '.[{extra}]'."
    )
