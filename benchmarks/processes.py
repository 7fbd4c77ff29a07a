"""Competitors in processes of their own, so that the thread pools of libraries do not interfere.

A process prepares its work once and repeats it on request. Only one process works at a time. The
environment of a process determines the BLAS kernel and the number of threads, because libraries
read it when they are loaded.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing, contextmanager, nullcontext
from multiprocessing import get_context
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from threadpoolctl import threadpool_info

# XLA's name of the instruction set of each x86 kernel of OpenBLAS.
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
# Settings that limit NumPy's loops, PyTorch, MKL, oneDNN and Numba to an instruction set. ONNX
# Runtime has no such setting.
_LIMITS = {
    "SSE4_2": ("X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "default", "SSE4_2", "SSE41", "nehalem"),
    "AVX": ("X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "default", "AVX", "AVX", "sandybridge"),
    "AVX2": ("X86_V4 AVX512_ICL AVX512_SPR", "avx2", "AVX2", "AVX2", "haswell"),
    "AVX512": ("", "avx512", "AVX512", "AVX512_CORE", None),
}

Work = Callable[[], Any]


class Competitor(NamedTuple):
    """The arguments of a process.

    Attributes:
        prepare: A function of a module, or a `partial` of one, that returns the work.
        threads: Number of threads of OpenBLAS; by default one per core.
        one_core: Whether the process is limited to one core.
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
        """Start the process, and wait until its work is prepared."""
        self._pool = ProcessPoolExecutor(1, get_context("spawn"))
        variables = _variables(kernel)
        if threads := 1 if competitor.one_core else competitor.threads:
            variables["OPENBLAS_NUM_THREADS"] = str(threads)
        # A new process inherits the environment and the cores of this one.
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
                f"A process{chosen} ended early; this processor may lack its instructions."
            ) from None

    def work(self) -> Any:
        """Do the work once, and return its result."""
        return self._pool.submit(_work).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def timed(work: Work) -> Callable[[], float]:
    """Return a function that does the work and returns the seconds it took."""

    def seconds() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return seconds


def runs(competitor: Competitor, repeats: int, kernel: str | None) -> tuple[str, list]:
    """Do work that can be done only once, each time in a new process.

    Returns:
        The OpenBLAS kernel that ran, and the result of each process.
    """
    results = []
    for _ in range(repeats):
        with closing(Process(competitor, kernel)) as process:
            results.append(process.work())
    return process.kernel, results


def medians(
    competitors: Mapping[str, Competitor],
    repeats: int,
    kernel: str | None,
    *,
    warm_up: bool = True,
) -> tuple[str, dict[str, float]]:
    """Median of the numbers that each competitor's work returns.

    The competitors work in turn, so that disturbances affect all of them.

    Args:
        competitors: By name.
        repeats: Number of times that each works.
        kernel: The OpenBLAS kernel, if not the default.
        warm_up: Whether to work once before the measurements.

    Returns:
        The OpenBLAS kernel that ran, and the medians by name.
    """
    with ExitStack() as stack:
        processes = {}
        for name, competitor in competitors.items():
            processes[name] = stack.enter_context(closing(Process(competitor, kernel)))
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
    numpy, aten, mkl, onednn, llvm = _LIMITS[KERNELS[kernel]]
    variables = {
        "OPENBLAS_CORETYPE": kernel,
        "XLA_FLAGS": f"--xla_cpu_max_isa={KERNELS[kernel]}",
        "NPY_DISABLE_CPU_FEATURES": numpy,
        "ATEN_CPU_CAPABILITY": aten,
        "MKL_ENABLE_INSTRUCTIONS": mkl,
        "ONEDNN_MAX_CPU_ISA": onednn,
    }
    if llvm:  # with the features of that processor, not of this one
        variables |= {"NUMBA_CPU_NAME": llvm, "NUMBA_CPU_FEATURES": ""}
    return variables


class _State:
    """The state of a competitor's process."""

    work: Callable[[], Any]


def _prepare(prepare: Callable[[], Work]) -> str:
    # Ends the process if the processor lacks the kernel's instructions.
    np.ones((64, 64), np.float32) @ np.ones((64, 64), np.float32)
    _State.work = prepare()
    return next(
        pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"
    )


def _work() -> Any:
    return _State.work()
