"""Data sets of openml.org, through scikit-learn's `fetch_openml` and its cache."""

import gzip
import warnings
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

import numpy as np
from numpy.typing import NDArray

from stages.common.command_line.errors import ParameterError, StageError
from stages.common.command_line.terminal import echo
from stages.sources.limited_http import limited
from stages.sources.progress import waiting


def from_openml(name: str, version: int, seconds: float) -> tuple[NDArray, NDArray]:
    """Load a data set from scikit-learn's cache, or download it into the cache.

    Args:
        name: Name of the data set on openml.org.
        version: Its version.
        seconds: Limit on the time of all downloads together.

    Returns:
        Pixels, (n, d) numbers, dense or sparse, and labels, (n,) numbers or text.

    Raises:
        ParameterError: If OpenML has no such data set, or it does not consist of numeric pixels
            and one class label per row.
        StageError: If OpenML does not answer in time, or sends something else.
    """
    # Imported here: these imports take a second, and `--help` should be fast.
    from sklearn.datasets import fetch_openml, get_data_home

    cache = Path(get_data_home())
    before = _size(cache)
    with (
        limited(seconds),
        warnings.catch_warnings(record=True) as caught,
        waiting(f"OpenML {name}", received=lambda: max(0, _size(cache) - before)),
    ):
        warnings.simplefilter("always")
        try:
            # parser="auto" needs pandas for dense data even with as_frame=False.
            data = fetch_openml(
                name, version=version, as_frame=False, parser="liac-arff", n_retries=1, delay=0.5
            )
        except MemoryError:
            raise
        except Exception as error:  # unexpected or truncated answers raise exceptions of many types
            cache_was_damaged = any("Invalid cache" in str(item.message) for item in caught)
            raise _explain(error, name, version, cache_was_damaged) from error
    for warning in caught:  # the data set is inactive, or has errors
        if warning.category is UserWarning and "Retrying" not in (text := str(warning.message)):
            echo(f"{name} version {version}: {' '.join(text.split())}", err=True)
    if data.target is None or np.ndim(data.target) != 1:
        raise ParameterError(
            f"fetch.name: expected one class label per row, got {len(data.target_names)} target "
            f"columns in {name} version {version}; choose a classification data set."
        )
    nominal = sorted(set(data.categories or {}) - set(data.target_names))
    if nominal or not np.issubdtype(data.data.dtype, np.number):
        others = f"values of type {data.data.dtype}"
        found = f"category column {nominal[0]!r}" if nominal else others
        raise ParameterError(
            f"fetch.name: expected numeric pixels, got {found} in {name} version {version}; choose "
            "a data set of images, such as mnist_784 or Fashion-MNIST."
        )
    return data.data, data.target


def _explain(error: Exception, name: str, version: int, cache_was_damaged: bool) -> Exception:
    """Describe an error of `fetch_openml` in one line; errors of the local disk stay the same."""
    note = "; the damaged copy in scikit-learn's cache was deleted" if cache_was_damaged else ""
    status = error.code if isinstance(error, HTTPError) else None
    if status in (404, 412) or type(error).__name__ == "OpenMLError":
        return ParameterError(
            f"fetch.name: OpenML has no data set {name!r} with version {version} (fetch.version); "
            "look up both on www.openml.org."
        )
    if "STRING attributes" in str(error):
        return ParameterError(
            f"fetch.name: expected numeric pixels, got columns of text in {name} version "
            f"{version}; choose a data set of images, such as mnist_784 or Fashion-MNIST."
        )
    if isinstance(error, URLError | HTTPException | ConnectionError | TimeoutError):
        reason = f"HTTP status {status}" if status else getattr(error, "reason", error)
        return StageError(
            f"fetch.source: OpenML cannot be reached ({reason}{note}); check the network, or set "
            f"SCIKIT_LEARN_DATA to a cache that has {name} version {version}."
        )
    if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
        return error
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return StageError(
        f"fetch.source: expected the data set {name} version {version} from OpenML, got something "
        f"else ({reason}{note}); try again later, or choose another data set."
    )


def _size(folder: Path) -> int:
    """Total size of the files in a folder, in bytes."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # a finished download has just been renamed
            total += path.stat().st_size
    return total
