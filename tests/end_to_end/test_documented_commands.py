"""Every command in the console blocks of the documentation runs as it is written."""

import re
import sys
import time
from pathlib import Path

import pytest
import yaml
from documents import DOCUMENTS, blocks, commands
from own_data import csv_text, digits
from PIL import Image

# The commands that are not run here, and why.
NOT_RUN = {
    r"git clone URL ": "the address of the repository is not known",
    r"python3 -m venv |pip install |pipx ": "installs packages",
    r"make check|make test|pytest ": "checks and tests, of which this is one",
    r"dask |TUNE_SCHEDULER=": "needs a cluster; tests/tools/test_tune_cluster.py makes one",
    r"TRAIN_SCHEDULER=": "the same; tests/stages/training/test_cluster.py makes one",
    r"dvc --cd experiments repro ladder": "takes hours; test_ladder.py runs a part of it",
}
# test_own_data.py runs those of docs/data.md.
PAGES = [name for name in DOCUMENTS if commands(name) and name != "docs/data.md"]
SEARCH = "tune:\n  method: random\n  trials: 2\n  search_seed: 0\n"


def test_every_exception_is_needed():
    documented = [command for document in PAGES for command, _ in commands(document)]
    for pattern in NOT_RUN:
        assert any(re.match(pattern, command) for command in documented), pattern


@pytest.mark.parametrize("document", PAGES)
def test_every_command_runs(document, clone, tmp_path):
    _link_environment(clone.folder / ".venv")
    metrics = [clone.read("metrics.json")]
    for command, shown in commands(document):
        if not any(re.match(pattern, command) for pattern in NOT_RUN):
            _prepare(clone, document, command)
            output = _run(clone, _filled_in(command, clone, tmp_path))
            _assert_similar(output, shown)
            metrics.append(clone.read("metrics.json"))
            _check(clone, command, output, metrics)


def _link_environment(folder):
    """An environment for `make` and `source`, in which nothing is left to install."""
    folder.mkdir()
    for path in Path(sys.prefix).iterdir():
        (folder / path.name).symlink_to(path)
    for name in ("installed", "installed-test"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).touch()


def _prepare(clone, document, command):
    """Do what the text before a command says."""
    if command.startswith("dvc repro  "):
        clone.edit(train__learning_rate="1.0")
    elif "--queue" in command and "-n cross-entropy" not in command:
        clone.git("checkout", "params.yaml", "metrics.json", "dvc.lock")
        clone.dvc("checkout", "--force")
    elif "search/dvc.yaml" in command:
        (space,) = blocks(document, "yaml")
        (clone.folder / "experiments/search/space.yaml").write_text(space)
        (clone.folder / "experiments/search/params.yaml").write_text(SEARCH)
    elif "photo.jpg drawings/" in command:
        images, _ = digits(4)
        (clone.folder / "drawings").mkdir()
        for name, image in zip(("photo.jpg", "drawings/1.png"), images, strict=False):
            Image.fromarray(image).resize((80, 80)).save(clone.folder / name)
        pixels = images.reshape(4, -1) // 15  # the range of the training images
        (clone.folder / "test.csv").write_text(csv_text(pixels))


def _filled_in(command, clone, tmp_path):
    """The command, with the words that stand for names to choose replaced."""
    experiments = clone.git("for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps/*/*/*")
    command = command.replace("/path/to/a/folder", str(tmp_path / "remote"))
    return re.sub(r"\bNAME\b", experiments.split()[0] if experiments else "", command)


def _run(clone, command):
    output = clone.run("bash", "-c", command)
    deadline = time.monotonic() + 600
    while command.startswith("dvc queue status") and re.search("Queued|Running", output):
        assert time.monotonic() < deadline, output
        time.sleep(1)
        output = clone.run("bash", "-c", command)
    assert "Failed" not in output, output
    return output


def _assert_similar(output, shown):
    """All lines that the document shows are in the output, with other numbers."""
    lines = {re.sub(r"\d+", "0", line) for line in output.splitlines()}
    assert {re.sub(r"\d+", "0", line) for line in shown.splitlines()} <= lines


def _check(clone, command, output, metrics):
    """What the document says of a result; `metrics` are those before and after each command."""
    if command.startswith("dvc repro  "):
        assert re.findall(r"Running stage '(\w+)'", output) == ["train", "evaluate", "export"]
    elif command.startswith("git checkout . && dvc checkout"):
        assert metrics[-1] == metrics[0] != metrics[-2]
        assert clone.repro() == []
    elif command.startswith("dvc exp apply NAME"):
        assert metrics[-1] == metrics[1] != metrics[-2]
        assert clone.repro() == []
    elif command.startswith("dvc exp show --only-changed"):
        assert "train.learning_rate" in output
        assert all(re.search(rf"\b{rate} ", output) for rate in ("0.5", "1", "3"))
        assert max(map(len, output.splitlines())) <= 120
    elif command.startswith("dvc exp show --md"):
        assert all(f"[{name}]" in output for name in ("wider", "cross-entropy"))
    elif command.startswith("dvc exp apply wider"):
        assert yaml.safe_load(clone.read("params.yaml"))["train"]["hidden"] == [300]
        assert clone.repro() == []
