"""Command `verify`: run the pipeline again and compare every output with `dvc.lock`."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
import numpy as np
import yaml

from stages.common.command_line.command import stage
from stages.common.command_line.errors import StageError
from tools.verification.differences import causes, difference, other_versions


class Row(NamedTuple):
    """The comparison of one file, or of a folder whose recorded files are not known."""

    stage: str  # the stage that writes it
    path: str  # in the repository
    same: bool  # whether it has the recorded digest


@stage("verify")
def main() -> None:
    """Run the pipeline again and compare every output with `dvc.lock`.

    The last commit is cloned to a temporary folder, where nothing is cached. The raw data come from
    the DVC cache of this repository if it has them, and are fetched otherwise. The exit status is 0
    if all outputs have the digests in `dvc.lock`, and 1 if not.

    \b
    Example:
      python -m tools.verify
    """
    # Imported here, because importing DVC takes a second.
    from dvc.api import DVCFileSystem

    root = Path(_run(Path(), "git", "rev-parse", "--show-toplevel").strip())
    if _run(root, "git", "status", "--porcelain", "--untracked-files=no"):
        click.echo("verify: uncommitted changes are not taken into account", err=True)
    with TemporaryDirectory(prefix="verify-") as folder:
        clone = Path(folder) / "clone"
        _run(root, "git", "clone", "--quiet", str(root), str(clone))
        recorded = _read_lock(clone)
        _reproduce(root, clone)
        found = _read_lock(clone)
        files = DVCFileSystem(str(root), rev="HEAD")
        rows = list(compare(recorded, found, clone, files))
        width = max(len(row.path) for row in rows)
        click.echo(f"{'stage':<12}{'file':<{width + 2}}result")
        for row in rows:
            result = "same" if row.same else "different"
            click.echo(f"{row.stage:<12}{row.path:<{width + 2}}{result}")
        click.echo("\nProcessor and BLAS kernel:")
        np.show_runtime()
        different = [row for row in rows if not row.same]
        if different:
            first = different[0]
            click.echo(f"{len(different)} of {len(rows)} different; the first is {first.path}")
            click.echo(f"difference: {_difference_of(first.path, clone, files)}")
            constraints = (clone / "constraints.txt").read_text()
            for cause in causes(first.stage, recorded, found, other_versions(constraints)):
                click.echo(f"likely cause: {cause}")
            sys.exit(1)
    click.echo(f"all {len(rows)} are the same as in dvc.lock")


def compare(recorded: dict, found: dict, clone: Path, files: Any) -> Iterator[Row]:
    """Compare the outputs of all stages, in the order in which they run.

    Args:
        recorded: The stages of the committed `dvc.lock`.
        found: The stages of the new one.
        clone: Folder with the new outputs.
        files: `DVCFileSystem` with the recorded outputs; it may lack the content of some.
    """
    for name, entry in found.items():
        digests = {out["path"]: out["md5"] for out in recorded.get(name, {}).get("outs", [])}
        for out in entry["outs"]:
            path, same = out["path"], digests.get(out["path"]) == out["md5"]
            inside = [file for file in (clone / path).rglob("*") if file.is_file()]
            new = {file.relative_to(clone).as_posix(): _md5(file) for file in inside}
            old = new if same else _recorded_digests(files, path)
            if new and old:
                for file in sorted(old | new):
                    yield Row(name, file, old.get(file) == new.get(file))
            else:
                yield Row(name, path, same)


def _reproduce(root: Path, clone: Path) -> None:
    cache = _run(root, "dvc", "cache", "dir").strip()
    # A shared cache could hold the outputs already.
    _run(clone, "dvc", "cache", "dir", "--local", str(clone / ".dvc" / "cache"))
    _run(clone, "dvc", "remote", "add", "--local", "verified", cache)
    # Data that the cache lacks are fetched again; DVC compares the digests of the others.
    with suppress(StageError):
        _run(clone, "dvc", "pull", "--quiet", "--remote", "verified", "fetch")
    # Standard output has the table only.
    _run(clone, "dvc", "repro", "--no-run-cache", stdout=sys.stderr)


def _run(folder: Path, *command: str, **streams: Any) -> str:
    """Run a command and return its output; raises `StageError` if it fails."""
    # The first `python` and `dvc` in PATH must be those of this environment.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    streams = streams or {"capture_output": True}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, text=True, check=False, **streams
    )
    if done.returncode:
        message = " ".join((done.stderr or "see its message above").split())
        raise StageError(f"verify: {' '.join(command[:4])} failed: {message}")
    return done.stdout


def _read_lock(clone: Path) -> dict[str, dict]:
    try:
        return yaml.safe_load((clone / "dvc.lock").read_text())["stages"]
    except FileNotFoundError as error:
        raise StageError("verify: dvc.lock is not committed; run dvc repro first.") from error


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _recorded_digests(files: Any, folder: str) -> dict[str, str]:
    """MD5 of the recorded files of a folder; none if the cache has no list of them."""
    try:
        return {path: files.info(path)["md5"] for path in files.find(folder)}
    except (OSError, KeyError):
        return {}


def _difference_of(path: str, clone: Path, files: Any) -> str:
    try:
        old = files.read_bytes(path)
    except OSError:
        return "unknown, because the recorded file is not in the DVC cache"
    new = clone / path
    return difference(path, old, new.read_bytes()) if new.is_file() else "the file is missing"


if __name__ == "__main__":
    main()
