"""Temporary clones of this repository in which the real `dvc` and `git` are driven."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from openml_stand_in import answers, digits, fill_cache

ROOT = Path(__file__).parent.parent.parent
QUICK = {
    "fetch.name": "optdigits",
    "fetch.source": "openml",
    "preprocess.test_size": "300",
    "preprocess.validation_size": "200",
    "train.hidden": "[16]",
    "train.epochs": "5",
    "evaluate.examples": "4",
    "evaluate.units": "4",
}


class Clone:
    """A work tree of its own, with this environment's `python` and `dvc` first on PATH."""

    def __init__(self, folder, home):
        self.folder = Path(folder)
        self.home = Path(home)

    @property
    def environment(self):
        names = {"author": "A Tester", "committer": "A Tester"}
        identity = {f"GIT_{who.upper()}_NAME": name for who, name in names.items()}
        identity |= {f"GIT_{who.upper()}_EMAIL": "tester@example.org" for who in names}
        return os.environ | identity | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "SCIKIT_LEARN_DATA": str(self.home / "scikit"),
            "DVC_SITE_CACHE_DIR": str(self.home / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(self.home / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(self.home / "system"),
        }  # fmt: skip

    def run(self, *command, check=True):
        """Run a command; its output, standard error included, as text."""
        # Not to a pipe, for which it would wait until the background processes of
        # `dvc queue start` end, too.
        with tempfile.TemporaryFile("w+") as file:
            done = subprocess.run(
                list(map(str, command)),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
            file.seek(0)
            output = file.read()
        assert not check or done.returncode == 0, f"{command}\n{output}"
        return output if check else (done.returncode, output)

    def dvc(self, *arguments, **options):
        return self.run("dvc", *arguments, **options)

    def git(self, *arguments):
        return self.run("git", *arguments)

    def repro(self, *arguments):
        """Run `dvc repro`; the names of the stages that ran, in order."""
        return stages_run(self.dvc("repro", *arguments))

    def experiment(self, *arguments):
        """As `repro`, in the DVC project of the experiments."""
        return stages_run(self.dvc("--cd", "experiments", "repro", *arguments))

    def edit(self, **changes):
        """Change values in params.yaml, as a person would: `train__epochs="3"`."""
        path = self.folder / "params.yaml"
        text = path.read_text()
        for name, value in changes.items():
            section, key = name.split("__")
            pattern = rf"(^{section}:\n(?:[ #\n].*\n?)*?  {key}: )\S+(?: \d+\])?"
            text, found = re.subn(pattern, rf"\g<1>{value}", text, count=1, flags=re.M)
            assert found == 1, name
        path.write_text(text)

    def copy(self, folder):
        shutil.copytree(self.folder, folder, symlinks=True)
        return Clone(folder, self.home)

    def read(self, name):
        return (self.folder / name).read_bytes()


def stages_run(output):
    return re.findall(r"Running stage '(?:.*:)?(\w+)'", output)


def clone_of_this_repository(folder, home, **changes):
    """A committed copy of the work tree as it is now, not of the last commit."""
    clone = Clone(folder, home)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = clone.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    clone.home.mkdir(parents=True, exist_ok=True)
    clone.edit(**changes)
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "start")
    return clone


def quick_clone(folder, home):
    """The pipeline on scikit-learn's digits, in seconds; not run yet."""
    fill_cache(Path(home) / "scikit", answers("optdigits", 1, *digits()))
    changes = {name.replace(".", "__"): value for name, value in QUICK.items()}
    return clone_of_this_repository(folder, home, **changes)
