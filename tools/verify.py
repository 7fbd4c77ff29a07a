"""verify: run the pipeline anew and compare every output with `dvc.lock`."""

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
import numpy as np
import yaml
from threadpoolctl import threadpool_info

from stages.common.command import stage
from stages.common.errors import StageError


class Row(NamedTuple):
    """The comparison of one file, or of a folder whose recorded files are not known.

    Attributes:
        stage: The stage that writes it.
        path: Its path in the repository.
        same: Whether it has the recorded digest.
    """

    stage: str
    path: str
    same: bool


@stage("verify")
def main() -> None:
    """Run the pipeline anew and compare every output with `dvc.lock`.

    The last commit is cloned to a temporary folder, where nothing is cached. The raw data come from
    the DVC cache of this repository if it has them, and are fetched otherwise. The exit status is 0
    if all outputs have the digests in `dvc.lock`, and 1 if not.

    \b
    Example:
      python -m tools.verify
    """
    # Imported here, because importing DVC takes a second.
    from dvc.api import DVCFileSystem

    root = Path(_run("git", "rev-parse", "--show-toplevel", cwd=Path()).strip())
    if _run("git", "status", "--porcelain", "--untracked-files=no", cwd=root):
        click.echo("verify: uncommitted changes are not taken into account", err=True)
    with TemporaryDirectory(prefix="verify-") as folder:
        clone = Path(folder) / "clone"
        _run("git", "clone", "--quiet", str(root), str(clone), cwd=root)
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
        click.echo(f"\n{processor()}")
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
            if not (clone / path).is_dir():
                yield Row(name, path, same)
                continue
            new = {
                file.relative_to(clone).as_posix(): _md5(file)
                for file in (clone / path).rglob("*")
                if file.is_file()
            }
            old = new if same else _recorded_digests(files, path)
            if not old:
                yield Row(name, path, same=False)
            for file in sorted(old | new) if old else []:
                yield Row(name, file, old.get(file) == new.get(file))


def difference(path: str, old: bytes, new: bytes) -> str:
    """Describe by how much two versions of a file differ."""
    kind = Path(path).suffix
    if kind not in (".npy", ".npz", ".json"):
        return "bytes differ"
    try:
        before, after = (dict(_numbers(kind, content)) for content in (old, new))
    except (ValueError, OSError):
        return "bytes differ"
    if before.keys() != after.keys():
        return "it has other entries"
    if any(before[name].shape != after[name].shape for name in before):
        return "arrays have other shapes"
    gaps = {name: float(np.abs(after[name] - before[name]).max(initial=0.0)) for name in before}
    largest = max(gaps, key=lambda name: gaps[name], default=None)
    if largest is None or not gaps[largest]:
        return "bytes differ, numbers do not"
    return f"at most {gaps[largest]:.3g}" + (f" in {largest}" if largest else "")


def causes(name: str, recorded: dict, found: dict, versions: list[str]) -> list[str]:
    """Likely causes of a difference in the outputs of a stage, of which all inputs are the same.

    Args:
        name: The stage.
        recorded: The stages of the committed `dvc.lock`.
        found: The stages of the new one.
        versions: From `other_versions`.
    """
    old, new = recorded.get(name, {}), found[name]
    before, after = (_parameters(entry) for entry in (old, new))
    changed = [
        f"{key} was {before.get(key)}, is {after.get(key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
    made = {out["path"] for entry in found.values() for out in entry["outs"]}
    code = [
        {dep["path"]: dep["md5"] for dep in entry.get("deps", []) if not _is_in(dep["path"], made)}
        for entry in (old, new)
    ]
    edited = sorted(p for p in code[0].keys() | code[1].keys() if code[0].get(p) != code[1].get(p))
    likely = []
    if changed:
        likely.append(f"parameters changed since dvc.lock was written: {'; '.join(changed)}")
    if edited:
        likely.append(f"code changed since dvc.lock was written: {', '.join(edited)}")
    if versions:
        likely.append(f"other package versions than in constraints.txt: {', '.join(versions)}")
    if likely:
        return likely
    if after.get("train.arithmetic") == "float32":
        return ["another processor: the results of train.arithmetic: float32 depend on it"]
    return ["another processor; in exact arithmetic that is a bug, please report it"]


def other_versions(constraints: str) -> list[str]:
    """List the installed packages whose version is not the one in `constraints`."""
    found = []
    for name, wanted in re.findall(r"^([\w.-]+)==([^\s;]+)", constraints, flags=re.MULTILINE):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if version != wanted:
            found.append(f"{name} {version} (expected {wanted})")
    return found


def processor() -> str:
    """Describe the processor, NumPy's CPU features, the BLAS kernels and their threads."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    kernels = {
        f"{library['internal_api']} {library.get('architecture', '')}, "
        f"{library['num_threads']} threads"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    features = " ".join([*simd["baseline"], *simd["found"]])
    blas = "; ".join(sorted(kernels)) or "no BLAS that threadpoolctl knows"
    return (
        f"processor: {platform.machine()}, {os.cpu_count()} cores\n"
        f"BLAS: {blas}\nNumPy's CPU features: {features}"
    )


def _reproduce(root: Path, clone: Path) -> None:
    cache = _dvc("cache", "dir", cwd=root).strip()
    # A shared cache could hold the outputs already.
    _dvc("cache", "dir", "--local", str(clone / ".dvc" / "cache"), cwd=clone)
    _dvc("remote", "add", "--local", "verified", cache, cwd=clone)
    pull = [sys.executable, "-m", "dvc", "pull", "--quiet", "--remote", "verified", "fetch"]
    # DVC compares digests, so data that are missing or damaged are fetched again.
    subprocess.run(pull, cwd=clone, env=_environment(), capture_output=True, check=False)
    repro = [sys.executable, "-m", "dvc", "repro", "--no-run-cache"]
    # The table alone goes to standard output.
    done = subprocess.run(repro, cwd=clone, env=_environment(), stdout=sys.stderr, check=False)
    if done.returncode:
        raise StageError("verify: dvc repro failed in the temporary clone; see its message above.")


def _dvc(*arguments: str, cwd: Path) -> str:
    return _run(sys.executable, "-m", "dvc", *arguments, cwd=cwd)


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = " ".join(done.stderr.split())
        raise StageError(f"verify: {' '.join(command[:4])} failed: {message}")
    return done.stdout


def _environment() -> dict[str, str]:
    # dvc.yaml runs `python`, which must be this one.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path}


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


def _numbers(kind: str, content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The numbers in a file, by name."""
    if kind == ".json":
        for name, value in _flat(json.loads(content)).items():
            if isinstance(value, int | float):
                yield name, np.array(value, dtype=np.float64)
        return
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    arrays = loaded if isinstance(loaded, np.lib.npyio.NpzFile) else {"": loaded}
    for name, array in arrays.items():
        if array.dtype.kind in "buif":
            yield name, array.astype(np.float64)


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """The leaves of nested dicts, by their dotted names."""
    if not isinstance(value, dict):
        return {name: value}
    leaves: dict[str, Any] = {}
    for key, child in value.items():
        leaves |= _flat(child, f"{name}.{key}" if name else str(key))
    return leaves


def _parameters(entry: dict) -> dict[str, Any]:
    """The parameters of a stage, by dotted names such as train.epochs."""
    files = entry.get("params", {}).values()
    return {name: value for file in files for name, value in _flat(file).items()}


def _is_in(path: str, folders: set[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


if __name__ == "__main__":
    main()
