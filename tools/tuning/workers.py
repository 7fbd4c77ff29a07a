"""Where trials run: in processes of this machine, through joblib, or on a Dask cluster.

A task whose worker dies runs again, alone; if its worker dies again, its result is None.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from joblib import Parallel, delayed, parallel_config

from stages.common.errors import ParameterError, StageError

BACKENDS = ("loky", "threading", "sequential", "dask")
# Seconds until a scheduler must have answered, and until it must have a worker.
TIMEOUT = 10
# Pairs of a task and function(shared, task), in order of completion; None if the worker died.
Results = Iterator[tuple[Any, Any]]
Run = Callable[[Callable, Any, list], Results]


@contextmanager
def workers(backend: str, count: int, scheduler: str) -> Iterator[Run]:
    """Yield a function that runs tasks on `count` workers (0: one per core)."""
    with ExitStack() as stack:
        attempt: Run = _locally
        if backend == "dask":
            logging.disable()  # Dask logs tracebacks of lost connections
            stack.callback(logging.disable, logging.NOTSET)
            client = _connect(scheduler)
            stack.callback(client.close, timeout=2)
            attempt = partial(_on_cluster, client)
        else:
            # One thread for BLAS in each process; the other backends take no such argument.
            threads = {"inner_max_num_threads": 1} if backend == "loky" else {}
            stack.enter_context(parallel_config(backend, n_jobs=count or -1, **threads))
        yield partial(_run, attempt)


def _run(attempt: Run, function: Callable, shared: Any, tasks: list) -> Results:
    suspects = []
    for task, result in attempt(function, shared, tasks):
        if result is None:
            suspects.append(task)
        else:
            yield task, result
    for task in suspects:
        yield from attempt(function, shared, [task])


def _locally(function: Callable, shared: Any, tasks: list) -> Results:
    waiting, started = list(tasks), list[Any]()

    def calls() -> Iterator[Any]:
        for task in list(waiting):
            started.append(task)
            yield delayed(lambda task: (task, function(shared, task)))(task)

    while waiting:
        # One task per worker at a time: when one worker dies, all tasks in progress are lost.
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        try:
            for task, result in parallel(calls()):
                waiting.remove(task)
                yield task, result
        except BrokenExecutor:
            for task in [task for task in started if task in waiting]:
                waiting.remove(task)
                yield task, None


def _connect(address: str) -> Any:
    async def greet() -> None:
        (await connect(address, TIMEOUT)).abort()

    try:
        from distributed import Client, connect

        # A Client would wait for ever for a server that accepts connections and stays silent.
        asyncio.run(asyncio.wait_for(greet(), TIMEOUT))
        return Client(address, timeout=TIMEOUT)
    except (ImportError, OSError, ValueError) as error:
        raise ParameterError(
            f"tune.scheduler: expected a Dask scheduler at {address!r}, got {error!r}; run "
            "pip install -e '.[cluster]', and set TUNE_SCHEDULER as `dask scheduler` prints it."
        ) from error


def _require_worker(client: Any) -> None:
    """Raise OSError if the scheduler does not answer, or has no worker for `TIMEOUT` seconds."""
    deadline = time.monotonic() + TIMEOUT
    while client.status == "running" and time.monotonic() < deadline:
        # Client.wait_for_workers would wait for ever for a scheduler that has stopped answering.
        known = client.sync(client.scheduler.identity, n_workers=1, callback_timeout=TIMEOUT)
        if known["workers"]:
            return
        time.sleep(0.1)
    raise ConnectionError


def _on_cluster(client: Any, function: Callable, shared: Any, tasks: list) -> Results:
    from distributed import CancelledError, KilledWorker, as_completed

    try:
        _require_worker(client)
        data = client.scatter(shared, broadcast=True, hash=False)
        futures = client.map(function, [data] * len(tasks), tasks, pure=False)
        task_of = dict(zip(futures, tasks, strict=True))
        finished = as_completed(futures, with_results=True, raise_errors=False)
        while not finished.is_empty():
            for future, result in finished.next_batch(block=False):
                error = result[1] if isinstance(result, tuple) else result
                # Cancelled: the worker had the only copy of the data.
                lost = isinstance(error, KilledWorker | CancelledError)
                if isinstance(error, Exception) and not lost:
                    raise StageError(f"tune.backend: a worker failed with {error!r}.") from error
                yield task_of[future], None if lost else result
            _require_worker(client)
            time.sleep(0.1)
    except OSError as error:
        raise StageError(
            "tune.scheduler: lost the scheduler or all workers; start them, and tune again."
        ) from error
