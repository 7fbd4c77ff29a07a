"""Competitors in processes of their own, so that libraries' thread pools do not meet each other.

A process prepares its work once and does it again whenever it is told to. Only one works at a time.
The environment of a process decides the BLAS kernel and the number of threads, since libraries read
it when they are loaded.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, nullcontext
from multiprocessing import get_context
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from threadpoolctl import threadpool_info

# The instruction set of each x86 kernel of OpenBLAS, as XLA calls it.
KERNELS = {
    "Prescott": "SSE4_2",
    "Nehalem": "SSE4_2",
    "Sandybridge": "AVX",
    "Haswell": "AVX2",
    "Zen": "AVX2",
    "SkylakeX": "AVX512",
    "Cooperlake": "AVX512",
    "Sapphirerapids": "AVX512",
}
# What keeps others to it: NumPy's own loops, PyTorch and its MKL and oneDNN. ONNX Runtime has no
# such limit.
_LIMITS = {
    "SSE4_2": ("X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "default", "SSE4_2", "SSE41"),
    "AVX": ("X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "default", "AVX", "AVX"),
    "AVX2": ("X86_V4 AVX512_ICL AVX512_SPR", "avx2", "AVX2", "AVX2"),
    "AVX512": ("", "avx512", "AVX512", "AVX512_CORE"),
}

Work = Callable[[], Any]


class Competitor(NamedTuple):
    """What a process is started with.

    Attributes:
        prepare: A function of a module, or a `partial` of one; it returns the work.
        threads: Threads that OpenBLAS may use; by default one per core.
        one_core: Whether the process may use a single core only.
    """

    prepare: Callable[[], Work]
    threads: int | None = None
    one_core: bool = False


class Process:
    """A running competitor.

    Attributes:
        kernel: The OpenBLAS kernel that it uses.
    """

    def __init__(self, competitor: Competitor, kernel: str | None = None) -> None:
        """Start the process, and wait until it is prepared."""
        self._pool = ProcessPoolExecutor(1, get_context("spawn"))
        variables = _variables(kernel)
        if threads := 1 if competitor.one_core else competitor.threads:
            variables["OPENBLAS_NUM_THREADS"] = str(threads)
        # A new process has the environment and the cores of this one.
        with (
            mock.patch.dict(os.environ, variables),
            _one_core() if competitor.one_core else nullcontext(),
        ):
            prepared = self._pool.submit(_prepare, competitor.prepare)
        try:
            self.kernel: str = prepared.result()
        except BrokenProcessPool:
            chosen = f" with the kernel {kernel}" if kernel else ""
            raise SystemExit(
                f"A process{chosen} ended early; perhaps this processor cannot run it."
            ) from None

    def work(self) -> Any:
        """Do the work once; return what it returns."""
        return self._pool.submit(_work).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def timed(work: Work) -> Callable[[], float]:
    """Work that returns the seconds that `work` takes."""

    def seconds() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return seconds


def medians(
    competitors: Mapping[str, Competitor],
    repeats: int,
    kernel: str | None,
    *,
    warm_up: bool = True,
) -> tuple[str, dict[str, float]]:
    """Median of the numbers that each competitor's work returns.

    They work in turn, so that disturbances affect all alike.

    Args:
        competitors: By name.
        repeats: How often each works.
        kernel: The OpenBLAS kernel, if not the default.
        warm_up: Whether to work once more before, which does not count.

    Returns:
        The OpenBLAS kernel that ran, and the medians by name.
    """
    with ExitStack() as stack:
        processes = {}
        for name, competitor in competitors.items():
            processes[name] = Process(competitor, kernel)
            stack.callback(processes[name].close)
        rounds = [
            {name: process.work() for name, process in processes.items()}
            for _ in range(repeats + warm_up)
        ][warm_up:]
        kernels = {process.kernel for process in processes.values()}
    found = {name: statistics.median(r[name] for r in rounds) for name in competitors}
    return ", ".join(sorted(kernels)), found


@contextmanager
def _one_core() -> Iterator[None]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _variables(kernel: str | None) -> dict[str, str]:
    if kernel is None:
        return {}
    numpy, aten, mkl, onednn = _LIMITS[KERNELS[kernel]]
    return {
        "OPENBLAS_CORETYPE": kernel,
        "XLA_FLAGS": f"--xla_cpu_max_isa={KERNELS[kernel]}",
        "NPY_DISABLE_CPU_FEATURES": numpy,
        "ATEN_CPU_CAPABILITY": aten,
        "MKL_ENABLE_INSTRUCTIONS": mkl,
        "ONEDNN_MAX_CPU_ISA": onednn,
    }


class _State:
    """Of a competitor's process."""

    work: Callable[[], Any]


def _prepare(prepare: Callable[[], Work]) -> str:
    # A processor that lacks the kernel's instructions ends the process here.
    np.ones((64, 64), np.float32) @ np.ones((64, 64), np.float32)
    _State.work = prepare()
    return next(
        pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"
    )


def _work() -> Any:
    return _State.work()
