"""Pictures of digits, as people have them, and what the model says of them."""

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sheets import DIGITS, LABELS, NO_IMAGE, TRAINED_ON, ask, drawing, write

from nn import Network, save
from stages.common.photographs.image_preparation import prepare_image
from tools import predict

pytestmark = pytest.mark.xdist_group("predict")  # one worker trains the network

VARIANTS = {
    "as it was trained": {},
    "small, in a corner": {"scale": 4, "corner": (0, 0)},
    "large, on a wide sheet": {"scale": 30, "size": (300, 700), "corner": (50, 400)},
    "chalk on a board": {"paper": 0.1, "ink": 0.95},
    "pencil": {"paper": 0.9, "ink": 0.6},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_digits_are_recognised_in_any_size_place_and_polarity(variant, run, model, tmp_path):
    held_out = range(TRAINED_ON, TRAINED_ON + 60)
    for k in held_out:
        write(tmp_path / "pictures" / f"{k}.png", drawing(DIGITS[k], **VARIANTS[variant]))
    answers = ask(run, "pictures")
    right = [answers[f"pictures/{k}.png"]["label"] == str(LABELS[k]) for k in held_out]
    assert np.mean(right) > 0.9


def with_output_weights_times(factor, network, path):
    """Write the network, less sure of its answers or more."""
    changed = network.copy()
    changed.weights[-1] *= factor
    with path.open("wb") as file:
        save(changed, file)
    return changed


def test_a_line_for_each_picture(run, model, network, tmp_path):
    doubtful = with_output_weights_times(0.5, network, model)
    pixels = drawing(DIGITS[0])
    write(tmp_path / "zero.png", pixels)
    probabilities = doubtful.probabilities(prepare_image(pixels / 255).reshape(-1))
    first, second = np.argsort(-probabilities)[:2]
    assert probabilities[second] > 0.001
    assert run(predict, "zero.png").output == (
        f"zero.png: {first}  {probabilities[first]:.1%}  "
        f"(then {second}, {probabilities[second]:.1%})\n"
    )
    assert first == LABELS[0]


def test_a_second_class_of_0_percent_is_not_printed(run, model, network, tmp_path):
    with_output_weights_times(20, network, model)
    write(tmp_path / "zero.png", drawing(DIGITS[0]))
    assert run(predict, "zero.png").output == f"zero.png: {LABELS[0]}  100.0%\n"
    (found,) = json.loads(run(predict, "zero.png", "--json").stdout)
    assert 0 <= found["runner_up_confidence"] < 0.0005


def test_a_folder_is_read_in_the_order_of_its_numbers(run, model, tmp_path):
    names = ["2.png", "9.png", "10.png", "page 2.png", "page 10.png"]
    for name in names:
        write(tmp_path / "pages" / name, drawing(DIGITS[0]))
    lines = run(predict, "pages").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"pages/{name}" for name in names]


def test_json_for_programs(run, model, tmp_path):
    write(tmp_path / "a.png", drawing(DIGITS[3]))
    (tmp_path / "b.png").write_bytes(b"no picture")
    result = run(predict, "b.png", "a.png", "--json")
    assert result.exit_code == 1
    bad, good = json.loads(result.stdout)
    assert good["image"] == "a.png"
    assert good["label"] == "3"
    assert 0 < good["runner_up_confidence"] < good["confidence"] <= 1
    assert good["doubt"] is None
    assert bad == {"image": "b.png", "error": NO_IMAGE}


def test_a_prediction_that_is_not_to_be_relied_on_says_so(run, model, tmp_path):
    scribble = np.full((90, 90), 255, np.uint8)
    scribble[np.random.default_rng(0).random((90, 90)) < 0.5] = 0
    scribble[:9] = scribble[-9:] = scribble[:, :9] = scribble[:, -9:] = 255
    write(tmp_path / "a.png", scribble)
    (found,) = json.loads(run(predict, "a.png", "--json").stdout)
    assert found["doubt"] in ("not sure", "unlike any class")
    assert f"% {found['doubt']}  (then" in run(predict, "a.png").stdout


def test_json_is_valid_for_every_name(run, model, tmp_path):
    name = os.fsdecode(b"\xff\x1b[31m.png")
    write(tmp_path / name, drawing(DIGITS[3]))
    result = run(predict, name, "--json")
    result.stdout_bytes.decode("ascii")
    assert json.loads(result.stdout)[0]["image"] == name
    assert run(predict, name).stdout.startswith("\\udcff\\x1b[31m.png: 3 ")


@pytest.mark.parametrize(
    "options",
    [("--json",), ("--show", "seen.png"), ("--model-path", "m.npz"), ("--submission", "o.csv")],
    ids=lambda options: options[0],
)
def test_options_may_precede_or_follow_the_image(options, run, model, tmp_path):
    os.replace(model, "m.npz")
    image = "test.csv" if "--submission" in options else "a.png"
    write(tmp_path / "a.png", drawing(DIGITS[1]))
    Path("test.csv").write_text("\n".join(",".join([cell] * 784) for cell in ("pixel0", "7")))
    rest = () if "--model-path" in options else ("--model-path", "m.npz")
    results = [
        run(predict, *words) for words in ((*options, *rest, image), (image, *options, *rest))
    ]
    assert results[0].exit_code == 0, results[0].output
    assert results[0].output == results[1].output


def test_a_reader_that_has_enough(run, model, tmp_path):
    for k in range(30):
        write(tmp_path / "many" / f"{k}.png", drawing(DIGITS[k]))
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m tools.predict many | head -1",
        shell=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(predict.__file__).parent.parent)},
        check=False,
    )
    assert done.stdout.startswith("many/0.png: ")
    assert done.stderr == ""


def test_standard_input(run, model):
    file = io.BytesIO()
    Image.fromarray(drawing(DIGITS[2])).save(file, format="PNG")
    result = CliRunner().invoke(predict.main, ["-"], input=file.getvalue())
    assert result.output.startswith("standard input: 2  ")


def test_what_cannot_be_answered_is_said_and_the_others_are_answered(run, model, tmp_path):
    write(tmp_path / "blank.png", np.full((50, 50), 200, np.uint8))
    good = write(tmp_path / "good.png", drawing(DIGITS[1]))
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:200])
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "nothing").mkdir()
    write(tmp_path / "huge.png", np.zeros((20_000, 20_000), np.uint8))
    write(tmp_path / "large.png", np.zeros((11_000, 10_000), np.uint8))
    names = ["blank", "broken", "text", "empty", "huge", "large", "missing"]
    result = run(predict, *(f"{name}.png" for name in names), "nothing", "good.png")
    assert result.exit_code == 1
    assert result.stdout.startswith("good.png: 1  ")
    lines = dict(line.removeprefix("Error: ").split(": ", 1) for line in result.stderr.splitlines())
    assert lines.pop("broken.png").startswith("expected a whole image, got a damaged one (")
    assert lines == {
        "blank.png": "expected a digit, got a blank image.",
        "text.png": f"{NO_IMAGE}.",
        "empty.png": f"{NO_IMAGE}.",
        "huge.png": "expected an image of at most 100 million pixels.",
        "large.png": "expected an image of at most 100 million pixels.",
        "missing.png": "No such file or directory.",
        "nothing": "expected pictures in this folder, got none.",
    }


def two_digits(first, second):
    return np.hstack([drawing(DIGITS[first]), drawing(DIGITS[second], corner=(30, 30))])


def test_several_digits_are_read_from_left_to_right(run, model, tmp_path):
    write(tmp_path / "42.png", two_digits(4, 2))
    result = run(predict, "42.png")
    assert result.output.startswith("42.png: 42  (4 ")
    result = run(predict, "42.png", "--json", "--show", "seen.png")
    four, two = json.loads(result.stdout)
    assert (four["image"], four["label"]) == ("42.png", "4")
    assert (two["image"], two["label"]) == ("42.png", "2")
    left, top, right, bottom = four["box"]
    assert 0 < left < right < 0.5
    assert 0 < top < bottom < 1
    assert two["box"][0] > 0.5
    assert (tmp_path / "seen.png").stat().st_size > 0


def test_the_names_of_the_files_are_shown(run, model, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("stages.reporting.galleries.gallery_png", lambda *a: shown.extend(a) or b"")
    long = f"{'x' * 40}.png"
    for name in ("a.png", long):
        write(tmp_path / "drawings" / name, drawing(DIGITS[5]))
    write(tmp_path / "42.png", two_digits(4, 2))
    assert run(predict, "42.png", "drawings", "--show", "seen.png").exit_code == 0
    _, images, captions, names = shown
    assert len(images) == len(captions) == len(names) == 5
    assert names[:4] == ["42.png"] * 3 + ["a.png"]
    assert names[4].replace("\n", "") == f"…{'x' * 25}.png"


def test_show_what_the_network_saw(run, model, tmp_path):
    write(tmp_path / "a.png", drawing(DIGITS[5]))
    for _ in range(2):
        assert run(predict, "a.png", "a.png", "--show", "seen.png").exit_code == 0
        with Image.open(tmp_path / "seen.png") as picture:
            picture.load()
            assert picture.width > 400


def test_what_is_skipped_in_a_folder_is_named(run, model, tmp_path):
    write(tmp_path / "photos" / "a.png", drawing(DIGITS[5]))
    (tmp_path / "photos" / "b.heic").write_bytes(b"")
    (tmp_path / "photos" / "more").mkdir()
    (tmp_path / "photos" / ".hidden").write_bytes(b"")
    result = run(predict, "photos")
    assert result.exit_code == 0
    assert result.stdout.startswith("photos/a.png: 5 ")
    assert result.stderr.startswith("Warning: photos: skipped b.heic, more (2); expected image")
    assert "convert it to PNG" in result.stderr


@pytest.mark.parametrize("name", ["pages.tif", "moving.gif", "moving.png", "moving.webp"])
def test_a_file_with_several_images_is_refused(name, refused, model, tmp_path):
    pages = [Image.fromarray(drawing(DIGITS[k])) for k in (3, 4)]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    assert (
        refused(predict, name)
        == f"{name}: expected a file with one image, got several images; save each as a file."
    )


def test_without_an_image_or_a_model(refused, tmp_path):
    assert refused(predict, "a.png").startswith("data/model/model.npz: the file does not exist")
    path = tmp_path / "data" / "model" / "model.npz"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        save(Network.initialize([15, 3, 2], np.random.default_rng(0)), file)
    assert "expected a model with a known image shape, got one with 15 inputs" in refused(
        predict, "a.png"
    )
    for nothing in ((), ("",)):
        assert "expected at least one IMAGE" in refused(predict, *nothing)
    assert "expected - at most once" in refused(predict, "-", "-")
    assert "cannot be combined" in refused(predict, "a.csv", "--submission", "b.csv", "--json")
