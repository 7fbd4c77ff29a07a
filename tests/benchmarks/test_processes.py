import os
import platform
from functools import partial

import pytest

from benchmarks.processes import Competitor, Process, medians


def environment_variable(name):
    """Prepare to read a variable in the process."""
    return partial(partial, os.getenv, name)


@pytest.fixture
def start():
    processes = []

    def started(*args):
        processes.append(Process(*args))
        return processes[-1]

    yield started
    for process in processes:
        process.close()


def test_the_median_of_the_repeats_without_the_first_round():
    numbers = iter([100.0, 2.0, 9.0, 3.0])
    competitor = Competitor(partial(getattr, numbers, "__next__"))
    _, found = medians({"it": competitor}, 3, None)
    assert found == {"it": 3.0}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="an x86 kernel")
def test_a_process_uses_the_chosen_kernel(start):
    assert start(Competitor(environment_variable("XLA_FLAGS")), "Nehalem").kernel == "Nehalem"


def test_threads_and_instruction_set_are_set_for_the_process_alone(start, monkeypatch):
    for name in ("OPENBLAS_NUM_THREADS", "XLA_FLAGS"):
        monkeypatch.delenv(name, raising=False)
    threads = start(Competitor(environment_variable("OPENBLAS_NUM_THREADS"), threads=3))
    assert threads.work() == "3"
    limited = start(Competitor(environment_variable("XLA_FLAGS")), "Nehalem")
    assert limited.work() == "--xla_cpu_max_isa=SSE4_2"
    assert not {"OPENBLAS_NUM_THREADS", "XLA_FLAGS"} & set(os.environ)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_one_core(start):
    process = start(Competitor(partial(partial, os.sched_getaffinity, 0), one_core=True))
    assert len(process.work()) == 1
