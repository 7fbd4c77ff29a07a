"""One result under every BLAS kernel, with every instruction set, thread and math library."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import exact_runs
import numpy as np
import pytest

from nn.exact import portable
from nn.exact.portable import standard_normal

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
    ("kernel", "disabled", "threads"),
    [
        ("Katmai", AVX2, 1),
        ("Nehalem", AVX512, 2),
        ("Sandybridge", AVX2, 2),
        ("Haswell", "", 1),
        ("Haswell", AVX2, 8),
        ("SkylakeX", AVX512, 2),
        ("SkylakeX", "", 8),
    ],
    ids=lambda value: value if len(str(value)) < 20 else f"without {value.split()[-1]}",
)
def test_every_kernel_gives_the_same_bytes(kernel, disabled, threads, expected):
    flags = processor_flags()
    if not flags or not set(KERNELS[kernel]) <= flags:
        pytest.skip(f"this processor cannot run the kernel {kernel}")
    environment = {
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_CORETYPE": "Prescott" if kernel == "Katmai" else kernel,
        "OPENBLAS_NUM_THREADS": str(threads),
        "NPY_DISABLE_CPU_FEATURES": disabled,
    }
    command = [sys.executable, "-W", "ignore", exact_runs.__file__]
    output = subprocess.check_output(command, env=os.environ | environment, text=True)
    machine, *found = output.splitlines()
    assert found == expected
    about = json.loads(machine)
    assert set(about["kernels"]) == {kernel}
    assert not set(about["simd"]) & set(disabled.split())


class OtherMathLibrary:
    """NumPy with other last bits of its transcendental functions, up to 4 of them."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.calls = 0

    def __getattr__(self, name):
        return getattr(np, name)

    def _moved(self, found, out):
        self.calls += 1
        ulps = self.rng.choice([-4, -3, -2, -1, 1, 2, 3, 4], np.shape(found))
        return np.add(found, ulps * np.spacing(np.abs(found)), out=out)

    def exp(self, x):
        return self._moved(np.exp(x), None)

    def log(self, x):
        return self._moved(np.log(x), None)

    def tanh(self, x, out=None):
        return self._moved(np.tanh(x), out)


@pytest.mark.parametrize("seed", range(3))
def test_another_math_library_gives_the_same_bytes(seed, expected, monkeypatch):
    other = OtherMathLibrary(seed)
    normal = standard_normal(np.random.default_rng(seed), 100_000)
    monkeypatch.setattr(portable, "np", other)
    assert standard_normal(np.random.default_rng(seed), 100_000).tobytes() == normal.tobytes()
    assert [exact_runs.digest(k) for k in range(len(exact_runs.RUNS))] == expected
    assert other.calls > 100
