"""Compile in another process, while this one compiles the kernels that train, the others that a first fit needs.

Those that train take most of the time. Those that measure and predict are compiled at the same time, on another core,
and read from the cache once they are needed. Nothing depends on it: this process compiles what the other has not.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.kernels import cache, compilers
from fastmlp.kernels.layout import BLOCK_ROWS
from fastmlp.kernels.sparse_rows import Sparse
from fastmlp.kernels.task_types import SQUARED, Loss
from fastmlp.training.first_layer import Inputs
from fastmlp.training.inference import EQUAL_WEIGHTS, kernels_of, thread_count
from fastmlp.training.parameters import Parameters
from fastmlp.training.session import Session
from fastmlp.utils.free_memory import free_memory

MEMORY = 1 << 30  # bytes: a process that compiles takes a quarter of it
MOST_SECONDS = 30.0  # to wait for a kernel that the other process compiles
POLL_SECONDS = 0.01

_session: ContextVar[Session | None] = ContextVar("session", default=None)


class _Helper:
    """The other process, and what is asked of it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def on_miss(self, name: str, path: Path) -> None:
        """Start the process before the first kernel that trains is compiled; wait for its kernels afterwards.

        Parameters
        ----------
        name : str
            Of a kernel that is not in the cache.
        path : Path
            Where it will be.
        """
        if self._process is None:
            session = _session.get()
            if session is not None and (wanted := _wanted(session)) is not None:
                self._start(wanted, path.parent)
        elif name.startswith(("evaluate", "predict")) or name in cache.unit_makers:
            end = time.monotonic() + MOST_SECONDS
            while self._process.poll() is None and not path.exists() and time.monotonic() < end:
                time.sleep(POLL_SECONDS)

    def _start(self, wanted: dict[str, Any], folder: Path) -> None:
        if not sys.executable or getattr(sys, "frozen", False):
            return  # a program that brings an interpreter with it would start itself
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if not (os.access(there, os.W_OK) and free_memory() > MEMORY):
            return
        found = os.pathsep.join(place for place in sys.path if place)
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(  # noqa: S603  this interpreter, and none of a user's data
                [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
                env={**os.environ, "PYTHONPATH": found},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            atexit.register(self._end, os.getpid())
            assert self._process.stdin is not None
            with self._process.stdin as file:
                file.write(json.dumps(wanted).encode())

    def _end(self, owner: int) -> None:
        if self._process is not None and os.getpid() == owner:
            self._process.kill()
            self._process.wait()


cache.on_miss = _Helper().on_miss


@contextlib.contextmanager
def others_compiled_beside(session: Session) -> Iterator[None]:
    """Let another process compile some of the kernels that are needed within the block.

    Parameters
    ----------
    session : Session
        The training that is in the block.
    """
    token = _session.set(session)
    try:
        yield
    finally:
        _session.reset(token)


def _wanted(session: Session) -> dict[str, Any] | None:
    """Describe what a training calls besides what trains; None where it is not worth another process."""
    config, batches = session.config, session.data.batches
    X = getattr(batches, "X", None)  # a stream's are not there yet
    y = batches.y
    if X is None or thread_count(config) == 1 or not y.flags.c_contiguous:
        return None
    measured = {len(batches.weights) > 0} if config.train_metrics == "full" else set()
    if session.data.validation is not None:
        measured.add(False)
    return {
        "dtype": config.dtype,
        "inputs": [_described(part) for part in (X[:3] if isinstance(X, Sparse) else [X])],
        "targets": _described(y),
        "kind": config.loss_function.kind,
        "are_weighted": sorted(measured),
    }


def _described(array: NDArray[Any]) -> list[Any]:
    return [array.dtype.name, array.ndim, array.flags.writeable]


def serve() -> None:
    """Compile what standard input describes, in the other process."""
    wanted = json.load(sys.stdin)
    compilers.units_first = True  # the first process needs them
    kernels, p = kernels_of("numba"), Parameters((1, 1, 1), ("relu",), wanted["dtype"])
    parts = [_like(*part) for part in wanted["inputs"]]
    X: Inputs = parts[0] if len(parts) == 1 else Sparse(np.arange(2), parts[1], parts[2], 1)
    y = _like(*wanted["targets"])
    for is_weighted in wanted["are_weighted"]:
        loss = Loss(wanted["kind"], 0.0, np.ones(1) if is_weighted else EQUAL_WEIGHTS)
        kernels.evaluate(p.layers, p.buffer, X, y, np.zeros(2), 1, loss)
    kernels.predict(p.layers, p.buffer, X, np.empty((1, 1), wanted["dtype"]), 1, SQUARED)
    if isinstance(X, Sparse):  # predictions for more rows like those that were compressed
        images = np.zeros((BLOCK_ROWS, 1), X.values.dtype)
        kernels.predict(p.layers, p.buffer, images, np.empty((BLOCK_ROWS, 1), wanted["dtype"]), 1, SQUARED)


def _like(dtype: str, ndim: int, is_writeable: bool) -> NDArray[Any]:
    """An array whose kernels are those of another one."""
    array = np.zeros((1,) * ndim, dtype)
    array.flags.writeable = is_writeable
    return array
