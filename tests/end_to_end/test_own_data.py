"""The example of docs/data.md: its code, its parameters and its commands, with the real `dvc`."""

import sys
import zipfile

import numpy as np
import yaml
from clones import stages_run
from documents import blocks, commands
from own_data import csv_text, digits
from PIL import Image

GUIDE = "docs/data.md"


def test_the_example(clone):
    (code, _), (parameters,) = blocks(GUIDE, "python"), blocks(GUIDE, "yaml")
    clone.run(sys.executable, "-c", code)
    for section, values in yaml.safe_load(parameters).items():
        clone.edit(**{f"{section}__{key}": str(value).lower() for key, value in values.items()})
    clone.edit(train__epochs="4")
    path = clone.folder / "dvc.yaml"
    path.write_text(path.read_text().replace("    deps:\n", "    deps:\n      - digits\n", 1))
    output = "".join(clone.run("bash", "-c", command) for command, _ in commands(GUIDE)[3:])
    assert stages_run(output) == ["fetch", "preprocess", "train", "evaluate", "export"]
    images = np.load(clone.folder / "data/raw/images.npy")
    assert images.shape == (1797, 64)
    assert "?? digits" not in clone.git("status", "--porcelain").splitlines()

    picture = clone.folder / "digits/0/0.png"
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(picture)
    assert clone.repro("preprocess") == ["fetch", "preprocess"]
    changed = np.load(clone.folder / "data/raw/images.npy")
    np.testing.assert_array_equal(changed[0], 255 - images[0])
    np.testing.assert_array_equal(changed[1:], images[1:])


def test_the_archive_of_kaggle_in_three_commands(clone):
    images, labels = digits()
    pixels = images.reshape(-1, 64)
    with zipfile.ZipFile(clone.folder / "digit-recognizer.zip", "w") as archive:
        archive.writestr("sample_submission.csv", "ImageId,Label\n1,0\n2,0\n")
        archive.writestr("test.csv", csv_text(pixels[:20]))
        archive.writestr("train.csv", csv_text(pixels, labels))
    output = "".join(clone.run("bash", "-c", command) for command, _ in commands(GUIDE)[:3])
    for line in (
        'digit-recognizer.zip/train.csv: label in the column "label" (first), 1797 rows',
        "digit-recognizer.zip: left out sample_submission.csv, test.csv",
    ):
        assert line in output
    answers = clone.read("answers.csv").decode().split()[1:]
    right = [answer.split(",")[1] for answer in answers] == labels[:20].astype(str)
    assert right.sum() >= 16


def test_images_that_are_not_there_are_one_line(clone):
    clone.edit(fetch__source="digitz")
    code, output = clone.dvc("repro", check=False)
    assert code != 0
    assert "an existing file or folder, got 'digitz'." in output
    assert "Traceback" not in output
