"""Memory that is free, so that what needs more is refused before the system ends the process."""

import contextlib
import math
import re
import sys
from pathlib import Path

from fastmlp.errors import OutOfMemoryError

MOST = sys.maxsize >> 16  # bytes: 128 TiB, the addresses that a process of 64 bits has on Linux, macOS and Windows
WORTH_ASKING = 1 << 26  # bytes: what needs less is there, or its allocation fails; the system is asked in 0.1 ms
_UNITS = ("kB", "MB", "GB", "TB", "PB")


def check_room(
    where: str,
    needed: int,
    system: str | Path = "/",
    hint: str = "use fewer samples, or copy the file anew if it should be smaller",
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
    """Return the bytes that a process can still take: on Linux, within the limits of its container and of itself.

    Elsewhere, where nobody tells, it is what a process has addresses for.

    Parameters
    ----------
    system : str or path-like, default="/"
        The root of the file system.
    """
    # "MemAvailable:    1234 kB": free, or a cache of files that the system gives up.
    known = _numbers(Path(system, "proc/meminfo"))
    free = 1024 * (known["MemAvailable:"] + known.get("SwapFree:", 0)) if "MemAvailable:" in known else MOST
    # "Max address space         8000000              unlimited            bytes": what `ulimit -v` sets.
    if limit := re.search(r"^Max address space +(\d+)", _text(Path(system, "proc/self/limits")), re.MULTILINE):
        free = min(free, int(limit[1]) - 1024 * _numbers(Path(system, "proc/self/status")).get("VmSize:", 0))
    group = Path(system, "sys/fs/cgroup")  # of version 2, see Documentation/admin-guide/cgroup-v2.rst of Linux
    with contextlib.suppress(ValueError):  # no limit, which is the word "max"
        free = min(free, int(_text(group / "memory.max")) - _numbers(group / "memory.stat").get("anon", 0))
    return max(0, free)


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
