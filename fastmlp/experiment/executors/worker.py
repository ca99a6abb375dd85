"""What a worker of a cluster does: get the data once, train a cell, answer with the bytes of its model file.

Plain values and arrays go in, plain values come out.
"""

import threading
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from fastmlp.data import CSR, Dataset, digest, load_split
from fastmlp.errors import FastmlpError
from fastmlp.experiment.executors.base import StopWhen, SweepData, fit_network
from fastmlp.inputs.table import Table
from fastmlp.utils.digests import engine_version

_FIELDS: dict[Any, tuple[str, ...]] = {CSR: ("indptr", "indices", "data", "shape"), Table: ("names", "columns")}
TRAINED, FAILED, ABSENT = "trained", "failed", "absent"  # kinds of answers


def train_cell(
    task: dict[str, Any], parcel: dict[str, Any] | None, threads: int, wanted: Callable[[], bool] = lambda: True
) -> tuple[str, Any]:
    """Train a cell.

    Parameters
    ----------
    task : dict
        settings: arguments of `MLP`; options: arguments of `load_split` with its first one called `name`, or None;
        digests of the data and their classes; engine: the `engine_version` to train with.
    parcel : dict, optional
        What `pack` gave; None: the data are read by the options.
    threads : int
        Cores to use.
    wanted : callable
        Asked about every 0.1 s whether to continue.

    Returns
    -------
    kind : str
        TRAINED, FAILED, or ABSENT when the data are not available here.
    answer : bytes or str
        The model file, or the reason.
    """
    if task["engine"] != engine_version():
        return FAILED, f"its worker has fastmlp {engine_version()}; expected {task['engine']}: install that there"
    heartbeat = StopWhen(lambda: not wanted())
    try:
        mlp = fit_network(task["settings"], _last_data.get(task, parcel), threads, [heartbeat])
        return (FAILED, "stopped") if heartbeat.stopped else (TRAINED, mlp.to_bytes())
    except _Absent as error:
        return ABSENT, str(error)
    except FastmlpError as error:
        return FAILED, str(error)
    except Exception as error:  # the failure of one cell does not end the others
        return FAILED, f"{type(error).__name__}: {error}"


def pack(parts: list[Dataset]) -> dict[str, Any]:
    """Return the arrays of training and validation data as a plain dict.

    Parameters
    ----------
    parts : list of Dataset
        One or both.
    """
    return {str(number): {**_fields(part.X), "y": part.y} for number, part in enumerate(parts)}


def _fields(X: NDArray[Any] | CSR | Table) -> dict[str, Any]:
    for kind, names in _FIELDS.items():
        if isinstance(X, kind):
            return {name: getattr(X, name) for name in names}
    return {"X": X}


def _unpack(parcel: dict[str, Any], classes: NDArray[Any] | None) -> list[Dataset]:
    parts = []
    for number in sorted(parcel):
        arrays = parcel[number]
        made = (kind(*map(arrays.get, names)) for kind, names in _FIELDS.items() if names[0] in arrays)
        X = arrays["X"] if "X" in arrays else next(made)
        parts.append(Dataset(X, arrays["y"], classes, None, "shared"))
    return parts


class _Absent(Exception):
    """The data are not available on this worker."""


def _read(task: dict[str, Any]) -> list[Dataset]:
    """Read the data by their path; _Absent if they are not there, or differ."""
    options = dict(task["options"])
    name = options.pop("name")
    try:
        parts = load_split(name, **options)
    except (FastmlpError, OSError) as error:
        raise _Absent(str(error)) from None
    if [digest(part) for part in parts] != task["digests"]:
        raise _Absent(f"{name} holds other data than on the machine that started this")
    return [Dataset(part.X, part.y, task["classes"], None, name) for part in parts]


class _LastData:
    """The data of the last task, which are most likely those of the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: list[str] | None = None
        self._data: SweepData | None = None

    def get(self, task: dict[str, Any], parcel: dict[str, Any] | None) -> SweepData:
        """Return the data of a task. One thread reads them, the others wait."""
        with self._lock:
            if self._data is None or self._digests != task["digests"]:
                self._data = self._digests = None  # not both in memory
                training, *rest = _read(task) if parcel is None else _unpack(parcel, task["classes"])
                self._data = SweepData(training, rest[0] if rest else None)
                self._digests = task["digests"]
            return self._data


_last_data = _LastData()
