"""Compilation of the operations with Numba, and the cache of what was compiled.

A function is compiled when it is used for the first time, for one arithmetic. What was compiled is
kept in the user's cache directory, in a folder that is named by all that it depends on: the source
code of this package, the versions of Python and Numba, and the processor. So copies of the project
share it, and another version or processor does not find it. A file that is not what was written is
not used; where nothing can be written, a process compiles for itself.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding
import numba
import platformdirs

if getattr(numba.config, "DISABLE_JIT", 0):
    raise ImportError("Numba is turned off by NUMBA_DISABLE_JIT")

# T: type of all that is computed; W: of weights and biases; V: of the values of sparse
# images; R: of what is rounded.
_TYPES = {
    "exact": {"T": ["f8"], "W": ["f4"], "V": ["u1", "f4"], "R": ["f4", "f8"]},
    "float32": {"T": ["f4"], "W": ["f4"], "V": ["f4"], "R": ["f4"]},
    "float64": {"T": ["f8"], "W": ["f8"], "V": ["f8"], "R": ["f8"]},
}


class Source(NamedTuple):
    """A function to compile, its signature in the letters of `_TYPES`, and its fastmath flags."""

    function: Callable
    signature: str
    fastmath: set[str]


SOURCES: dict[str, Source] = {}


def compiled(signature: str, fastmath: set[str] | None = None) -> Callable[[Callable], Callable]:
    """Decorate a function that `compile_for` compiles with these types of its arguments."""

    def register(function: Callable) -> Callable:
        SOURCES[function.__name__] = Source(function, signature, fastmath or set())
        return function

    return register


class _Locator:
    """Tells Numba where the cache of a function is; see Numba's NUMBA_CACHE_LOCATOR_CLASSES.

    The folder exists already, its name depends on the source, and it is that of one function. There
    is none for functions of other packages.
    """

    folder = Path()

    @classmethod
    def from_function(cls, function: Callable, file: str) -> "_Locator | None":  # noqa: ARG003
        return cls() if function.__module__.startswith("nn.compiled.") else None

    def ensure_cache_path(self) -> None:
        pass

    def get_cache_path(self) -> str:
        return str(self.folder)

    def get_source_stamp(self) -> str:
        return ""

    def get_disambiguator(self) -> str:
        return ""


def compile_for(arithmetic: str, name: str) -> Callable:
    """The operation of this name, compiled, or loaded from the cache."""
    source = SOURCES[name]
    signatures = [source.signature]
    for letter, types in _TYPES[arithmetic].items():
        signatures = [s.replace(letter, t) for s in signatures for t in types]
    options: dict[str, Any] = {
        "signature_or_function": [f"({s},)" for s in dict.fromkeys(signatures)],
        "nogil": True,
        "error_model": "numpy",  # a division by 0 is no exception, so that loops use vectors
        "fastmath": source.fastmath or False,
    }
    with _LOCK:
        try:
            return _cached(source.function, options, _folder(arithmetic), name)
        except OSError:  # nothing can be read or written there
            _say()
            return numba.njit(**options)(source.function)


def _cached(function: Callable, options: dict[str, Any], folder: Path, name: str) -> Callable:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # against other processes; closing the file releases it
        place = folder / name
        is_new = not _is_intact(place)
        if is_new:
            _say()
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
        kept = getattr(numba.config, _SETTING)
        _Locator.folder = place
        setattr(numba.config, _SETTING, f"{__name__}.{_Locator.__name__}")
        try:
            result = numba.njit(cache=True, **options)(function)
        finally:
            setattr(numba.config, _SETTING, kept)
        if is_new:
            (place / _DIGEST).write_bytes(_digest(place))
        return result


_LOCK = threading.RLock()
_DIGEST, _SETTING = "digest", "CACHE_LOCATOR_CLASSES"


@cache
def _folder(arithmetic: str) -> Path:
    here, cpu = Path(__file__).parent, llvmlite.binding
    code = b"".join(f.read_bytes() for f in [*sorted(here.glob("*.py")), here.parent / "rules.py"])
    about = (
        sys.version,
        numba.__version__,
        os.environ.get("NUMBA_CPU_NAME", cpu.get_host_cpu_name()),
        os.environ.get("NUMBA_CPU_FEATURES", str(cpu.get_host_cpu_features())),
    )
    digest = hashlib.sha256(code + repr(about).encode()).hexdigest()
    own = platformdirs.user_cache_path("numpy-digits-pipeline")
    return Path(os.environ.get("NUMBA_CACHE_DIR") or own) / digest[:16] / arithmetic


def _digest(place: Path) -> bytes:
    files = sorted(file for file in place.iterdir() if file.name != _DIGEST)
    parts = [hashlib.sha256(file.read_bytes()).digest() for file in files]
    return hashlib.sha256(b"".join(parts)).digest()


def _is_intact(place: Path) -> bool:
    try:
        return (place / _DIGEST).read_bytes() == _digest(place)
    except OSError:
        return False


@cache
def _say() -> None:
    # Not to the standard error stream of a command that is called in this process, and captured.
    print("Compiling for this processor: a few seconds, once.", file=sys.__stderr__, flush=True)
