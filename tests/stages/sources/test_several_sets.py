"""One of several data sets in a folder, an archive or a file; a path leads inside."""

import shutil
import zipfile

import numpy as np
import pytest
from own_data import csv_text, idx_bytes

from stages import fetch
from stages.common.command_line.errors import StageError
from stages.sources.detect import from_path

NAMES = ("emnist-balanced", "emnist-letters")


def pixels_of(name):
    return np.random.default_rng(NAMES.index(name)).integers(0, 256, (12, 3, 3), np.uint8)


LABELS = np.arange(12, dtype=np.uint8) % 3


def write_idx(folder):
    for name in NAMES:
        for what, array in (("images", pixels_of(name)), ("labels", LABELS)):
            path = folder / f"{name}-train-{what}-idx{array.ndim}-ubyte"
            path.write_bytes(idx_bytes(array))


def write_tables(folder):
    for name in NAMES:
        for part, rows in (("train", slice(8)), ("test", slice(8, 12))):
            pixels = pixels_of(name)[rows].reshape(-1, 9)
            (folder / f"{name}-{part}.csv").write_text(csv_text(pixels, LABELS[rows]))


@pytest.fixture(params=[write_idx, write_tables])
def folder(request, tmp_path):
    inner = tmp_path / "own" / "gzip"
    inner.mkdir(parents=True)
    request.param(inner)
    return tmp_path / "own"


def test_a_data_set_is_chosen_by_the_beginning_of_its_file_names(folder):
    with pytest.raises(StageError) as refusal:
        from_path(folder)
    choices = refusal.value.message.partition("set fetch.source to one of ")[2].strip(".")
    assert choices == ", ".join(f"{folder}/gzip/{name}" for name in NAMES)
    shutil.make_archive(str(folder), "zip", folder)
    outer = zipfile.ZipFile(folder.with_name("outer.zip"), "w")
    with outer:
        outer.write(folder.with_name("own.zip"), "deep/own.zip")
    for name in NAMES:
        for path in (
            folder / "gzip" / name,
            folder / name,
            folder.with_name("own.zip") / "gzip" / name,
            folder.with_name("own.zip") / name,
            folder.with_name("outer.zip") / "deep" / "own.zip" / name,
        ):
            found = from_path(path)
            np.testing.assert_array_equal(found.pixels, pixels_of(name).reshape(12, 9))
            assert found.labels.tolist() == list(map(type(found.labels[0]), LABELS))
            assert found.column_major


def test_messages_name_the_archive(folder, refused):
    archive = shutil.make_archive(str(folder), "zip", folder)
    for path in (folder / "gzip", archive):
        message = refused(fetch, "--source", f"{path}/emnist-digits")
        assert message.startswith(
            ("fetch.source: expected", f"{archive}/gzip: expected a data set")
        )
        assert "/tmp/tmp" not in message
    (file, *_) = sorted(path.name for path in (folder / "gzip").iterdir())
    assert refused(fetch, "--source", f"{folder}/gzip/{file}/more") == (
        f"{folder}/gzip/{file}/more: expected a file, a folder or a data set in "
        f"{folder}/gzip/{file}, got more."
    )


def test_a_file_in_an_archive_is_read_alone(folder, run, tmp_path):
    (folder / "gzip" / "own.npz").touch()
    np.savez(folder / "gzip" / "own.npz", x=pixels_of(NAMES[0]), y=LABELS)
    archive = shutil.make_archive(str(folder), "gztar", folder)
    result = run(fetch, "--source", f"{archive}/gzip/own.npz")
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(
        np.load(tmp_path / "data/raw/images.npy"), pixels_of(NAMES[0]).reshape(12, 9)
    )


def test_arrays_of_several_data_sets_in_one_file(tmp_path):
    path = tmp_path / "own.npz"
    arrays = {f"{name}-train-{what}": array for name in NAMES
              for what, array in (("images", pixels_of(name)), ("labels", LABELS))}  # fmt: skip
    np.savez(path, **arrays)
    with pytest.raises(StageError, match=rf"several; set .* {path}/{NAMES[0]}, {path}/{NAMES[1]}"):
        from_path(path)
    for name in NAMES:
        np.testing.assert_array_equal(from_path(path / name).pixels, pixels_of(name).reshape(12, 9))


def test_files_with_one_part_each_follow_one_another(tmp_path):
    pixels = pixels_of(NAMES[0])
    for part, rows in (("extra", slice(1)), ("test", slice(8, 12)), ("train", slice(8))):
        np.savez(tmp_path / f"{part}_32x32.npz", X=pixels[rows], y=LABELS[rows])  # as SVHN's .mat
    found = from_path(tmp_path)
    np.testing.assert_array_equal(found.pixels, pixels.reshape(12, 9))
    assert found.labels.tolist() == LABELS.tolist()
    assert found.parts == {"train": 8, "test": 4}
