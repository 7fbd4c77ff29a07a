"""A Dask cluster as joblib's engine, made fit for workers that die.

joblib brings an engine for Dask. Of what a worker's death does to it, three things would hurt a
search, and are mended here: it waits for ever for a task that Dask has given up; it leaves such
tasks to Dask, where they go on killing workers; and while no more than one worker is up, it does
the work itself, in the process that is to survive.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import Any

from distributed import Client
from joblib._dask import DaskDistributedBackend

from stages.cli import BadParameter, Refusal

# Seconds until a scheduler must have answered, and until it must have a worker.
_PATIENCE = 10


@contextmanager
def connected(address: str | None) -> Iterator["Cluster"]:
    """Joblib's engine for the cluster of a running Dask scheduler.

    Raises:
        BadParameter: If there is no address, or nobody answers there, or there are no workers.
    """
    if not address:
        raise BadParameter(
            "tune.scheduler: engine dask needs the address of a running scheduler, such as "
            "tcp://127.0.0.1:8786; set TUNE_SCHEDULER."
        )
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise BadParameter(
            f"tune.scheduler: no Dask scheduler answers at {address} ({error}); start one with "
            "dask scheduler, and take the address that it prints."
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise Refusal(
                f"tune.scheduler: the scheduler at {address} has no workers; start some with "
                f"dask worker {address}."
            ) from error
        yield Cluster(client=client)
    finally:
        client.close()


class Cluster(DaskDistributedBackend):
    """joblib's engine for Dask; workers may die."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """At least two: with one, joblib would work in this process."""
        return max(2, super().effective_n_jobs(n_jobs))

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Forget all tasks, and make Dask forget them."""
        super().abort_everything(ensure_ready=ensure_ready)
        self.client.cancel(list(self._results), force=True)
        self._results.clear()
        self._callbacks.clear()

    async def _collect(self) -> None:
        # As joblib's, but news of a failure go the same way as results: by the callback.
        while self._continue:
            async for future, result in self.waiting_futures:
                found, callback = self._results.pop(future, None), self._callbacks.pop(future, None)
                if found is None or callback is None:
                    continue  # forgotten meanwhile
                outcome: Any = result
                if future.status != "finished":
                    # Exceptions of the task itself come as results. This one is Dask's own: its
                    # workers died, or one that had its data.
                    outcome = BrokenExecutor(f"a worker died: {result}")
                found.set_result(outcome)
                callback(outcome)
            await asyncio.sleep(0.01)
