"""`.npz` archives: names of arrays, conversion to greyscale, and errors."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stages.common.command_line.errors import StageError
from stages.sources.npz import from_npz

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
    found = from_npz(path)
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
    found = from_npz(tmp_path / "a.npz")
    assert found.labels.tolist() == found.pixels[:, 0].tolist() == [1, 1, 2, 2, 2, 0]
    assert found.parts == {"train": 2, "validation": 3, "test": 1}
    assert found.image_shape == (2, 3)


def test_colours_become_the_grey_that_pillow_makes_of_them(tmp_path, capsys):
    from PIL import Image

    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    expected = [np.asarray(Image.fromarray(image).convert("L")).ravel() for image in images]
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(5))
    np.testing.assert_array_equal(from_npz(tmp_path / "a.npz").pixels, expected)
    assert "5 colour images converted to greyscale" in capsys.readouterr().err
    np.savez(tmp_path / "a.npz", x=images / 255, y=np.arange(5))
    np.testing.assert_allclose(from_npz(tmp_path / "a.npz").pixels * 255, expected, atol=1)


IMAGES, LABELS = np.zeros((4, 2, 2), np.uint8), np.arange(4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": IMAGES}, "expected arrays x_train, y_train"),
        ({"x": IMAGES}, "or images and labels, got x."),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES},
            "expected an array y_test, got only",
        ),
        ({"x": IMAGES, "y": LABELS[:3]}, "expected one label per image, got 3 labels for 4 images"),
        ({"x": IMAGES, "y": np.eye(4)}, "got shape (4, 4) and type float64"),
        (
            {"x": np.zeros((4, 3, 2, 2)), "y": LABELS},
            "(n, height, width, 3) or (n, pixels), got (4, 3, 2, 2).",
        ),
        (
            {"x": IMAGES[:0], "y": LABELS[:0]},
            "(n, height, width, 3) or (n, pixels), got (0, 2, 2).",
        ),
        ({"x": np.array("x"), "y": LABELS}, "expected images of numbers, got type <U1"),
        ({"x": np.float32(3), "y": LABELS}, "(n, height, width, 3) or (n, pixels), got ()."),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:, :1], "y_test": LABELS},
            "expected images of shape (2, 2), as in",
        ),
        (
            {"x": IMAGES, "y": np.array([{}] * 4)},
            "expected an array of numbers or text, got object",
        ),
    ],
)
def test_arrays_that_are_no_data_set(content, message, tmp_path):
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(StageError) as refusal:
        from_npz(tmp_path / "a.npz")
    assert refusal.value.message.startswith(f"{tmp_path / 'a.npz'}: ")
    assert message in refusal.value.message
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize("shape", ["(True, 4)", "(-4, 4)", f"({2**70}, 4)", "(" * 5_000])
def test_headers_with_impossible_shapes(shape, tmp_path):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in "xy":
            archive.writestr(f"{name}.npy", magic + header + bytes(16))
    with pytest.raises(StageError, match=r"a\.npz: expected a whole .npz file of plain arrays"):
        from_npz(tmp_path / "a.npz")


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
        from_npz(path)
