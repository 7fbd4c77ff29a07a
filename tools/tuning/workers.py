"""Workers that run trials: local processes through joblib, or those of a Dask cluster."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import BrokenExecutor

from joblib import Parallel, cpu_count, delayed

from stages.common.command_line.errors import StageError
from stages.training.data import TrainingData
from tools.tuning.search import run_trial

TIMEOUT = 15  # seconds in which a scheduler must answer, and in which it must have a worker


def run_locally(count: int, data: TrainingData, tasks: list, done: Callable) -> None:
    """Run trials in `count` processes (0: one per core); pass each and its result to `done`."""
    count, waiting = count or cpu_count(), list(tasks)
    # `count` trials at a time; with a single job, joblib would run them in this process.
    options = {"return_as": "generator_unordered", "batch_size": 1, "pre_dispatch": count}
    call = delayed(lambda task: (task, run_trial(data, task)))
    while waiting:
        try:
            for task, result in Parallel(max(count, 2), **options)(map(call, list(waiting))):
                waiting.remove(task)
                done(task, result)
        except BrokenExecutor:  # a worker has died, and all trials in progress are lost
            del waiting[:count]


def run_on_cluster(address: str, data: TrainingData, tasks: list, done: Callable) -> None:
    """Run trials on the workers of a Dask scheduler; pass each and its result to `done`."""
    logging.disable()  # Dask logs tracebacks of lost connections
    try:
        asyncio.run(_submit(address, data, tasks, done))
    except (ImportError, OSError, ValueError, MemoryError) as error:  # MemoryError: HTTP server
        fault = f"expected a Dask scheduler with workers at {address!r}, got {error!r}"
        raise StageError(f"tune.scheduler: {fault}; start them, and tune again.") from error


async def _submit(address: str, data: TrainingData, tasks: list, done: Callable) -> None:
    """Raise OSError if the scheduler is silent, or has no worker, for `TIMEOUT` seconds."""
    from distributed import Client, KilledWorker, as_completed, connect

    # A Client would wait forever for a server that accepts connections but does not answer.
    (await asyncio.wait_for(connect(address, TIMEOUT), TIMEOUT)).abort()
    async with Client(address, asynchronous=True, timeout=TIMEOUT) as client:
        shared = await client.scatter(data, broadcast=True, hash=False, timeout=TIMEOUT)
        futures = client.map(run_trial, [shared] * len(tasks), tasks, pure=False)
        task_of = dict(zip(futures, tasks, strict=True))
        finished = as_completed(futures, with_results=True, raise_errors=False)
        while not finished.is_empty():
            await asyncio.wait_for(client.wait_for_workers(1), TIMEOUT)
            await asyncio.sleep(0.1)
            for future, result in finished.next_batch(block=False):
                if future.status == "finished":
                    done(task_of[future], result)
                elif future.status == "error" and not isinstance(result[1], KilledWorker):
                    raise StageError(f"tune.scheduler: a worker failed with {result[1]!r}.")
