"""A member of a team, on its worker; see `stages.training.cluster`.

The members send numbers and arrays to each other's mailboxes, which are Dask actors. Sums are added
in parts, one for each member, so that what a member sends does not grow with their number.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.training.inputs import Samples
from nn.training.team import Team

# Seconds in which a member must hear from the others, if the client has died and cannot tell it
# that the epoch has ended.
_SILENCE = 600


class Lost(Exception):  # noqa: N818
    """A worker was lost, or another member has ended."""


class Mailbox:
    """What the other members have sent to a member; an actor on its worker."""

    of_member: dict[tuple[str, int], "Mailbox"] = {}  # noqa: RUF012

    def __init__(self, team: str, member: int) -> None:
        """Make it known to the member, which is in the same process."""
        self._parts: dict[tuple[int, int], Any] = {}
        self._changed, self._ended = threading.Condition(), False
        self.of_member[team, member] = self

    async def put(self, number: int, sender: int, part: Any) -> None:
        """Receive what a member sends in an exchange."""
        with self._changed:
            self._parts[number, sender] = part
            self._changed.notify()

    async def end(self) -> None:
        """Let `take` raise `Lost`."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, number: int, sender: int) -> Any:
        """Wait for what a member sends in an exchange."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or (number, sender) in self._parts, timeout=_SILENCE
            )
            if self._ended or (number, sender) not in self._parts:
                raise Lost
            return self._parts.pop((number, sender))

    def wait_until_sent(self, future: Any) -> None:
        """Wait until another member has received what this one sent to it."""
        for _ in range(_SILENCE):
            try:
                return future.result(timeout=1)
            except TimeoutError:
                if self._ended:
                    break
        raise Lost


class _DaskTeam(Team):
    def __init__(self, name: str, member: int, mailboxes: Sequence[Any], *place: int) -> None:
        super().__init__(len(mailboxes), *place)
        self._member, self._mailboxes, self._number = member, mailboxes, 0
        self._mailbox = Mailbox.of_member.pop((name, member))
        self.seconds = 0.0

    def _exchange(self, given: Sequence[Any]) -> list[Any]:
        """Send a part to each member; what each has sent to this one."""
        start = time.perf_counter()
        self._number += 1
        others = [k for k in range(self.size) if k != self._member]
        sent = [self._mailboxes[k].put(self._number, self._member, given[k]) for k in others]
        found = {k: self._mailbox.take(self._number, k) for k in others}
        for future in sent:
            self._mailbox.wait_until_sent(future)
        self.seconds += time.perf_counter() - start
        return [(found | {self._member: given[self._member]})[k] for k in range(self.size)]

    def largest(self, value: float) -> float:
        return max(self._exchange([value] * self.size))

    def add(self, arrays: Sequence[NDArray]) -> None:
        flat = np.concatenate([array.reshape(-1) for array in arrays])
        first, *rest = self._exchange(np.array_split(flat, self.size))
        total = np.concatenate(self._exchange([sum(rest, first)] * self.size))
        ends = np.cumsum([array.size for array in arrays])[:-1]
        for array, numbers in zip(arrays, np.split(total, ends), strict=True):
            array[...] = numbers.reshape(array.shape)


def run_member(work: Callable, arrays: Sequence[Any], *about_team: Any) -> tuple[Any, float]:
    """What `work` returns for the samples of a worker, and the time for communication, 0 to 1."""
    start, team = time.perf_counter(), _DaskTeam(*about_team)
    result = work(Samples(*arrays), team)
    share = team.seconds / (time.perf_counter() - start)
    return (result if about_team[1] == 0 else None), share


def read_rows(path: str, part: slice, digest: str) -> NDArray | None:
    """Rows of an array file, memory-mapped; None unless they have this digest."""
    try:
        rows = np.load(path, mmap_mode="r")[part]
    except (OSError, ValueError):
        return None
    return rows if digest_of(rows) == digest else None


def digest_of(rows: NDArray) -> str:
    """SHA-256 of rows of an array, and of their type and shape."""
    digest = hashlib.sha256(repr((rows.dtype, rows.shape)).encode())
    for start in range(0, len(rows), 4_096):
        digest.update(np.ascontiguousarray(rows[start : start + 4_096]).data)
    return digest.hexdigest()
