"""The README's walk-through with one's own data: its own code and words, and the real `dvc`."""

import re
import sys

import numpy as np
import yaml
from clones import ROOT
from PIL import Image

README = (ROOT / "README.md").read_text()
SECTION = README[README.index("\n## Your own data\n") :]


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```", SECTION, re.M | re.S)[1]


def test_the_walk_through(clone):
    clone.run(sys.executable, "-c", block("python"))
    for section, values in yaml.safe_load(block("yaml")).items():
        clone.edit(**{f"{section}__{key}": str(value).lower() for key, value in values.items()})
    clone.edit(train__epochs="4")
    path = clone.folder / "dvc.yaml"
    path.write_text(path.read_text().replace("    deps:\n", "    deps:\n      - digits\n", 1))
    clone.dvc("add", "digits")
    assert clone.repro() == ["fetch", "preprocess", "train", "evaluate", "export"]
    images = np.load(clone.folder / "data/raw/images.npy")
    assert images.shape == (1797, 64)
    assert "?? digits" not in clone.git("status", "--porcelain").splitlines()

    picture = clone.folder / "digits/0/0.png"
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(picture)
    assert clone.repro("preprocess") == ["fetch", "preprocess"]
    changed = np.load(clone.folder / "data/raw/images.npy")
    np.testing.assert_array_equal(changed[0], 255 - images[0])
    np.testing.assert_array_equal(changed[1:], images[1:])


def test_images_that_are_not_there_are_one_line(clone):
    clone.edit(fetch__source="digitz")
    code, output = clone.dvc("repro", check=False)
    assert code != 0
    assert "fetch.source: 'digitz' is neither auto, openml, mirror nor a file" in output
    assert "Traceback" not in output
