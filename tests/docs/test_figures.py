"""The figures of README.md and docs/results.md are those of the files that the commands write.

The benchmarks' tables have their own test, tests/benchmarks/test_report.py; what needs the pipeline
on MNIST is in tests/end_to_end/test_mnist.py.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LADDER = ROOT / "experiments/ladder/metrics"
README, RESULTS = ((ROOT / name).read_text() for name in ("README.md", "docs/results.md"))


def measured(path):
    """Accuracy and standard deviation of a file of metrics, as the documents write them."""
    test = json.loads(path.read_text())["test"]
    deviation = f"{100 * test['deviation']:.2f}" if "deviation" in test else ""
    return f"{100 * test['accuracy']:.2f} %", deviation


def test_the_table_of_the_ladder():
    found = re.findall(
        r"^\| `([\w-]+)` \| [^|]+ \| ([\d.]+ %) \| (?:([\d.]+) %)? *\|", RESULTS, re.M
    )
    expected = {path.stem: measured(path) for path in LADDER.glob("*.json")}
    assert {name: (accuracy, deviation) for name, accuracy, deviation in found} == expected


@pytest.mark.parametrize("text", [README, RESULTS])
def test_the_accuracy_of_the_default_parameters(text):
    accuracy, _ = measured(ROOT / "metrics.json")
    assert re.search(
        rf"^\| (?:default parameters|`params.yaml` as committed) \| {accuracy} \|", text, re.M
    )


@pytest.mark.parametrize(
    ("row", "name"), [("(`fast`)", "fast"), ("test-time augmentation", "8-best-copies")]
)
def test_the_accurate_networks_of_the_readme(row, name):
    accuracy, deviation = measured(LADDER / f"{name}.json")
    assert f"{row} | {accuracy} ± {deviation} |" in README


def test_the_mistakes_of_the_ensemble():
    accuracy = json.loads((LADDER / "9-ensemble.json").read_text())["test"]["accuracy"]
    assert f"40 of the {round(10_000 * (1 - accuracy))} mistakes of `9-ensemble`" in RESULTS


def test_the_seconds_of_the_readme():
    kernels = json.loads((ROOT / "benchmarks/results/epoch.json").read_text())
    seconds = dict(row[:2] for row in kernels["Haswell"]["rows"])
    text = " ".join(README.split())
    for words, digits, name in (
        ("takes {} s on one core", 2, "this project, exact, on one core"),
        ("{} s with `arithmetic: float32`", 2, "this project, float32, on one core"),
        ("JAX takes {} s", 2, "JAX, whole epoch jitted"),
        ("products {} s", 2, "bare products"),
        ("PyTorch {} s", 1, "PyTorch, eager"),
        ("scikit-learn {} s", 1, "scikit-learn MLPClassifier"),
    ):
        expected = f"{seconds[name]:.{digits}f}"
        assert words.format(expected) in text, f"{name}: {expected}"
