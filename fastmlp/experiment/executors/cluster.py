"""Cells trained on the workers of a cluster: what the executors for Dask and Ray have in common.

The futures of the two libraries are used as they are. Joblib's backends for them were tried (joblib 1.6, distributed
2026.8, Ray 2.60) and do not hold: with Dask, `Parallel` waits for ever when a task has lost its last allowed worker;
with Ray, results do not come home as they finish, and one killed worker fails all.
"""

import socket
from abc import abstractmethod
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from fastmlp.data import NAMES, digest
from fastmlp.errors import InputError
from fastmlp.experiment.executors.base import (
    CellCallbacks,
    CellCheckpoints,
    Executor,
    SweepData,
    no_callbacks,
)
from fastmlp.experiment.executors.replay import replay
from fastmlp.experiment.executors.worker import ABSENT, TRAINED, pack
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.utils.digests import engine_version
from fastmlp.utils.paths import path_text, user_path
from fastmlp.utils.showing import shown

SECONDS_TO_ANSWER = 3  # that a scheduler has
LOST = "lost"  # beside what a worker answers: the data were lost, with all workers that had them
TRIES = 3  # to get the data to a cell; Dask and Ray themselves count the workers that a cell has killed


class ClusterExecutor(Executor):
    """Trains cells on the workers of a cluster. A subclass says how tasks are started and answers come back.

    Data from a file are read by each worker, once. Where a worker cannot read the file, or finds other data in it, and
    where they have a name, they are sent, once for all cells. A cell whose worker is killed is trained again on another
    one. The epochs of a cell are reported once its result has arrived.

    Parameters
    ----------
    threads : int, optional
        Cores that a cell may use at most; None: its share of its worker's.
    scheduler : str, optional
        Address of the scheduler.
    """

    @abstractmethod
    def plan(self, cells: int) -> None:
        """Choose how many cores a cell gets; at most `threads`.

        Parameters
        ----------
        cells : int
            Number of cells.
        """

    @abstractmethod
    def share(self, parcel: dict[str, Any]) -> Any:
        """Send arrays to the workers, once for all cells.

        Parameters
        ----------
        parcel : dict
            What `worker.pack` returned.

        Returns
        -------
        object
            What `start` takes for them.

        Raises
        ------
        OSError
            If the cluster no longer takes them.
        """

    @abstractmethod
    def start(self, position: int, task: dict[str, Any], shared: Any) -> None:
        """Have a cell trained, by `worker.train_cell`.

        Parameters
        ----------
        position : int
            Position of the cell.
        task : dict
            What `train_cell` takes.
        shared : object
            What `share` returned, or None.
        """

    @abstractmethod
    def finished(self) -> Iterator[tuple[int, tuple[str, Any]]]:
        """Yield positions and answers of `train_cell` as they finish, until none is left; `start` may add some."""

    @abstractmethod
    def stop(self) -> None:
        """Drop the cells that have not finished."""

    def train(
        self,
        cells: Iterable[Cell],
        data: SweepData,
        *,
        count: int | None = None,
        callbacks: CellCallbacks = no_callbacks,
        checkpoints: CellCheckpoints | None = None,
    ) -> Generator[tuple[int, CellResult], None, None]:
        cells = list(cells)
        place = _place(data)
        shared = None if place["options"] else self.share(pack(data.parts))
        sent_with: dict[int, Any] = {}
        tries: Counter[int] = Counter()
        unreachable = ""

        def start(position: int) -> None:
            tries[position] += 1
            sent_with[position] = shared
            self.start(position, {"settings": cells[position].settings, **place}, shared)

        self.plan(len(cells))
        try:
            for position in range(len(cells)):
                start(position)
            for position, (kind, answer) in self.finished():
                cell = cells[position]
                if kind == TRAINED:
                    mlp = _received(answer)
                    replay(callbacks(position, cell), mlp, len(data.training.y))
                    yield position, CellResult(cell, mlp)
                    continue
                if kind in (ABSENT, LOST) and tries[position] < TRIES and not unreachable:
                    try:
                        if shared is sent_with[position]:  # else they were sent since then
                            shared = self.share(pack(data.parts))
                        start(position)
                        continue
                    except OSError as error:
                        unreachable = f"the cluster no longer takes data ({error})"
                yield position, CellResult.failure(cell, unreachable or answer)
        finally:
            self.stop()


def check_answer(scheduler: str, speaks_first: bool) -> None:
    """Raise InputError unless something listens at this address. The libraries would wait far longer.

    Parameters
    ----------
    scheduler : str
        The address, HOST:PORT or tcp://HOST:PORT.
    speaks_first : bool
        Whether it has to send something before it is asked.
    """
    expected = "expected HOST:PORT or tcp://HOST:PORT, as the scheduler prints when it starts"
    try:
        where = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
        host, port = where.hostname, where.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise InputError(f"scheduler is {shown(scheduler)}; {expected}")
    try:
        with socket.create_connection((host, port), SECONDS_TO_ANSWER) as connection:
            if speaks_first and not connection.recv(1):
                raise OSError("it hangs up")
    except OSError as error:
        raise InputError(f"scheduler {scheduler} does not answer ({error}); start it, or correct the address") from None


def _received(image: bytes) -> MLP:
    """Return the network in the bytes of its model file, without the number of cores that its worker had."""
    mlp = MLP.from_bytes(image)
    mlp.threads = None
    return mlp


def _place(data: SweepData) -> dict[str, Any]:
    """Describe where a worker finds the data, what proves that they are the same, and which fastmlp it needs.

    The options are None for data that have a name: what that gives depends on the machine, and may be a download.
    """
    key = data.training.key
    by_path = {**data.options, "name": path_text(user_path(key).absolute())} if key and key not in NAMES else None
    return {
        "options": by_path,
        "digests": [digest(part) for part in data.parts],
        "classes": data.training.classes,
        "engine": engine_version(),
    }
