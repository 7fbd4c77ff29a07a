"""`python -m tools.verify` in a temporary clone, where it runs the real `dvc` in another one."""

import re
import sys


def verify(clone):
    code, output = clone.run(sys.executable, "-m", "tools.verify", check=False)
    rows = re.findall(r"^(\w+) +(\S+) +(same|different)$", output, flags=re.MULTILINE)
    return code, output, {path: (stage, result) for stage, path, result in rows}


def test_the_same_commit_gives_the_same_files(clone):
    # What is not committed does not count, and must not change.
    params = clone.folder / "params.yaml"
    params.write_text(params.read_text().replace("seed: 0", "seed: 1"))
    before = clone.read("data/model/model.npz")
    code, output, rows = verify(clone)
    assert code == 0, output
    assert {result for _, result in rows.values()} == {"same"}
    assert rows["data/model/model.npz"] == ("train", "same")
    assert rows["metrics.json"] == ("evaluate", "same")
    outputs = {p.relative_to(clone.folder).as_posix() for p in (clone.folder / "data").rglob("*")}
    files = {p for p in outputs if (clone.folder / p).is_file() and "checkpoint" not in p}
    assert files - {"data/.gitignore"} == rows.keys() - {"metrics.json"}
    assert "uncommitted changes" in output
    assert "'architecture':" in output  # the BLAS kernel
    # The raw data came from the cache.
    assert "Running stage 'fetch'" not in output
    assert clone.read("data/model/model.npz") == before
    assert "seed: 1" in params.read_text()
    assert clone.git("diff", "--name-only").split() == ["params.yaml"]


def test_a_difference_and_its_cause_are_reported(clone):
    clone.edit(train__epochs="4")
    clone.git("commit", "--quiet", "--all", "--message", "without dvc repro")
    code, output, rows = verify(clone)
    assert code == 1, output
    assert rows["data/raw/images.npy"] == ("fetch", "same")
    assert rows["data/prepared/train_images.npy"] == ("preprocess", "same")
    assert rows["data/model/model.npz"] == ("train", "different")
    # Augmentation is off, so this file does not depend on training.
    assert rows["data/model/examples.npy"] == ("train", "same")
    assert "the first is data/model/model.npz" in output
    assert re.search(r"^difference: at most \d\S* in \w+$", output, flags=re.MULTILINE), output
    assert "train.epochs was 5, is 4" in output
