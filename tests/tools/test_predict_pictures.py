"""Kinds of pictures: colours, depths, transparency, orientation, formats."""

import os

import numpy as np
import pytest
from PIL import Image
from sheets import DIGITS, NO_IMAGE, ask, drawing, write

from tools import predict

pytestmark = pytest.mark.xdist_group("predict")  # one worker trains the network


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_any_kind_of_picture(mode, run, model, tmp_path):
    picture = Image.fromarray(drawing(DIGITS[4]))
    if mode == "I;16":
        faint = np.asarray(picture).astype(np.uint16) * 100 + 20_000
        picture = Image.fromarray(faint)
    else:
        picture = picture.convert(mode)
    picture.save(tmp_path / ("four.tif" if mode == "CMYK" else "four.png"))
    (answer,) = ask(run, "four.tif" if mode == "CMYK" else "four.png").values()
    assert answer["label"] == "4"


def test_thin_strokes_of_a_large_scan_are_not_lost(run, model, tmp_path):
    enlarged = Image.fromarray(drawing(DIGITS[7], size=(160, 160))).resize((6400, 6400))
    edges = np.asarray(enlarged) < 128
    outline = edges ^ np.roll(edges, 60, axis=1)  # a pen of 60 pixels along the digit's sides
    for mode in ("L", "1"):
        Image.fromarray(np.where(outline, 0, 255).astype(np.uint8)).convert(mode).save(
            f"{mode}.png"
        )
    found = ask(run, "L.png", "1.png")
    assert found["L.png"]["label"] == found["1.png"]["label"]
    assert found["L.png"]["confidence"] == pytest.approx(found["1.png"]["confidence"], abs=0.02)


def test_formats_that_run_other_programs_are_no_pictures(refused, run, model, tmp_path):
    Image.fromarray(drawing(DIGITS[0])).convert("L").save(tmp_path / "a.eps")
    os.rename("a.eps", "innocent.png")
    assert refused(predict, "innocent.png").startswith(f"innocent.png: {NO_IMAGE}, got a PDF or")
    (tmp_path / "folder").mkdir()
    os.rename("innocent.png", "folder/a.eps")
    write(tmp_path / "folder" / ".hidden.png", drawing(DIGITS[0]))
    assert "expected pictures in this folder" in refused(predict, "folder")


def test_a_transparent_drawing(run, model, tmp_path):
    ink = 255 - drawing(DIGITS[6])
    for name, colour in (("black.png", 0), ("white.png", 255)):
        layers = [np.full_like(ink, colour)] * 3 + [ink]
        write(tmp_path / name, np.stack(layers, axis=-1))
    assert {answer["label"] for answer in ask(run, "black.png", "white.png").values()} == {"6"}


def test_a_photograph_is_turned_as_it_was_held(run, model, tmp_path):
    upright = Image.fromarray(drawing(DIGITS[7], size=(120, 160)))
    exif = upright.getexif()
    exif[0x0112] = 6  # "turn me clockwise"
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "seven.jpg", exif=exif)
    (answer,) = ask(run, "seven.jpg").values()
    assert answer["label"] == "7"
