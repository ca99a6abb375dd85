"""What control groups of Linux leave to this process, such as cores: version 1 and 2, its own and all above it."""

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
    for version, folder in group_folders("cpu", process, groups):
        quota, period = (_read_v2 if version == 2 else _read_v1)(folder)
        if quota > 0 and period > 0:
            found.append(-(-quota // period))
    return min(found)


def group_folders(controller, process="/proc/self", groups="/sys/fs/cgroup"):
    """(version, folder) of each control group whose limit on `controller`, such as "cpu", holds for this process.

    Each group's limit holds for all groups below it. In a container the tree begins at its own group, which may still
    be named by its place outside: then only the root is there, and the other folders are not.

    Parameters
    ----------
    controller : str
        What is limited.
    process, groups : str or Path
        As for `quota_cores`.
    """
    for version, tree, group in _trees(controller, Path(process), Path(groups)):
        for folder in (group, *group.parents):
            yield version, tree / folder


def _trees(controller, process, groups):
    """(version, root of a tree, the process's group below it) of each tree that may limit the controller."""
    try:
        lines = (process / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux, or nothing is mounted: a container's own limit may still be at the root
        lines = ["0::/"]
    for line in lines:
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        group = PurePosixPath(path.lstrip("/"))
        if ".." in group.parts:  # outside of what this process may see
            group = PurePosixPath()
        if number == "0" and not controllers:
            yield 2, groups, group
        elif controller in controllers.split(","):
            yield 1, groups / controller, group  # a link where cpu and cpuacct are mounted together


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
