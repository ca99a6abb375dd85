"""How many cores the control groups of Linux leave to this process: version 1 and 2, its own group and all above it."""

import functools
from pathlib import Path, PurePosixPath

NO_QUOTA = 1 << 20


@functools.cache
def quota_cores(process="/proc/self", groups="/sys/fs/cgroup"):
    """Cores that the process's control groups allow, rounded up and so at least 1; `NO_QUOTA` where nothing does.

    Parameters
    ----------
    process : str or Path
        The folder of the process, whose file `cgroup` names its groups.
    groups : str or Path
        Where the trees of groups are mounted.
    """
    found = [NO_QUOTA]
    for tree, group, read in _trees(Path(process), Path(groups)):
        # Each group's quota holds for all groups below it. In a container the tree begins at its own group, which may
        # still be named by its place outside: then only the root is there.
        for folder in (group, *group.parents):
            quota, period = read(tree / folder)
            if quota > 0 and period > 0:
                found.append(-(-quota // period))
    return min(found)


def _trees(process, groups):
    """(root of a tree, the process's group below it, how its quota is read) of each tree that may limit the CPU."""
    try:
        lines = (process / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux, or nothing is mounted: a container's own quota may still be at the root
        lines = ["0::/"]
    for line in lines:
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        group = PurePosixPath(path.lstrip("/"))
        if ".." in group.parts:  # outside of what this process may see
            group = PurePosixPath()
        if number == "0" and not controllers:
            yield groups, group, _read_v2
        elif "cpu" in controllers.split(","):
            yield groups / "cpu", group, _read_v1  # a link where cpu and cpuacct are mounted together


def _read_v2(folder):
    """Microseconds of CPU time in each period, and the period; zeros where there is no limit."""
    return _numbers(folder / "cpu.max")


def _read_v1(folder):
    return _numbers(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")  # the quota is -1 without a limit


def _numbers(*files):
    try:
        first, second = (int(word) for file in files for word in file.read_text(encoding="ascii").split())
    except (OSError, ValueError):  # no such group, or the quota "max"
        return 0, 0
    return first, second
