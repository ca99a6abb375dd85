"""Free memory, so that what needs more is refused before the system kills the process."""

import contextlib
import math
import re
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from fastmlp.errors import OutOfMemoryError
from fastmlp.kernels.quota import group_folders

MOST = sys.maxsize >> 16  # bytes: 128 TiB, the addresses that a process of 64 bits has on Linux, macOS and Windows
WORTH_ASKING = 1 << 26  # bytes: what needs less is there, or its allocation fails; the system is asked in 0.1 ms
# Of a control group, by its version: the file with its limit, and what of memory.stat is no cache that the system gives
# up. See Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.
_OF_GROUPS = {1: ("memory.limit_in_bytes", "total_rss", "total_shmem"), 2: ("memory.max", "anon", "shmem")}
_UNITS = ("kB", "MB", "GB", "TB", "PB")


def check_memory(
    where: str,
    needed: int,
    system: str | Path = "/",
    hint: str = "use fewer samples, or copy the file again if it should be smaller",
) -> None:
    """Raise OutOfMemoryError if something needs more memory than is free.

    Parameters
    ----------
    where : str
        What needs it, for the message.
    needed : int
        Bytes.
    system : str or path-like, default="/"
        As for `free_memory`.
    hint : str
        The end of the message: how to need less.

    Raises
    ------
    OutOfMemoryError
        If it needs more; the message says how much.
    """
    free = free_memory(system)
    if needed > free:
        raise OutOfMemoryError(f"{where} needs {size_text(needed)} of memory, and {size_text(free)} are free; {hint}")


def free_memory(system: str | Path = "/") -> int:
    """Return the bytes that a process can still take: on Linux, within the limits of its control groups and of itself.

    Elsewhere, where nobody tells, it is what a process has addresses for.

    Parameters
    ----------
    system : str or path-like, default="/"
        The root of the file system.
    """
    # "MemAvailable:    1234 kB": free, or a cache of files that the system gives up.
    known = _numbers(Path(system, "proc/meminfo"))
    free = 1024 * (known["MemAvailable:"] + known.get("SwapFree:", 0)) if "MemAvailable:" in known else MOST
    # "Max address space         8000000              unlimited            bytes": what `ulimit -v` sets, and `-d`.
    process = Path(system, "proc/self")
    limits, taken = _text(process / "limits"), _numbers(process / "status")
    for limited, name in (("address space", "VmSize:"), ("data size", "VmData:")):
        if limit := re.search(rf"^Max {limited} +(\d+)", limits, re.MULTILINE):
            free = min(free, int(limit[1]) - 1024 * taken.get(name, 0))
    if (most := _resident_limit.get()) is not None:
        free = min(free, most - 1024 * taken.get("VmRSS:", 0))
    for version, group in group_folders("memory", process, Path(system, "sys/fs/cgroup")):
        file, *names = _OF_GROUPS[version]
        with contextlib.suppress(ValueError):  # no limit, which is the word "max", or no such group
            used = _numbers(group / "memory.stat")
            free = min(free, int(_text(group / file)) - sum(used.get(name, 0) for name in names))
    return max(0, free)


_resident_limit: ContextVar[int | None] = ContextVar("resident_limit", default=None)


@contextlib.contextmanager
def resident_limit(size: int | None) -> Iterator[None]:
    """Have this thread count a limit that the system knows nothing of, such as what Dask allows a worker.

    Parameters
    ----------
    size : int, optional
        Bytes of memory that this process may have in use; None for no limit.
    """
    token = _resident_limit.set(size)
    try:
        yield
    finally:
        _resident_limit.reset(token)


def limit_own_memory() -> None:
    """Have allocations of this process fail beyond what is free now; of macOS and Windows it is not known."""
    if sys.platform == "linux":
        import resource

        limit = 1024 * _numbers(Path("/proc/self/status")).get("VmData:", 0) + free_memory()
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


class _Reservations:
    """Shares of the free memory that trainings side by side have been promised and may not have taken yet."""

    def __init__(self) -> None:
        self._changed, self._promised, self._free = threading.Condition(), 0, 0

    @contextlib.contextmanager
    def share(self, needed: int, system: str | Path) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(needed, system))
            self._promised += needed
        try:
            yield
        finally:
            with self._changed:
                self._promised -= needed
                self._changed.notify_all()

    def _has_room(self, needed: int, system: str | Path) -> bool:
        now = free_memory(system)
        # What was free before the first of them began to take its share; or now, if it is more and none has.
        self._free = max(self._free, now) if self._promised else now
        is_hopeless = needed > self._free
        return not self._promised or is_hopeless or needed <= min(now, self._free - self._promised)


_reservations = _Reservations()


def reserved_memory(needed: int, system: str | Path = "/") -> contextlib.AbstractContextManager[None]:
    """Return a block that begins once there is memory for it and for the other such blocks of this process.

    One that would need more also alone begins at once: what is done in it checks that.

    Parameters
    ----------
    needed : int
        Bytes that the block takes at most; few ones wait for nothing.
    system : str or path-like, default="/"
        As for `free_memory`.
    """
    return _reservations.share(needed, system) if needed > WORTH_ASKING else contextlib.nullcontext()


def size_text(count: int) -> str:
    """Return a number of bytes as people write it, such as "1.5 GB".

    Parameters
    ----------
    count : int
        Bytes.
    """
    power = min(max(1, int(math.log(max(count, 1), 1000))), len(_UNITS))
    return f"{count / 1000**power:.3g} {_UNITS[power - 1]}"


def _text(file: Path) -> str:
    """Return what is in a file; nothing where there is none."""
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _numbers(file: Path) -> dict[str, int]:
    """Return what a file of lines with a name and a number has."""
    lines = map(str.split, _text(file).splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}
