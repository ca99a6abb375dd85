"""Memory that is free, so that what needs more is refused before the system ends the process."""

import math
from pathlib import Path

from fastmlp.errors import InputError

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def check_room(where: str, needed: int, system: str | Path = "/") -> None:
    """Raise InputError if something needs more memory than is free.

    Parameters
    ----------
    where : str
        What needs it, for the message.
    needed : int
        Bytes.
    system : str or path-like, default="/"
        As for `free_memory`.

    Raises
    ------
    InputError
        If it needs more; the message says how much.
    """
    free = free_memory(system)
    if needed > free:
        raise InputError(
            f"{where} needs {size_text(needed)} of memory, and {size_text(int(free))} are free; use fewer samples, or "
            "copy the file anew if it should be smaller"
        )


def free_memory(system: str | Path = "/") -> float:
    """Return the bytes that a process can still take: on Linux, within its container's limit; elsewhere infinite.

    Parameters
    ----------
    system : str or path-like, default="/"
        The root of the file system.
    """
    # "MemAvailable:    1234 kB": free, or a cache of files that the system gives up.
    known = _numbers(Path(system, "proc/meminfo"))
    free = 1024 * (known["MemAvailable:"] + known.get("SwapFree:", 0)) if "MemAvailable:" in known else math.inf
    group = Path(system, "sys/fs/cgroup")  # of version 2, see Documentation/admin-guide/cgroup-v2.rst of Linux
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no limit, which is the word "max"
        return free
    return min(free, max(0, limit - _numbers(group / "memory.stat").get("anon", 0)))


def size_text(count: int) -> str:
    """Return a number of bytes as people write it, such as "1.5 GB".

    Parameters
    ----------
    count : int
        Bytes.
    """
    power = min(max(1, int(math.log(max(count, 1), 1000))), len(_UNITS))
    return f"{count / 1000**power:.3g} {_UNITS[power - 1]}"


def _numbers(file: Path) -> dict[str, int]:
    """Return what a file of lines with a name and a number has; nothing where there is none."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    return {words[0]: int(words[1]) for line in lines if len(words := line.split()) > 1 and words[1].isdecimal()}
