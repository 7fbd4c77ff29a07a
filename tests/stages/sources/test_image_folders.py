"""Folders of images: order, conversion to greyscale, and errors that name the file."""

import io
import os

import numpy as np
import pytest
from own_data import write_folder
from PIL import Image

from stages.common.command_line.errors import StageError
from stages.common.files import image_files
from stages.sources.detect import from_path


@pytest.fixture
def folder(tmp_path):
    """Twelve images of 3×5 pixels in three classes, numbered throughout."""
    images = np.random.default_rng(0).integers(0, 256, (12, 3, 5), np.uint8)
    write_folder(tmp_path / "own", images, ["b", "a", "c"] * 4)
    return tmp_path / "own", images


def refusal_of(folder):
    with pytest.raises(StageError) as refusal:
        from_path(folder)
    assert "\n" not in refusal.value.message
    return refusal.value.message.replace(str(folder), "own")


def test_files_numbered_throughout_come_back_in_their_order(folder):
    path, images = folder
    found = from_path(path)
    assert found.labels.tolist() == ["b", "a", "c"] * 4
    assert found.image_shape == (3, 5)
    assert found.pixels.dtype == np.uint8
    np.testing.assert_array_equal(found.pixels, images.reshape(12, 15))
    assert found.parts == {}


def test_training_validation_and_test_folders_follow_one_another(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    labels = ["a", "b"]
    write_folder(tmp_path / "own" / "testing", images[4:], labels)
    write_folder(tmp_path / "own" / "Val", images[2:4], labels)
    write_folder(tmp_path / "own" / "train", images[:2], labels)
    found = from_path(tmp_path / "own")
    np.testing.assert_array_equal(found.pixels, images.reshape(6, 4))
    assert found.labels.tolist() == labels * 3
    assert found.parts == {"train": 2, "validation": 2, "test": 2}


def test_parts_may_be_inside_folders_and_without_labels(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    write_folder(tmp_path / "own" / "trainingSet" / "trainingSet", images, ["a", "b"] * 3)
    write_folder(tmp_path / "own" / "testSet", images, ["testSet"] * 6)
    write_folder(tmp_path / "own" / "trainingSample" / "trainingSample", images, ["a", "b"] * 3)
    found = from_path(tmp_path / "own")
    np.testing.assert_array_equal(found.pixels, images.reshape(6, 4))
    assert any(note.endswith("testSet: left out, because its images have no labels.")
               for note in found.notes)  # fmt: skip


def test_flat_folders_called_train_and_test_are_no_classes(tmp_path):
    write_folder(tmp_path / "own", np.zeros((8, 2, 2), np.uint8), ["train", "test"] * 4)
    assert refusal_of(tmp_path / "own").startswith(
        "own/train: expected the class of each image, got none; put the images into one sub-folder "
        "per class, begin their names with the label (7_1.png), or add a table labels.csv"
    )
    (tmp_path / "own" / "train.csv").write_text(
        "filename,label\n" + "".join(f"{k}.png,{k // 4}\n" for k in range(0, 8, 2))
    )
    (tmp_path / "own" / "test" / "0.png").write_bytes(
        (tmp_path / "own" / "test" / "1.png").read_bytes()
    )  # also in train
    found = from_path(tmp_path / "own")
    assert found.labels.tolist() == ["0", "0", "1", "1"]


def test_classes_may_be_called_train_and_test_among_others(tmp_path):
    write_folder(tmp_path / "own", np.zeros((6, 2, 2), np.uint8), ["train", "test", "car"] * 2)
    assert from_path(tmp_path / "own").labels.tolist() == ["train", "test", "car"] * 2


def test_a_flat_folder_whose_names_begin_with_the_label(tmp_path):
    images = np.arange(36, dtype=np.uint8).reshape(9, 2, 2)
    (tmp_path / "own").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "own" / f"{number % 3}_{number:04}.png")
    found = from_path(tmp_path / "own")
    assert found.labels.tolist() == list("000111222")
    np.testing.assert_array_equal(
        found.pixels.reshape(9, 2, 2), images[[0, 3, 6, 1, 4, 7, 2, 5, 8]]
    )
    for path in (tmp_path / "own").iterdir():
        path.rename(path.with_name(f"img_{path.stem}.png"))
    assert "expected the class of each image, got none" in refusal_of(tmp_path / "own")


@pytest.mark.parametrize("header", ["", "file,label\n", "image;class;size\n", "id,label\n"])
def test_a_table_of_files_and_labels(header, tmp_path):
    images = np.arange(16, dtype=np.uint8).reshape(4, 2, 2)
    write_folder(tmp_path / "own", images, ["images"] * 4)
    mark = ";" if ";" in header else ","
    rows = [["2.png", "cat"], ["0.png", "dog"], ["1.png", "cat"]]
    if header.startswith("id"):
        rows = [[name.removesuffix(".png"), label] for name, label in rows]
    text = "".join(mark.join([*row, *(["9"] if ";" in header else [])]) + "\n" for row in rows)
    (tmp_path / "own" / "labels.csv").write_text(header + text)
    found = from_path(tmp_path / "own")
    assert found.labels.tolist() == ["cat", "dog", "cat"]
    np.testing.assert_array_equal(found.pixels, images[[2, 0, 1]].reshape(3, 4))
    assert found.notes[0].endswith("labels.csv: labels of 3 images; 1 other images left out.")
    (tmp_path / "own" / "labels.csv").write_text(
        header + text + mark.join("xyz"[: 2 + (mark == ";")])
    )
    assert "expected the name of one image file and its label, got 'x" in refusal_of(
        tmp_path / "own"
    )


def test_a_folder_inside_folders(folder):
    path, images = folder
    outer = path.with_name("outer")
    (outer / "deeper").mkdir(parents=True)
    path.rename(outer / "deeper" / "own")
    np.testing.assert_array_equal(from_path(outer).pixels, images.reshape(12, 15))


def test_images_of_another_size_are_refused_with_advice(folder):
    path, _ = folder
    Image.fromarray(np.zeros((20, 10), np.uint8)).save(path / "a" / "4.png")
    assert "set fetch.size to the side to which all are brought" in refusal_of(path)


def test_system_files_are_ignored_and_stray_files_reported(folder):
    path, _ = folder
    for name in (
        ".DS_Store", "a/.hidden.png", "b/Thumbs.db", "README.txt",
        "a/notes.txt", "a/list.csv", "b/LICENSE", "c/x.zip", "c/index.html",
    ):  # fmt: skip
        (path / name).write_bytes(b"x")
    (path / ".git").mkdir()
    (path / "__MACOSX").mkdir()
    found = from_path(path)
    assert len(found.labels) == 12
    assert any(note.startswith(f"{path}: ignored README.txt; ") for note in found.notes)
    assert f"{path}: left out a/list.csv, a/notes.txt, b/LICENSE, c/index.html, … (5), which" in (
        "".join(found.notes)
    )


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("1.heic", b"\0\0\0\x18ftypheic\0", "a HEIC or AVIF photograph"),
        ("1.pdf", b"%PDF-1.7", "a PDF or PostScript file"),
        ("1.svg", b'<?xml version="1.0"?>\n<!-- a -->\n<svg/>', "an SVG drawing"),
    ],
)
def test_pictures_in_other_formats_are_refused_with_advice(name, content, what, folder):
    path, _ = folder
    (path / "a" / name).write_bytes(content)
    assert refusal_of(path) == (
        f"own/a/{name}: expected an image (PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM), got {what}; "
        "convert it to PNG, for example with the command magick of ImageMagick; replace the file, "
        "or move it elsewhere."
    )


def png_of(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


GREY = np.array([[0, 60, 255], [7, 130, 200]], np.uint8)
DEEP = GREY.astype(np.uint16) * 200
TURNED = Image.Exif()
TURNED[0x0112] = 6  # what is stored must be turned a quarter to the right
CLEAR = np.dstack([GREY, np.where(GREY == 0, 0, 255).astype(np.uint8)])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png_of(Image.fromarray(GREY)), GREY),
        (png_of(Image.fromarray(GREY), "BMP"), GREY),
        (png_of(Image.fromarray(GREY), "GIF"), GREY),
        (png_of(Image.fromarray(GREY), "TIFF"), GREY),
        (png_of(Image.fromarray(GREY), "PPM"), GREY),
        (png_of(Image.fromarray(np.dstack([GREY] * 3))), GREY),
        (png_of(Image.fromarray(GREY).convert("P")), GREY),
        (png_of(Image.fromarray(GREY).convert("1", dither=0)), 255 * (GREY > 127)),
        (png_of(Image.fromarray(np.dstack([GREY, GREY, GREY, CLEAR[..., 1]]))), [*[255], 60, 255]),
        (png_of(Image.fromarray(CLEAR)), np.where(GREY == 0, 255, GREY)),
        (png_of(Image.fromarray(DEEP)), DEEP),
        (png_of(Image.fromarray(DEEP), "TIFF"), DEEP),
        (png_of(Image.fromarray(GREY / np.float32(3)), "TIFF"), GREY / np.float32(3)),
        (png_of(Image.fromarray(GREY), exif=TURNED), np.rot90(GREY, -1)),
    ],
)  # fmt: skip
def test_every_depth_and_kind_of_colour(content, expected, tmp_path):
    for name in "ab":
        path = tmp_path / "own" / name / "image"  # the content tells the format, not the name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    found = from_path(tmp_path / "own")
    expected = np.asarray(expected)
    if expected.ndim == 1:  # the upper line is enough
        np.testing.assert_array_equal(found.pixels[0, :3], expected)
        return
    assert found.image_shape == expected.shape
    np.testing.assert_array_equal(found.pixels[0], expected.ravel())


def test_colour_is_reported(tmp_path):
    red = np.zeros((2, 2, 2, 3), np.uint8)
    red[..., 0] = 255
    write_folder(tmp_path / "own", red, ["a", "b"])
    found = from_path(tmp_path / "own")
    assert found.pixels.tolist() == [[76] * 4] * 2
    assert found.notes[-1].endswith("2 colour images converted to greyscale.")


def test_images_of_another_size_or_depth_are_named(folder):
    path, images = folder
    Image.fromarray(images[4].T.copy()).save(path / "a" / "4.png")
    assert refusal_of(path).startswith("own/a/4.png: expected 5×3 pixels of type uint8, as in ")
    assert "own/b/0.png, got 3×5 pixels" in refusal_of(path)
    Image.fromarray(images[4].astype(np.uint16)).save(path / "a" / "4.png")
    assert refusal_of(path).endswith(
        "got 5×3 pixels of type uint16; convert all images to one depth, with Pillow or "
        "ImageMagick."
    )


def with_an_empty_page(tiff):
    """The TIFF file with a second page that has no size, for which Pillow has a TypeError."""
    at = int.from_bytes(tiff[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(tiff[at : at + 2], "little")
    return tiff[:end] + len(tiff).to_bytes(4, "little") + tiff[end + 4 :] + bytes(6)


def test_files_that_are_no_images_are_named(folder):
    path, images = folder
    odd = path / "a" / "4.png"
    whole = png_of(Image.fromarray(np.tile(images[4], (9, 9))))
    second = Image.new("L", (3, 2))
    for content, message in (
        (b"", "expected an image (PNG, "),
        (b"hello", "expected an image (PNG, "),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "expected an image (PNG, "),
        (whole[:80], "expected a whole image, got a damaged one ("),
        (with_an_empty_page(png_of(Image.fromarray(GREY), "TIFF")),
         "expected a whole image, got a damaged one ("),
        (whole[:70] + b"\xff\xff" + whole[72:], "expected a whole image, got a damaged one ("),
        (png_of(Image.fromarray(GREY), "GIF", save_all=True, append_images=[second]),
         "expected a file with one image, got several images"),
    ):  # fmt: skip
        odd.write_bytes(content)
        assert refusal_of(path).startswith(f"own/a/4.png: {message}")


def test_a_fifo_is_not_waited_for(folder):
    os.mkfifo(folder[0] / "a" / "3.png")
    assert refusal_of(folder[0]).startswith("own/a/3.png: expected an image, got a special file")


def test_a_picture_that_would_fill_the_memory(folder, monkeypatch):
    path, _ = folder
    monkeypatch.setattr(image_files, "MAX_PIXELS", 4)
    assert refusal_of(path).startswith("own/b/0.png: expected an image of at most")
    monkeypatch.setattr(image_files, "MAX_PIXELS", 100)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)  # Pillow's own limit, half of its error
    assert refusal_of(path).startswith("own/b/0.png: expected an image of at most")


def test_folders_that_do_not_belong(folder):
    path, _ = folder
    (path / "d").mkdir()
    assert refusal_of(path).startswith("own/d: expected images of this class, got none")
    (path / "d" / "deeper").mkdir()
    assert refusal_of(path).startswith("own/d/deeper: expected only images in the folder of class")
