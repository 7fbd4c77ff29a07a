"""IDX: round trips of every data type and shape, file names, and damaged files."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from own_data import CODES, idx_bytes

from stages.common.command_line.errors import StageError
from stages.sources.detect import from_path
from stages.sources.idx import read_idx


@settings(max_examples=60, deadline=None)
@given(
    array=st.sampled_from(list(CODES)).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=4, max_side=5))
    ),
    zipped=st.booleans(),
)
def test_what_is_written_is_read(array, zipped, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any-idx"
    path.write_bytes(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    found = read_idx(path)
    assert found.dtype == array.dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, array)


def quartet(folder, *, prefix="", test="t10k", dot="-", end=".gz"):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (9, 3, 2), np.uint8), np.arange(9, dtype=np.uint8) % 3
    folder.mkdir()
    for part, rows in (("train", slice(6)), (test, slice(6, None))):
        for what, array in (("images", images[rows]), ("labels", labels[rows])):
            content = idx_bytes(array)
            name = f"{prefix}{part}-{what}{dot}idx{array.ndim}-ubyte{end}"
            (folder / name).write_bytes(gzip.compress(content) if end else content)
    return images, labels


@pytest.mark.parametrize(
    "spelling",
    [
        {},
        {"end": ""},
        {"dot": ".", "end": ""},
        {"prefix": "emnist-letters-", "test": "test"},
    ],
)
def test_a_quartet_is_read_training_images_first(spelling, tmp_path):
    images, labels = quartet(tmp_path / "set", **spelling)
    found = from_path(tmp_path / "set")
    np.testing.assert_array_equal(found.pixels, images.reshape(9, 6))
    np.testing.assert_array_equal(found.labels, labels)
    assert found.image_shape == (3, 2)
    assert found.parts == {"train": 6, "test": 3}


def test_a_pair_in_a_folder_and_the_path_of_its_images(tmp_path):
    images, labels = quartet(tmp_path / "set")
    for path in (tmp_path / "set").glob("train*"):
        path.unlink()
    in_folder = from_path(tmp_path / "set")
    by_name = from_path(tmp_path / "set" / "t10k-images-idx3-ubyte.gz")
    for found in (in_folder, by_name):
        np.testing.assert_array_equal(found.pixels, images[6:].reshape(3, 6))
        np.testing.assert_array_equal(found.labels, labels[6:])
        assert found.parts == {}


def test_an_unpacked_file_beside_its_archive_counts_once(tmp_path):
    images, _ = quartet(tmp_path / "set")
    packed = tmp_path / "set" / "train-images-idx3-ubyte.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    np.testing.assert_array_equal(from_path(tmp_path / "set").pixels, images.reshape(9, 6))


def test_files_of_macos_beside_them_are_ignored(tmp_path):
    images, _ = quartet(tmp_path / "set")
    for path in list((tmp_path / "set").iterdir()):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    np.testing.assert_array_equal(from_path(tmp_path / "set").pixels, images.reshape(9, 6))


def test_the_folders_of_torchvision(tmp_path):
    images, _ = quartet(tmp_path / "raw")
    (tmp_path / "data" / "MNIST" / "processed").mkdir(parents=True)
    (tmp_path / "raw").rename(tmp_path / "data" / "MNIST" / "raw")
    np.testing.assert_array_equal(from_path(tmp_path / "data").pixels, images.reshape(9, 6))


def test_the_labels_of_qmnist(tmp_path):
    images, labels = quartet(tmp_path / "set", prefix="qmnist-", test="test")
    for part, rows in (("train", slice(6)), ("test", slice(6, None))):
        (tmp_path / "set" / f"qmnist-{part}-labels-idx1-ubyte.gz").unlink()
        table = np.repeat(labels[rows, None].astype(np.int32), 8, axis=1) * np.arange(
            1, 9, dtype="i4"
        )
        (tmp_path / "set" / f"qmnist-{part}-labels-idx2-int").write_bytes(idx_bytes(table))
    found = from_path(tmp_path / "set")
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.pixels, images.reshape(9, 6))


def test_emnist_is_column_major_and_has_letters(tmp_path):
    quartet(tmp_path / "set", prefix="emnist-letters-", test="test")
    assert from_path(tmp_path / "set").names == {}
    mapping = tmp_path / "set" / "emnist-letters-mapping.txt"
    mapping.write_text("0 65 97\n1 66 98\n2 67 99\n")
    found = from_path(tmp_path / "set")
    assert found.column_major
    assert found.names == {"0": "A", "1": "B", "2": "C"}
    mapping.write_text("x")
    with pytest.raises(StageError, match=r"mapping\.txt: expected lines of a label and"):
        from_path(tmp_path / "set")


def test_files_that_are_missing_or_too_many(tmp_path):
    quartet(tmp_path / "set")
    labels = tmp_path / "set" / "t10k-labels-idx1-ubyte.gz"
    labels.rename(tmp_path / "set" / "mnist-t10k-labels-idx1-ubyte.gz")
    with pytest.raises(StageError, match=r"several; set fetch.source to one of \S+/set/mnist\."):
        from_path(tmp_path / "set")
    (tmp_path / "set" / "mnist-t10k-labels-idx1-ubyte.gz").unlink()
    for path in (tmp_path / "set", tmp_path / "set" / "t10k-images-idx3-ubyte.gz"):
        with pytest.raises(
            StageError, match=r"t10k-images\S+: expected an array of its labels beside"
        ):
            from_path(path)


IDX = (
    "expected an IDX file, which begins with 00 00, a data type (08, 09, 0b, 0c, 0d, 0e) and the "
    "number of dimensions, "
)
WHOLE = idx_bytes(np.zeros((4, 3, 2), np.uint8))
# Without the time, because the parameters of a test must be the same in all of pytest's workers.
BAD_GZIP = gzip.compress(
    idx_bytes(np.random.default_rng(0).integers(0, 256, (99, 9), np.uint8)), mtime=0
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", f"{IDX}got an empty file."),
        (b"\0\0\x08", f"{IDX}got 00 00 08."),
        (b"\0\0\x07\x01" + WHOLE[4:], f"{IDX}got 00 00 07 01."),
        (b"\0\0\x08\x00" + WHOLE[4:], IDX),
        (b"\0\0\x08\xff" + b"\0\0\0\x01" * 255 + b"\0", f"{IDX}got 00 00 08 ff."),
        (b"\x08\x03\0\0" + WHOLE[4:], IDX),
        (WHOLE[:9], "expected 12 bytes of dimensions, got 5"),
        (WHOLE[:-5], "expected 24 bytes for the 4×3×2 numbers that the header announces, got 19"),
        (
            WHOLE + b"\0",
            "expected 24 bytes for the 4×3×2 numbers that the header announces, got 25",
        ),
        (b"\0\0\x0e\x03" + b"\xff" * 12, "expected 633825299"),  # 2⁹⁹ bytes are not allocated
        (BAD_GZIP[:-300], "expected a whole gzip file, got a damaged one"),
        (
            BAD_GZIP[:300] + b"\0\0\0\0" + BAD_GZIP[304:],
            "expected a whole gzip file, got a damaged one",
        ),
        (BAD_GZIP[:4], "expected a whole gzip file, got a damaged one"),
    ],
)
def test_damaged_files(content, message, tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(StageError) as refusal:
        read_idx(path)
    assert refusal.value.message.startswith(f"{path}: {message}")
    assert "\n" not in refusal.value.message
