"""Data, timing and tables of the benchmarks."""

import importlib
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PREPARED = Path("data/prepared")
RESULTS = Path("data/benchmarks")


def mnist() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """60 000 training images and one-hot labels, 10 000 test images and labels, in memory."""
    parts = {}
    for part in ("train", "validation", "test"):
        for kind in ("images", "labels"):
            path = PREPARED / f"{part}_{kind}.npy"
            if not path.exists():
                raise SystemExit(f"{path}: the file does not exist; run: dvc repro preprocess")
            parts[part, kind] = np.load(path)
    train = (
        np.concatenate([parts["train", kind], parts["validation", kind]])
        for kind in ("images", "labels")
    )
    return (*train, parts["test", "images"], parts["test", "labels"])


def installed(module: str) -> bool:
    """Whether a library can be imported; prints a message if not."""
    try:
        importlib.import_module(module)
    except ImportError:
        print(f"{module} is not installed: skipped")
        return False
    return True


def medians(
    competitors: dict[str, Callable[[], object]], repeats: int, seconds: bool = True
) -> dict[str, float]:
    """Median of `repeats` measurements of each competitor, measured in turn.

    Args:
        competitors: Functions that do the work once, by name.
        repeats: Number of measurements of each, after one that is not counted.
        seconds: Whether to time the call; otherwise the number that it returns is used.
    """
    found: dict[str, list[float]] = {name: [] for name in competitors}
    for repeat in range(repeats + 1):
        for name, work in competitors.items():
            start = time.perf_counter()
            result = work()
            spent = time.perf_counter() - start
            if repeat:
                found[name].append(spent if seconds else float(result))  # type: ignore[arg-type]
    return {name: statistics.median(values) for name, values in found.items()}


def report(name: str, header: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Print a Markdown table and write it as JSON."""
    print(f"\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(_text(value) for value in row)} |")
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": f"{platform.machine()}, {_cores()} cores",
        "rows": [dict(zip(header, row, strict=True)) for row in rows],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def _cores() -> int:
    import psutil

    return len(psutil.Process().cpu_affinity())


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
