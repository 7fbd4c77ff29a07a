"""Without Numba: the same bytes, and one line that says why it takes longer."""

import os
import subprocess
import sys
from pathlib import Path

import exact_runs
import numpy as np
import pytest
from exact_training import samples

from nn import Network, Optimizer, operations, train_epochs
from nn.training import step

# The labels are random.
pytestmark = pytest.mark.filterwarnings("ignore::nn.NotLearningWarning")

ROOT, SUPPORT = Path(__file__).parents[2], Path(exact_runs.__file__).parent
NOTICE = "Numba is not available: training takes a few times longer."
# As if Numba were not installed.
BLOCKED = "import sys; sys.modules['numba'] = sys.modules['llvmlite'] = None; "


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{SUPPORT}"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_same_bytes_and_one_line():
    expected = [exact_runs.digest(k) for k in range(len(exact_runs.RUNS))]
    run = f"import runpy; runpy.run_path({exact_runs.__file__!r}, run_name='__main__')"
    done = python(BLOCKED + run)
    assert done.stdout.splitlines()[1:] == expected
    assert done.stderr.splitlines() == [NOTICE]


def test_nothing_is_said_before_something_is_computed():
    code = "from nn import Network, NetworkClassifier, Trainer, TrainingConfig, load; print('fine')"
    done = python(BLOCKED + code)
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_the_same_bytes_if_numba_is_turned_off():
    done = python("import exact_runs; print(exact_runs.digest(4))", NUMBA_DISABLE_JIT="1")
    assert done.stdout.strip() == exact_runs.digest(4)


@pytest.mark.parametrize("black", [0.0, 0.8])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_training_is_nearly_the_same(dtype, optimizer, black, monkeypatch):
    images, targets = (a.astype(dtype) for a in samples(40, (3, 4), 3, 255))
    images[np.random.default_rng(1).random(images.shape) < black] = 0.0
    results = []
    for functions in (None, operations):
        if functions:
            monkeypatch.setattr(step, "operations_for", lambda name: operations)
        network = Network.initialize(
            [12, 5, 3], np.random.default_rng(0), activation="tanh", dtype=dtype
        )
        for _ in train_epochs(
            network, images, targets, epochs=2, batch_size=7, learning_rate=0.1,
            rng=np.random.default_rng(0), optimizer=Optimizer(network, optimizer),
        ):  # fmt: skip
            pass
        results.append([*network.weights, *network.biases])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
