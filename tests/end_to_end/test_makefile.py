"""`make`: in a folder whose name has a space, and without git."""

import os
import shutil
import sys
from pathlib import Path

from clones import Clone


def test_make_restores_a_damaged_lock_file(reproduced, tmp_path):
    clone = reproduced.copy(tmp_path / "my digits")
    (clone.folder / ".venv").symlink_to(sys.prefix)
    os.truncate(clone.folder / "dvc.lock", 0)  # as a kill leaves it while DVC writes the file
    output = clone.run("make", "--assume-old", ".venv/installed")
    assert "validation failed" in output
    assert "Running stage" not in output
    assert clone.read("dvc.lock") == reproduced.read("dvc.lock")


def test_make_says_what_to_do_in_a_download_without_git(tmp_path):
    shutil.copy(Path(__file__).parents[2] / "Makefile", tmp_path)
    code, output = Clone(tmp_path, tmp_path / "home").run("make", check=False)
    assert code != 0
    assert "Expected a git repository, got a plain folder; run: git init && git add" in output
    assert not (tmp_path / ".venv").exists()
