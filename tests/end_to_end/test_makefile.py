"""`make`, in a folder whose name has a space."""

import os
import sys


def test_make_restores_a_damaged_lock_file(reproduced, tmp_path):
    clone = reproduced.copy(tmp_path / "my digits")
    (clone.folder / ".venv").symlink_to(sys.prefix)
    os.truncate(clone.folder / "dvc.lock", 0)  # as a kill leaves it while DVC writes the file
    output = clone.run("make", "--assume-old", ".venv/installed")
    assert "validation failed" in output
    assert "Running stage" not in output
    assert clone.read("dvc.lock") == reproduced.read("dvc.lock")
