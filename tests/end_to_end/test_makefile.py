"""`make`: in a folder whose name has a space, and without git."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from clones import Clone


@pytest.fixture
def folder(reproduced, tmp_path):
    clone = reproduced.copy(tmp_path / "my digits")
    (clone.folder / ".venv").symlink_to(sys.prefix)
    return clone


def make(clone, **options):
    return clone.run("make", "--no-print-directory", "--assume-old", ".venv/installed", **options)


def test_make_restores_a_damaged_lock_file(reproduced, folder):
    clone = folder
    os.truncate(clone.folder / "dvc.lock", 0)  # as a kill leaves it while DVC writes the file
    output = make(clone)
    assert "validation failed" in output
    assert "test images wrong" not in output  # no stage ran
    assert clone.read("dvc.lock") == reproduced.read("dvc.lock")


def test_make_says_what_to_do_in_a_download_without_git(tmp_path):
    shutil.copy(Path(__file__).parents[2] / "Makefile", tmp_path)
    code, output = Clone(tmp_path, tmp_path / "home").run(
        "make", "--no-print-directory", check=False
    )
    assert code != 0
    assert "Expected a git repository, got a plain folder; run: git init && git add" in output
    assert not (tmp_path / ".venv").exists()


def test_make_prints_a_line_for_each_stage(folder):
    folder.edit(train__epochs="2")
    before, _, results = make(folder).partition("\ntest accuracy")
    assert len(before.splitlines()) == 1 + 3  # what is done, then train, evaluate and export
    assert "--epochs" not in before
    # What it suggests runs in the shell that it was called from.
    suggested = re.findall(r"(?:^|&& |: )(\.venv/bin/\w+)( metrics diff)?", results, re.M)
    assert [Path(program).name for program, _ in suggested] == ["python", "dvc"]
    for program, arguments in suggested:
        folder.run("env", f"PATH={os.defpath}", program, *(arguments.split() or ["--version"]))


def test_make_stops_with_the_line_of_a_stage_that_fails(folder):
    folder.edit(train__epochs="0")
    code, output = make(folder, check=False)
    assert code != 0
    _, error, advice, *_ = output.splitlines()
    assert error.startswith("Error: train.epochs: expected an integer from 1 to ")
    assert advice == "The pipeline stopped; .venv/bin/dvc repro says more."


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("schedule:\n", "schedulee:\n", "Could not find 'schedule'"),
        ("  epochs: ", "  epochs: [", "ERROR: unable to read: 'params.yaml', YAML file structure"),
        ("  epochs: ", "\tepochs: ", "ERROR: unable to read: 'params.yaml', YAML file structure"),
    ],
)
def test_make_prints_what_is_wrong_in_params_yaml(right, wrong, line, folder):
    path = folder.folder / "params.yaml"
    path.write_text(path.read_text().replace(f"\n{right}", f"\n{wrong}"))
    code, output = make(folder, check=False)
    assert code != 0
    assert line in output
    assert "says more" not in output


def test_make_announces_a_download_if_there_is_no_data(folder):
    assert "download" not in make(folder)
    shutil.rmtree(folder.folder / "data" / "raw")
    assert "a download of 15 MB" in make(folder)
