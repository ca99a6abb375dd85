"""What a worker of a cluster does: get the data once, train a cell, answer with the bytes of its model file.

Plain values and arrays go in, plain values come out.
"""

import threading
from collections.abc import Callable
from typing import Any

from fastmlp.data import CSR, Dataset, digest, load_split
from fastmlp.errors import FastmlpError
from fastmlp.experiment.executors.threads import fit_network
from fastmlp.export.model_file import dumps
from fastmlp.mlp import MLP
from fastmlp.utils.digests import engine_version

# What became of a cell.
TRAINED, FAILED, ABSENT = "trained", "failed", "absent"


class _Stopped(Exception):
    """Raised inside a training that nobody waits for any more."""


class _Absent(Exception):
    """The data are not to be had here."""


def train_cell(
    task: dict, parcel: dict | None, threads: int, wanted: Callable[[], bool] = lambda: True
) -> tuple[str, Any]:
    """Train a cell: ("trained", the bytes of its model file), ("failed", why) or ("absent", why the data are not here).

    task     settings: arguments of `MLP`; options: arguments of `load_split` (its first called name), or None;
             digests, class_count: of the data's parts; engine: the `engine_version` to train with
    parcel   what `pack` gave, or None: the data are read by the options
    threads  cores to use
    wanted   asked after every epoch whether to go on
    """
    if task["engine"] != engine_version():
        return FAILED, f"its worker has fastmlp {engine_version()}; expected {task['engine']}: install that there"

    def progress(record):
        if not wanted():
            raise _Stopped

    try:
        train, *held_out = _data.prepared(task, parcel)
        validation = held_out[0] if held_out else None
        return TRAINED, dumps(fit_network(task["settings"], train, validation, threads, progress))
    except _Absent as error:
        return ABSENT, str(error)
    except _Stopped:
        return FAILED, "stopped"
    except FastmlpError as error:
        return FAILED, str(error)
    except Exception as error:  # one cell's defect is none of the others'
        return FAILED, f"{type(error).__name__}: {error}"


def pack(parts: list[Dataset]) -> dict:
    """The arrays of training and validation data as a plain dict."""
    parcel = {}
    for number, part in enumerate(parts):
        X = part.X
        arrays = {"indptr": X.indptr, "indices": X.indices, "data": X.data} if isinstance(X, CSR) else {"X": X}
        parcel[str(number)] = {**arrays, "shape": X.shape, "y": part.y}
    return parcel


def _unpack(parcel: dict, class_count: int) -> list[Dataset]:
    parts = []
    for number in sorted(parcel):
        arrays = parcel[number]
        X = arrays["X"] if "X" in arrays else CSR(*(arrays[name] for name in ("indptr", "indices", "data", "shape")))
        parts.append(Dataset(X, arrays["y"], class_count, None, "shared"))
    return parts


def _read(task: dict) -> list[Dataset]:
    """The data by their path. _Absent when they are not there, or others."""
    options = dict(task["options"])
    name = options.pop("name")
    try:
        parts = load_split(name, **options)
    except (FastmlpError, OSError) as error:
        raise _Absent(str(error)) from None
    if [digest(part) for part in parts] != task["digests"]:
        raise _Absent(f"{name} holds other data than on the machine that started this")
    return [Dataset(part.X, part.y, task["class_count"], None, name) for part in parts]


class _Data:
    """The data of the last task, which most likely are those of the next one, in the forms in which they were used."""

    def __init__(self):
        self._lock = threading.Lock()
        self._digests, self._parts, self._forms = None, [], {}

    def prepared(self, task, parcel):
        """The parts, with the inputs as the network of this task reads them. One thread gets them, the others wait."""
        network = MLP(**task["settings"])
        form = (network.engine, network.dtype, network.form)
        with self._lock:
            if self._digests != task["digests"]:
                self._digests, self._parts, self._forms = None, [], {}
                self._parts = _read(task) if parcel is None else _unpack(parcel, task["class_count"])
                self._digests = task["digests"]
            if form not in self._forms:
                self._forms[form] = [_with_prepared_inputs(network, part) for part in self._parts]
            return self._forms[form]


def _with_prepared_inputs(network, part):
    if network.engine != "numba":
        return part
    return Dataset(network.prepare_inputs(part.X), part.y, part.class_count, None, part.name)


_data = _Data()
