"""Teams: the samples of each minibatch divided among threads, processes or machines.

Each member runs the whole training loop on the samples that it has. All members have the same
weights, optimizer state and random numbers; random numbers are drawn as for the whole minibatch.
For each minibatch they exchange two things: the maximum of |x| over the samples, which chooses the
grid of an operand, and the sum of the gradients.

In exact arithmetic the weights do not depend on the team. Let Sₖ be the samples of a minibatch S
that member k has, and let all members begin a step with the weights of a training without a team.
What is computed for a sample depends on the sample, the weights and the grids only. A maximum over
S is the maximum of those over the Sₖ, so the grids are the same. A gradient is a sum over S of
products on these grids, which float64 represents without rounding, and so are its partial sums over
the Sₖ (see `exact.grids`); so the sum of the partial sums has the same bits. Each member computes
the update from the weights, the state of the optimizer and this sum, and so all members end the
step with the weights of a training without a team. Losses are added as integers.

In float32 the partial sums are rounded: the weights depend on the number of members.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from nn.training.inputs import Samples

T = TypeVar("T")


class Team:
    """What a member knows of its team; this one is a team of one.

    Attributes:
        size: Number of members.
        first: Place of the member's first sample; the members have consecutive samples.
        samples: Number of samples of all members; None if the member has all.
    """

    def __init__(self, size: int = 1, first: int = 0, samples: int | None = None) -> None:
        self.size, self.first, self.samples = size, first, samples

    def largest(self, value: float) -> float:
        """The largest value of all members."""
        return value

    def add(self, arrays: Sequence[NDArray]) -> None:
        """Replace arrays by their sums over the members."""


class Workers(Protocol):
    """Runs the members of a team."""

    def run(self, work: Callable[[Samples, Team], T], samples: Samples) -> T:
        """Call `work` for each member with its part of the samples; the first member's result.

        `work` has no side effects, so that it can be repeated with other members.
        """


def shares(samples: int, members: int) -> list[slice]:
    """Consecutive parts of about the same size, at most one for each sample."""
    members = min(members, samples)
    ends = [samples * k // members for k in range(members + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


class Threads:
    """Members in so many threads of this process."""

    def __init__(self, count: int) -> None:
        self._count = count

    def run(self, work: Callable[[Samples, Team], T], samples: Samples) -> T:
        """See `Workers.run`."""
        parts = shares(len(samples.targets), self._count)
        barrier, given = threading.Barrier(len(parts)), [None] * len(parts)

        def run_member(k: int) -> T:
            team = _ThreadTeam(barrier, given, k, parts[k].start, len(samples.targets))
            try:
                return work(samples.rows(parts[k]), team)
            except BaseException:
                barrier.abort()
                raise

        with ThreadPoolExecutor(len(parts)) as threads:
            results = [threads.submit(run_member, k) for k in range(len(parts))]
        for result in results:
            error = result.exception()
            if error and not isinstance(error, threading.BrokenBarrierError):
                raise error
        return results[0].result()


class _ThreadTeam(Team):
    """A member that shares `barrier` and `given` with the others."""

    def __init__(
        self, barrier: threading.Barrier, given: list[Any], member: int, first: int, samples: int
    ) -> None:
        super().__init__(len(given), first, samples)
        self._barrier, self._given, self._member = barrier, given, member

    def _exchange(self, mine: Any) -> list[Any]:
        self._given[self._member] = mine
        self._barrier.wait()
        found = [*self._given]
        self._barrier.wait()
        return found

    def largest(self, value: float) -> float:
        return max(self._exchange(value))

    def add(self, arrays: Sequence[NDArray]) -> None:
        found = self._exchange([array.copy() for array in arrays])
        for array, parts in zip(arrays, zip(*found, strict=True), strict=True):
            array[...] = sum(parts[1:], parts[0])
