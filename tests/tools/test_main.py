"""The list of commands, and commands in another environment."""

import subprocess
import sys

from searches import ROOT


def test_every_command_is_listed_with_what_it_does():
    done = subprocess.run(
        [sys.executable, "-m", "tools"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.partition("\n\n")[0].splitlines()
    found = {line.split()[2]: line.split()[3:] for line in lines}
    files = (ROOT / "tools").glob("[!_]*.py")
    assert set(found) == {f"tools.{path.stem}" for path in files}
    assert all(found.values())


def test_in_an_environment_without_the_packages_the_error_is_one_line():
    for command in (["tools.variant", "fast"], ["stages.train", "--help"]):
        # -S: without installed packages
        done = subprocess.run(
            [sys.executable, "-S", "-m", *command],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "source .venv/bin/activate" in done.stderr
