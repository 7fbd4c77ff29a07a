"""One result under every BLAS kernel, with every instruction set, thread and math library."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import exact_runs
import needs
import numpy as np
import pytest

from nn import arithmetic, operations
from nn.exact import portable
from nn.exact.portable import standard_normal

# The labels are random.
pytestmark = pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")

ROOT = Path(__file__).parents[2]
# Names that NumPy does not know are ignored: they differ between its versions.
AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
AVX2 = f"{AVX512} AVX2 FMA3 F16C X86_V3"
# Kernel of OpenBLAS, and what a processor needs to run it. It calls Prescott Katmai.
KERNELS = {
    "Katmai": (),
    "Nehalem": ("sse4_2",),
    "Sandybridge": ("avx",),
    "Haswell": ("avx2", "fma"),
    "SkylakeX": ("avx512f", "avx512dq", "avx512bw", "avx512vl"),
}
# Processor for which Numba compiles, the instruction sets that it may use, what is needed to run
# the code, and what may appear in it. Without the sets, Numba uses all those of this machine.
CPUS = {
    "host": ("", (), {"xmm", "ymm", "zmm", "vfmadd"}),
    "x86-64": ("+sse2", ("sse2",), {"xmm"}),
    "haswell": (
        "+avx2,+fma,+bmi,+bmi2", ("avx2", "fma", "bmi1", "bmi2"), {"xmm", "ymm", "vfmadd"}
    ),
    "skylake-avx512": (
        "+avx512f,+avx512dq,+avx512bw,+avx512vl,+avx512cd,+avx2,+fma,+bmi,+bmi2",
        ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd", "fma", "bmi1", "bmi2"),
        {"xmm", "ymm", "zmm", "vfmadd"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def expected():
    return [exact_runs.digest(k) for k in range(len(exact_runs.RUNS))]


def processor_flags():
    try:
        found = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return set()
    return set(found[1].split()) if found else set()


@pytest.mark.parametrize(
    ("kernel", "disabled", "threads", "cpu"),
    [
        ("Katmai", AVX2, 1, "x86-64"),
        ("Nehalem", AVX512, 2, "host"),
        ("Sandybridge", AVX2, 2, "x86-64"),
        ("Haswell", "", 1, "haswell"),
        ("Haswell", AVX2, 8, "haswell"),
        ("SkylakeX", AVX512, 2, "skylake-avx512"),
        ("SkylakeX", "", 8, "host"),
    ],
    ids=lambda value: value if len(str(value)) < 20 else f"without {value.split()[-1]}",
)
def test_every_kernel_gives_the_same_bytes(kernel, disabled, threads, cpu, expected):
    flags = processor_flags()
    features, needed, allowed = CPUS[cpu]
    if not flags or not {*KERNELS[kernel], *needed} <= flags:
        pytest.skip(f"this processor cannot run the kernel {kernel} or code for {cpu}")
    environment = {
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_CORETYPE": "Prescott" if kernel == "Katmai" else kernel,
        "OPENBLAS_NUM_THREADS": str(threads),
        "NPY_DISABLE_CPU_FEATURES": disabled,
    }
    if cpu != "host":
        environment |= {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features}
    command = [sys.executable, "-W", "ignore", exact_runs.__file__]
    output = subprocess.check_output(command, env=os.environ | environment, text=True)
    machine, *found = output.splitlines()
    assert found == expected
    about = json.loads(machine)
    assert set(about["kernels"]) == {kernel}
    assert not set(about["simd"]) & set(disabled.split())
    assert set(about["compiled"]) <= allowed
    assert cpu != "haswell" or set(about["compiled"]) == allowed


class OtherMathLibrary:
    """NumPy with other last bits of its transcendental functions, up to 4 of them."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.calls = {"exp": 0, "log": 0, "tanh": 0}

    def __getattr__(self, name):
        return getattr(np, name)

    def _moved(self, name, x):
        self.calls[name] += 1
        found = getattr(np, name)(x)
        ulps = self.rng.choice([-4, -3, -2, -1, 1, 2, 3, 4], np.shape(found))
        return found + ulps * np.spacing(np.abs(found))

    def exp(self, x):
        return self._moved("exp", x)

    def log(self, x):
        return self._moved("log", x)

    def tanh(self, x):
        return self._moved("tanh", x)


@pytest.fixture
def without_compiled_code(monkeypatch):
    """All operations are NumPy's, also in modules that have imported `operations_for` by name."""
    original = arithmetic.operations_for
    for name, module in list(sys.modules.items()):
        if name.startswith("nn.") and getattr(module, "operations_for", None) is original:
            monkeypatch.setattr(module, "operations_for", lambda arithmetic: operations)


@pytest.mark.parametrize("seed", range(3))
def test_another_math_library_gives_the_same_bytes(
    seed, expected, without_compiled_code, monkeypatch
):
    other = OtherMathLibrary(seed)
    normal = standard_normal(np.random.default_rng(seed), 100_000)
    monkeypatch.setattr(portable, "np", other)
    assert standard_normal(np.random.default_rng(seed), 100_000).tobytes() == normal.tobytes()
    portable.sigmoid_table.cache_clear()
    assert [exact_runs.digest(k) for k in range(len(exact_runs.RUNS))] == expected
    assert min(other.calls.values()) > 20


@needs.numba
def test_compiled_code_calls_no_math_library(monkeypatch):
    other = OtherMathLibrary(0)
    monkeypatch.setattr(portable, "np", other)
    functions = arithmetic.operations_for("exact")
    z, a = np.random.default_rng(0).standard_normal((50, 4)), np.empty((50, 4))
    for name, options in (("sigmoid", (28,)), ("tanh", (18,)), ("softmax", (36,))):
        getattr(functions, name)(z, *options, a)
    assert not any(other.calls.values())
