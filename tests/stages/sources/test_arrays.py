"""Named arrays in `.npz`, `.npy`, `.mat` and HDF5: names, shapes, labels, and errors."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stages.common.command_line.errors import StageError
from stages.sources import reading
from stages.sources.detect import from_path

DTYPES = st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_])


@settings(max_examples=40, deadline=None)
@given(
    images=DTYPES.flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=3, max_side=4))
    ),
    last_axis=st.booleans(),
    names=st.sampled_from([("x", "y"), ("images", "labels"), ("x_train", "y_train")]),
)
def test_what_is_written_is_read(images, last_axis, names, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    n, d = len(images), images[0].size
    shape = images.shape[1:] if images.ndim == 3 else None
    stored = images[..., None] if last_axis and images.ndim == 3 else images
    np.savez(path, **{names[0]: stored, names[1]: np.arange(n)[:, None]})
    found = from_path(path)
    np.testing.assert_array_equal(found.pixels, images.reshape(n, d))
    assert found.labels.tolist() == list(range(n))
    if shape:
        assert found.image_shape == shape
    assert found.parts == {}


@pytest.mark.parametrize("names", ["x_{0}", "{0}_images"])
def test_training_validation_and_test_images_follow_one_another(names, tmp_path):
    content = {}
    for k, part in enumerate(("test", "train", "val")):
        labels = {"x_{0}": "y_{0}", "{0}_images": "{0}_labels"}[names]
        content[names.format(part)] = np.full((k + 1, 2, 3), k, np.uint8)
        content[labels.format(part)] = np.full((k + 1, 1), k)
    np.savez_compressed(tmp_path / "a.npz", **content)
    found = from_path(tmp_path / "a.npz")
    assert found.labels.tolist() == found.pixels[:, 0].tolist() == [1, 1, 2, 2, 2, 0]
    assert found.parts == {"train": 2, "validation": 3, "test": 1}
    assert found.image_shape == (2, 3)


def test_colours_become_the_grey_that_pillow_makes_of_them(tmp_path):
    from PIL import Image

    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    expected = [np.asarray(Image.fromarray(image).convert("L")).ravel() for image in images]
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(5))
    found = from_path(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.pixels, expected)
    assert "5 colour images converted to greyscale" in found.notes[-1]
    np.savez(tmp_path / "a.npz", x=images / 255, y=np.arange(5))
    np.testing.assert_allclose(from_path(tmp_path / "a.npz").pixels * 255, expected, atol=1)


IMAGES, LABELS = np.zeros((4, 2, 2), np.uint8), np.arange(4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": IMAGES}, "expected arrays x_train, y_train"),
        ({"x": IMAGES}, "x: expected an array of its labels beside it, got none; names are like"),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES},
            "x_test: expected an array of its labels beside it",
        ),
        ({"x": IMAGES, "y": LABELS[:3]}, "expected one label per image, got 3 labels for 4 images"),
        ({"x": IMAGES, "y": np.eye(4) * 3 + np.eye(4)[0]}, "got shape (4, 4) and type float64"),
        (
            {"x": np.zeros((4, 5, 2, 2)), "y": LABELS},
            "or with n as the last axis, got (4, 5, 2, 2).",
        ),
        ({"x": IMAGES[:0], "y": LABELS[:0]}, "or with n as the last axis, got (0, 2, 2)."),
        ({"x": np.array("x"), "y": LABELS}, "expected images of numbers, got type <U1"),
        ({"x": np.float32(3), "y": LABELS}, "or with n as the last axis, got ()."),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:, :1], "y_test": LABELS},
            "x_test: expected images of 2×2 pixels, as in",
        ),
        (
            {"x": IMAGES, "y": np.array([{}] * 4)},
            "y.npy: expected an array of numbers or text, got one of Python objects",
        ),
    ],
)
def test_arrays_that_are_no_data_set(content, message, tmp_path):
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(StageError) as refusal:
        from_path(tmp_path / "a.npz")
    assert refusal.value.message.startswith(f"{tmp_path / 'a.npz'}: ")
    assert message in refusal.value.message
    assert "\n" not in refusal.value.message


MANY = np.random.default_rng(0).integers(0, 256, (5, 3, 2), np.uint8)


@pytest.mark.parametrize(
    "stored",
    [
        MANY[:, None],  # PyTorch: (n, 1, height, width)
        MANY[..., None],
        np.moveaxis(MANY, 0, -1),  # MATLAB: (height, width, n)
        np.moveaxis(MANY[..., None], 0, -1),  # SVHN: (height, width, channels, n)
        np.repeat(np.moveaxis(MANY[..., None], 0, -1), 3, axis=2),
        np.repeat(MANY[:, None], 3, axis=1),
    ],
)
def test_every_usual_order_of_axes(stored, tmp_path):
    np.savez(tmp_path / "a.npz", X=stored, y=np.arange(5))
    found = from_path(tmp_path / "a.npz")
    assert found.image_shape == (3, 2)
    np.testing.assert_array_equal(found.pixels, MANY.reshape(5, 6))


ONE_HOT = np.eye(4)[[2, 0, 3, 3, 1]]


@pytest.mark.parametrize("labels", [ONE_HOT, ONE_HOT.T, ONE_HOT * 2 - 1, ONE_HOT.astype(bool)])
def test_one_hot_labels(labels, tmp_path):
    np.savez(tmp_path / "a.npz", x=MANY, y=labels)
    found = from_path(tmp_path / "a.npz")
    assert found.labels.tolist() == [2, 0, 3, 3, 1]
    assert found.notes[-1].endswith("labels from one-hot rows of 4 classes.")


def test_two_images_in_one_hot_rows_and_images_that_could_be_turned(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(6).reshape(3, 2), y=[0, 1])  # (pixels, n)
    assert from_path(tmp_path / "a.npz").pixels.tolist() == [[0, 2, 4], [1, 3, 5]]


def test_structs_of_matlab_and_the_mapping_of_emnist(tmp_path):
    from scipy.io import savemat

    part = {"images": MANY.reshape(5, 6), "labels": np.arange(5)[:, None]}
    mapping = np.array([[k, 65 + k] for k in range(5)])
    content = {"dataset": {"train": part, "test": part, "mapping": mapping}}
    savemat(tmp_path / "emnist-letters.mat", content, do_compression=True)
    found = from_path(tmp_path / "emnist-letters.mat")
    np.testing.assert_array_equal(found.pixels, np.tile(MANY.reshape(5, 6), (2, 1)))
    assert found.parts == {"train": 5, "test": 5}
    assert found.column_major
    assert found.names == {str(k): "ABCDE"[k] for k in range(5)}


def test_a_matlab_file_that_unpacks_to_more_than_the_memory(tmp_path, monkeypatch):
    from scipy.io import savemat

    savemat(
        tmp_path / "a.mat", {"X": np.zeros((9, 10_000)), "y": np.arange(9)}, do_compression=True
    )
    monkeypatch.setattr(reading, "room", lambda: 100_000)
    with pytest.raises(StageError, match="expected at most 100000 bytes, a third of the free"):
        from_path(tmp_path / "a.mat")


def test_a_file_that_only_links_to_another(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(bytes(range(20)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", (5, 4), "u1", external=[(tmp_path / "secret", 0, 20)])
        file["y"] = np.arange(5)
    with pytest.raises(StageError, match="y: expected an array of its images beside it, got none"):
        from_path(tmp_path / "a.h5")


@pytest.mark.parametrize("shape", ["(True, 4)", "(-4, 4)", f"({2**70}, 4)", "(" * 5_000])
def test_headers_with_impossible_shapes(shape, tmp_path):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in "xy":
            archive.writestr(f"{name}.npy", magic + header + bytes(16))
    with pytest.raises(StageError, match=r"a\.npz: x.npy: expected a whole file of plain arrays"):
        from_path(tmp_path / "a.npz")


@pytest.mark.parametrize("damage", ["cut", "zeros", "foreign"])
def test_damaged_files(damage, tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).random((40, 9)), y=np.arange(40))
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[:-50], "zeros": whole[:900] + bytes(90) + whole[990:], "foreign": b"PK\3\4"}[
            damage
        ]
    )
    with pytest.raises(StageError, match=r"a\.npz: "):
        from_path(path)
