"""`fetch.size`: drawings are cropped to their ink, other images are resized as a whole."""

import numpy as np
import pytest
from own_data import write_folder
from PIL import Image
from scipy import ndimage

from stages.common.command_line.errors import StageError
from stages.sources.detect import Options, from_path

SIZE = Options(size=28)


def crosses(n=30):
    """A dark cross or bar on each of n pieces of grey paper of different sizes, with noise."""
    rng = np.random.default_rng(0)
    papers = []
    for k in range(n):
        paper = np.full(rng.integers(60, 90, 2), 220.0)
        top, left = rng.integers(3, 20, 2)
        paper[top : top + 36, left + 16 : left + 20] = 60
        if k % 2:
            paper[top + 16 : top + 20, left : left + 36] = 60
        papers.append(np.rint(paper + rng.normal(0, 2, paper.shape)).astype(np.uint8))
    return papers, ["bar", "cross"] * (n // 2)


def test_drawings_have_one_size_and_place(tmp_path):
    write_folder(tmp_path / "own", *crosses())
    found = from_path(tmp_path / "own", SIZE)
    assert found.pixels.dtype == np.uint8
    assert found.image_shape == (28, 28)
    assert found.notes[-1].endswith("own: 30 drawings cropped to their ink, scaled into 28×28.")
    for label, image in zip(found.labels, found.pixels.reshape(-1, 28, 28), strict=True):
        rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
        # A box of 20 pixels, with the centre of mass in the middle.
        assert np.ptp(rows) + 1 == 20
        assert np.ptp(columns) + 1 in ((20,) if label == "cross" else (2, 3))
        np.testing.assert_allclose(ndimage.center_of_mass(image), 14, atol=0.6)


def test_drawings_without_ink_are_left_out_and_named(tmp_path):
    papers, labels = crosses()
    papers[5] = np.full_like(papers[5], 220)
    for part in ("train", "test"):
        write_folder(tmp_path / "own" / part, papers, labels)
    found = from_path(tmp_path / "own", SIZE)
    assert found.parts == {"train": 29, "test": 29}
    assert found.labels.tolist() == 2 * (labels[:5] + labels[6:])
    assert found.notes[-1].endswith(
        "; left out 2 without ink: train/cross/5.png, test/cross/5.png."
    )


def test_drawings_in_several_parts_are_kept_whole(tmp_path):
    papers, labels = crosses()
    papers[0][:] = 220
    papers[0][10:40, 10:14] = papers[0][10:40, 40:44] = 60
    write_folder(tmp_path / "own", papers, labels)
    found = from_path(tmp_path / "own", SIZE)
    assert "; 1 have separate parts, which predict reads as several" in found.notes[-1]
    columns = np.flatnonzero(found.pixels[0].reshape(28, 28).max(axis=0))
    assert np.ptp(columns) == 19
    assert np.diff(columns).max() > 10


def test_photographs_are_resized_as_a_whole(tmp_path):
    rng = np.random.default_rng(0)
    grains = [Image.fromarray(rng.integers(0, 256, (4, 4), np.uint8)) for _ in range(20)]
    images = [np.asarray(grain.resize((40 + k, 70 - k))) for k, grain in enumerate(grains)]
    write_folder(tmp_path / "own", images, ["a", "b"] * 10)
    found = from_path(tmp_path / "own", Options(size=8))
    assert found.notes[-1].endswith("own: 20 images resized to 8×8 as a whole.")
    for image, pixels in zip(images, found.pixels, strict=True):
        small = Image.fromarray(image).resize((8, 8), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(pixels.reshape(8, 8), np.asarray(small), atol=2)


def test_a_damaged_image_is_named(tmp_path):
    write_folder(tmp_path / "own", *crosses(6))
    (tmp_path / "own" / "bar" / "6.png").write_bytes(b"\x89PNG")
    with pytest.raises(StageError, match=r"bar/6\.png: expected"):
        from_path(tmp_path / "own", SIZE)
