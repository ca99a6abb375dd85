"""How many threads train: measured, as it depends on the network and on the machine. How many predict."""

import functools
import os
from collections.abc import Hashable
from typing import ClassVar

# After this many chunks of training the other size is tried again: what else the machine does may have changed.
CHUNKS_BETWEEN_TRIALS = 40
# The same where the other size took less than CLOSE times as long: the first chunks are short and say little, and cores
# that share a machine with others may be near one another or far apart, for a second or for minutes.
CHUNKS_BETWEEN_CLOSE_TRIALS, CLOSE = 10, 1.35
# How often each size is tried in the first chunks. Of this many and one more the fastest counts: what else the machine
# does makes single ones slow.
TRIALS = 2
# What a team of several threads takes to start and to end, about, whatever it trains.
SECONDS_TO_START = 1e-4


class TeamSize:
    """Number of threads that train: one or all allowed, whichever the clock says is faster.

    Two cores that exchange small batches can be slower than one, depending on the machine and on what else runs on it.
    The number of threads never changes a result, so it may be chosen by measurement.

    Parameters
    ----------
    threads : int
        Threads that may be used, from 1.
    """

    def __init__(self, threads: int):
        self.sizes = (threads, 1) if threads > 1 else (1,)
        # Never changed but as a whole: trainings in other threads may read them.
        self.seconds_per_row: dict[int, tuple[float, ...]] = dict.fromkeys(self.sizes, ())
        self.chunks = -1  # the first one loads or compiles the kernels, and its time says nothing

    @property
    def is_trying(self) -> bool:
        """Whether the next chunk may be one of a size that has not been tried: a short one says enough."""
        return len(self.sizes) > 1 and self.chunks < TRIALS * len(self.sizes)

    def choose(self, rows: int) -> int:
        """Return the number of threads for the next chunk of an epoch.

        Parameters
        ----------
        rows : int
            Rows that it has.
        """
        if len(self.sizes) == 1:
            return self.sizes[0]
        untried = [size for size in self.sizes if len(self.seconds_per_row[size]) < TRIALS]
        if untried:
            return untried[0]
        (least, fastest), (most, slowest) = sorted(
            (self._start(size) + rows * self._least(size), size) for size in self.sizes
        )
        chunks = CHUNKS_BETWEEN_CLOSE_TRIALS if most < CLOSE * least else CHUNKS_BETWEEN_TRIALS
        return slowest if self.chunks % chunks == 0 else fastest

    def record(self, size: int, seconds: float, rows: int) -> None:
        """Take note of what a chunk took.

        Parameters
        ----------
        size : int
            Threads that trained it.
        seconds : float
            Time that it took.
        rows : int
            Rows that it had.
        """
        if self.chunks >= 0:
            before = self.seconds_per_row.get(size, ())[-TRIALS:]
            self.seconds_per_row[size] = (*before, max(seconds - self._start(size), 0) / rows)
        self.chunks += 1

    def rows_in(self, seconds: float) -> float:
        """Return about how many rows take that long; 1 if no speed is known.

        Parameters
        ----------
        seconds : float
            Time.
        """
        least = min(map(self._least, self.sizes))
        return max(1.0, seconds / least) if least > 0 else 1.0

    def _least(self, size: int) -> float:
        return min(self.seconds_per_row[size], default=0.0)

    def _start(self, size: int) -> float:
        return SECONDS_TO_START if size > 1 else 0.0


@functools.lru_cache(maxsize=128)
def team_size(threads: int, *training: Hashable) -> TeamSize:
    """Return what is known of the trainings of a kind: the next of many short ones need not measure it again.

    Parameters
    ----------
    threads : int
        Threads that may be used.
    *training : hashable
        Network, batch size and whatever else makes a step longer or shorter.
    """
    return TeamSize(threads)


class cores_shared:  # used as a statement
    """While the block runs, its pass without training is one of those that divide the cores of this process.

    Several threads that predict at once, as in a web service, keep all cores busy already: a team for each of them
    would have more threads than there are cores, and they would wait for one another.

    Parameters
    ----------
    cores : int
        Those that a pass may use when it is alone; the block gets its share, at least 1.
    """

    __slots__ = ("_cores",)
    _under_way: ClassVar[list[None]] = []

    def __init__(self, cores: int):
        self._cores = cores

    def __enter__(self) -> int:
        self._under_way.append(None)  # of a list, which threads may do at once
        return max(1, self._cores // len(self._under_way))

    def __exit__(self, *_: object) -> None:
        del self._under_way[-1:]


if hasattr(os, "register_at_fork"):  # the passes of other threads do not go on in a child
    os.register_at_fork(after_in_child=cores_shared._under_way.clear)
