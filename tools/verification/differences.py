"""By how much two versions of an output differ, and why, for `verify`."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.checks.array_files import read_archive, read_array


def difference(path: str, old: bytes, new: bytes) -> str:
    """Describe by how much two versions of a file differ."""
    try:
        before, after = _numbers(path, old), _numbers(path, new)
    except ValueError:
        return "bytes differ"
    if before.keys() != after.keys():
        return "it has other entries"
    if any(before[name].shape != after[name].shape for name in before):
        return "arrays have other shapes"
    gaps = {name: float(np.abs(after[name] - before[name]).max(initial=0.0)) for name in before}
    largest = max(gaps, key=lambda name: gaps[name], default="")
    if not gaps.get(largest):
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
    outputs = {out["path"] for entry in found.values() for out in entry["outs"]}
    parameters = _changes(_parameters(old), _parameters(new))
    code = _changes(_code(old, outputs), _code(new, outputs))
    likely = {
        "parameters changed since dvc.lock was written": [
            f"{key} was {before}, is {after}" for key, (before, after) in parameters.items()
        ],
        "code changed since dvc.lock was written": code,
        "other package versions than in constraints.txt": versions,
    }
    if any(likely.values()):
        return [f"{cause}: {'; '.join(details)}" for cause, details in likely.items() if details]
    if _parameters(new).get("train.arithmetic") == "float32":
        return ["another processor: the results of train.arithmetic: float32 depend on it"]
    return ["another processor; in exact arithmetic that is a bug, please report it"]


def other_versions(constraints: str) -> list[str]:
    """List the installed packages whose version is not the one in `constraints`."""
    found = []
    for name, wanted in re.findall(r"^([\w.-]+)==([^\s;]+)", constraints, flags=re.MULTILINE):
        with suppress(metadata.PackageNotFoundError):
            if (version := metadata.version(name)) != wanted:
                found.append(f"{name} {version} (expected {wanted})")
    return found


def _numbers(path: str, content: bytes) -> dict[str, NDArray]:
    """The numbers in a file, by name; raises ValueError if its format is unknown."""
    match Path(path).suffix:
        case ".json":
            values = {name: np.array(value) for name, value in _flat(json.loads(content)).items()}
        case ".npz":
            values = read_archive(content)
        case ".npy":
            values = {"": read_array(content)}
        case suffix:
            raise ValueError(f"expected a .json, .npz or .npy file, got {suffix}")
    return {name: a.astype(np.float64) for name, a in values.items() if a.dtype.kind in "buif"}


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


def _code(entry: dict, outputs: set[str]) -> dict[str, str]:
    """Digests of the dependencies of a stage that no stage writes."""
    return {
        dep["path"]: dep["md5"]
        for dep in entry.get("deps", [])
        if not any(Path(dep["path"]).is_relative_to(output) for output in outputs)
    }


def _changes(before: Mapping, after: Mapping) -> dict[str, tuple]:
    """The old and the new value of each key whose values differ."""
    pairs = {key: (before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys())}
    return {key: (old, new) for key, (old, new) in pairs.items() if old != new}
