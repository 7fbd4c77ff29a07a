"""Training on a Dask cluster: each worker has a part of the samples; see `nn.training.team`.

Here is the client; `member` has what runs on the workers. An epoch that loses a worker is repeated
from its start, with the workers that are left.
"""

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import nn
from nn import DivergedError
from nn.training.inputs import Samples
from nn.training.team import Team, shares
from stages.common.command_line.errors import StageError
from stages.training import member
from stages.training.member import Lost, Mailbox, digest_of, read_rows, run_member

T = TypeVar("T")

# Seconds in which the scheduler must answer, and between two looks at the workers.
TIMEOUT, _PAUSE = 10, 0.2
# How often an epoch is tried with the same workers.
_ATTEMPTS = 3
# A larger part of the time for communication than this is said.
_MUCH = 0.5


class Cluster:
    """The workers of a Dask scheduler; see `nn.training.team.Workers`.

    Attributes:
        communication: Part of the time of the last epoch that a member spent to exchange data and
            to wait for the others, from 0 to 1.
    """

    communication = 0.0

    def __init__(self, address: str, say: Callable[[str], None] = print) -> None:
        """Connect to the scheduler.

        Args:
            address: Its address, such as `tcp://10.0.0.1:8786`.
            say: Is called with a line if the training does not gain by the cluster.

        Raises:
            StageError: If there is no scheduler with workers, or a worker has other code.
        """
        logging.disable()  # Dask logs tracebacks of lost connections
        self._address, self._say = address, say
        with self._errors():
            import dask
            from distributed import Client, connect

            dask.config.set({"distributed.comm.timeouts.connect": 5})  # of a worker that is gone
            # A Client would wait forever for a server that accepts connections but is silent.
            asyncio.run(_first_answer(partial(connect, address, TIMEOUT)))
            self._client: Any = Client(address, timeout=TIMEOUT, set_as_default=False)
        self._checked: set[str] = set()
        self._held: tuple[Samples, list[str]] | None = None
        self._parts: list[list[Any]] = []

    def close(self) -> None:
        """Disconnect."""
        self._client.close(timeout=1)

    def run(self, work: Callable[[Samples, Team], T], samples: Samples) -> T:
        """See `nn.training.team.Workers.run`.

        Raises:
            StageError: If the scheduler or all workers are gone, or a worker has other code.
            DivergedError: If `work` raises it.
        """
        attempts: dict[tuple[str, ...], int] = {}
        fault: Exception | None = None
        while True:
            with self._errors(), self._client.as_current():  # which actors look for
                workers = self._workers()[: len(samples.targets)]
                attempts[*workers] = attempts.get((*workers,), 0) + 1
                if attempts[*workers] > _ATTEMPTS:
                    raise OSError(f"{fault!r}, {_ATTEMPTS} times from {', '.join(workers)}")
                try:
                    self._send(samples, workers)
                    return self._attempt(work, workers, len(samples.targets))
                except (DivergedError, MemoryError, StageError):
                    raise
                except Exception as error:  # of many types, if a worker has died
                    self._held, fault = None, error
                    time.sleep(1)  # the scheduler may notice later that a worker has died

    def _attempt(self, work: Callable[[Samples, Team], T], workers: list[str], n: int) -> T:
        name, members = uuid.uuid4().hex, list(enumerate(workers))
        mailboxes = [self._submit(w, Mailbox, name, k, actor=True) for k, w in members]
        try:
            self._wait(mailboxes, workers)
            boxes = [future.result() for future in mailboxes]
            # Not one for all: Dask's memory manager would remove the copies of some workers.
            states = [self._client.scatter(work, workers=[w], hash=False) for w in workers]
            futures = [
                self._submit(
                    w, run_member, states[k], self._parts[k], name, k, boxes, part.start, n
                )
                for (k, w), part in zip(members, shares(n, len(workers)), strict=True)
            ]
            try:
                self._wait(futures, workers)
            finally:
                if any(future.status != "finished" for future in futures):
                    for box in boxes:
                        with suppress(Exception):  # its worker was lost
                            box.end().result(timeout=2)
                    self._client.cancel(futures)
            results = [future.result() for future in futures]
        finally:
            self._client.cancel(mailboxes)
        self.communication = max(share for _, share in results)
        if self.communication > _MUCH:
            self._say(
                f"train: the workers communicate {self.communication:.0%} of the time; larger "
                "minibatches (train.batch_size), larger layers or fewer workers would gain more"
            )
            self._say = lambda _: None  # once
        return results[0][0]

    def _wait(self, futures: list[Any], workers: list[str]) -> None:
        """Wait until all are finished; raises `Lost` if a worker was lost."""
        while any(future.status == "pending" for future in futures):
            time.sleep(_PAUSE)
            if any(future.status not in ("pending", "finished") for future in futures):
                break
            if not {*workers} <= {*self._workers()}:
                raise Lost
        errors = [future.exception() for future in futures if future.status == "error"]
        if errors or any(future.status != "finished" for future in futures):
            raise next((error for error in errors if not isinstance(error, Lost)), Lost())

    def _workers(self) -> list[str]:
        """Addresses of the workers that answer, in order; see `_check`."""

        async def ask() -> dict[str, int]:
            await self._client.wait_for_workers(1, timeout=TIMEOUT)
            return await self._client.nthreads()

        found = sorted(self._client.sync(ask, callback_timeout=TIMEOUT + 1))
        self._checked &= {*found}
        if new := [worker for worker in found if worker not in self._checked]:
            self._check(new)
        if not self._checked:
            raise OSError("no worker answers")
        return sorted(self._checked)

    def _check(self, workers: list[str]) -> None:
        """Raise StageError unless workers that answer have this code and this version of NumPy."""
        mine = versions()
        theirs = self._client.run(versions, workers=workers, on_error="return")
        for worker, found in theirs.items():
            if isinstance(found, OSError):  # its machine may be gone
                continue
            if found != mine:
                got = f"{found!r}" if isinstance(found, Exception) else f"{found}"
                raise StageError(
                    f"train.scheduler: expected {mine} on worker {worker}, got {got}; install the "
                    "same version of the project and of NumPy there."
                )
            self._checked.add(worker)

    def _send(self, samples: Samples, workers: list[str]) -> None:
        """Let each worker have its part of the samples, if it has not got it."""
        if self._held and self._held[0] is samples and self._held[1] == workers:
            return
        parts = shares(len(samples.targets), len(workers))
        self._parts = [
            [None if array is None else self._place(array, part, worker) for array in samples]
            for part, worker in zip(parts, workers, strict=True)
        ]
        self._held = samples, workers

    def _place(self, array: NDArray, part: slice, worker: str) -> Any:
        """A future of rows of an array: from a file that the worker has too, or sent to it."""
        if isinstance(array, np.memmap) and array.filename:
            digest = digest_of(array[part])
            future = self._submit(worker, read_rows, str(array.filename), part, digest)
            self._wait([future], [worker])
            if future.result() is not None:
                return future
        rows = np.array(array[part])
        return self._client.scatter(rows, workers=[worker], hash=False, timeout=TIMEOUT)

    def _submit(self, worker: str, function: Callable, *arguments: Any, **options: Any) -> Any:
        options |= {"workers": [worker], "pure": False, "retries": 0}
        return self._client.submit(function, *arguments, **options)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            fault = f"expected the packages dask and distributed, got {error!r}"
            raise StageError(
                f"train.scheduler: {fault}; run: pip install -c constraints.txt -e '.[cluster]'"
            ) from error
        except (OSError, ValueError, MemoryError) as error:
            fault = f"expected a Dask scheduler with workers at {self._address!r}, got {error!r}"
            raise StageError(f"train.scheduler: {fault}; start them, and train again.") from error


async def _first_answer(connect: Callable) -> None:
    (await asyncio.wait_for(connect(), TIMEOUT)).abort()


def versions() -> str:
    """The version of NumPy, and a digest of the code that members run."""
    files = [*sorted(Path(nn.__file__).parent.rglob("*.py")), Path(member.__file__)]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return f"NumPy {np.__version__}, code {digest[:12]}"
