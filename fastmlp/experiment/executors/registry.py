"""The executors by their names. A module is imported when its executor is opened, as it may need an extra package."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fastmlp.errors import InputError
from fastmlp.utils.options import nearest
from fastmlp.utils.showing import shown

if TYPE_CHECKING:
    from fastmlp.experiment.executors.base import Executor


@dataclass(frozen=True)
class Entry:
    """Where an executor is.

    Attributes
    ----------
    module, name : str
        The module and the class in it.
    package : str, optional
        The package that it needs, which the extra of the executor's name installs.
    """

    module: str
    name: str
    package: str | None = None


EXECUTORS = {
    "threads": Entry("fastmlp.experiment.executors.threads", "ThreadExecutor"),
    "dask": Entry("fastmlp.experiment.executors.dask", "DaskExecutor", package="distributed"),
    "ray": Entry("fastmlp.experiment.executors.ray", "RayExecutor", package="ray"),
}


def open_executor(backend: str = "threads", threads: int | None = None, scheduler: str | None = None) -> "Executor":
    """Return an executor that is ready to train; whoever opened it closes it.

    Parameters
    ----------
    backend : str
        A key of `EXECUTORS`.
    threads : int, optional
        Cores to use in all on this machine, or at most for one cell on a cluster; None: all there are.
    scheduler : str, optional
        Address of the scheduler of a cluster.

    Raises
    ------
    InputError
        For a name that is unknown, a package that is not installed, or a scheduler that does not answer.
    """
    if backend not in EXECUTORS:
        raise InputError(f"backend is {shown(backend)}; {nearest(backend, EXECUTORS)}")
    entry = EXECUTORS[backend]
    if entry.package is not None and find_spec(entry.package) is None:
        raise InputError(f"backend {backend} is not installed; pip install 'fastmlp[{backend}]'")
    executor: Executor = getattr(import_module(entry.module), entry.name)(threads, scheduler)
    return executor
