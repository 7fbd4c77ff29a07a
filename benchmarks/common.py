"""Data, options and results of the benchmarks, and the description of the machine."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import KERNELS

PREPARED = Path("data/prepared")
RESULTS = Path("data/benchmarks")
_LIBRARIES = ("numpy", "scipy", "numba", "scikit-learn", "jax", "torch", "onnxruntime")


def benchmark(repeats: int) -> Callable:
    """Decorate a function as a command with the options `--repeats` and `--kernel`."""
    options = (
        click.option(
            "--kernel",
            type=click.Choice(list(KERNELS), case_sensitive=False),
            envvar="OPENBLAS_CORETYPE",
            help="OpenBLAS kernel to measure with; other libraries are limited to its instruction "
            "set. The default is the kernel that OpenBLAS chooses.",
        ),
        click.option(
            "--repeats",
            type=click.IntRange(1),
            default=repeats,
            show_default=True,
            help="Number of measurements of each competitor; their median is reported.",
        ),
    )

    def decorate(function: Callable) -> click.Command:
        for option in options:
            function = option(function)
        return click.command()(function)

    return decorate


def mnist() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """60 000 training images and one-hot labels, 10 000 test images and labels, in memory."""
    parts = {}
    for part in ("train", "validation", "test"):
        for kind in ("images", "labels"):
            path = PREPARED / f"{part}_{kind}.npy"
            if not path.exists():
                raise SystemExit(f"{path} does not exist; run: dvc repro preprocess")
            parts[part, kind] = np.load(path)
    train = (
        np.concatenate([parts["train", kind], parts["validation", kind]])
        for kind in ("images", "labels")
    )
    return (*train, parts["test", "images"], parts["test", "labels"])


def installed(module: str) -> bool:
    """Whether a library is installed; prints a line if it is not."""
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"{module} is not installed: skipped")
    return found


def record(name: str, kernel: str, header: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Print a table, and write it to `data/benchmarks/NAME.json`.

    Args:
        name: Name of the benchmark.
        kernel: The kernel that ran. The file has one entry per kernel; others are kept.
        header: Names of the columns.
        rows: Strings and numbers, one per column.
    """
    result = {
        "command": " ".join([f"python -m benchmarks.{name}", *sys.argv[1:]]),
        "machine": _machine(),
        "versions": {"Python": platform.python_version()} | _versions(),
        "header": list(header),
        "rows": [[_rounded(value) for value in row] for row in rows],
    }
    print(f"\nOpenBLAS kernel {kernel}; {result['machine']}\n\n{markdown(result)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(results | {kernel: result}, indent=1, ensure_ascii=False) + "\n")


def markdown(result: dict[str, Any]) -> str:
    """The table of a result, in Markdown."""
    lines = [result["header"], ["---"] * len(result["header"]), *result["rows"]]
    return "\n".join(f"| {' | '.join(_text(value) for value in line)} |" for line in lines)


def _rounded(value: object) -> object:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _text(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    if isinstance(value, float):
        # Three significant digits, without an exponent.
        return np.format_float_positional(value, 3, fractional=False, trim="-")
    return str(value)


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def _machine() -> str:
    """Such as "2 cores of a virtual machine, AMD EPYC (family 25, model 1), AVX2"."""
    if not Path("/proc/cpuinfo").exists():
        return f"{os.cpu_count()} cores, {platform.machine()}"
    first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    cpu = dict(
        (part.strip() for part in line.split(":", 1)) for line in first.splitlines() if ":" in line
    )
    flags = cpu.get("flags", "").split()
    widest = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}
    details = [
        f"{len(os.sched_getaffinity(0))} cores"
        + (" of a virtual machine" if "hypervisor" in flags else ""),
        cpu.get("model name", platform.machine())
        + (f" (family {cpu['cpu family']}, model {cpu['model']})" if "cpu family" in cpu else ""),
        *[name for flag, name in widest.items() if flag in flags][:1],
    ]
    return ", ".join(details)
