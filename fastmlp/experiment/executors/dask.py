"""The executor for a cluster of Dask: `dask scheduler`, and a `dask worker tcp://HOST:PORT` on each machine."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed import Client, Future, KilledWorker, as_completed, get_worker
from distributed.client import FutureCancelledError

from fastmlp.errors import InputError
from fastmlp.experiment.executors.cluster import LOST, SECONDS_TO_ANSWER, ClusterExecutor, check_answer
from fastmlp.experiment.executors.worker import FAILED, train_cell
from fastmlp.kernels.thread_team import available_cores
from fastmlp.utils.free_memory import resident_limit

SECONDS_FOR_A_WORKER = 60  # to come back, when none is left that can take the data


class DaskExecutor(ClusterExecutor):
    """Trains cells on the workers of a Dask scheduler.

    Parameters
    ----------
    threads : int, optional
        Cores that a cell may use at most; None: its share of its worker's.
    scheduler : str
        Address that `dask scheduler` prints, tcp://HOST:PORT.
    """

    def __init__(self, threads: int | None = None, scheduler: str | None = None):
        super().__init__(threads, scheduler)
        if scheduler is None:
            raise InputError(
                "backend dask has no scheduler; add --scheduler tcp://HOST:PORT, which `dask scheduler` prints"
            )
        check_answer(scheduler, speaks_first=not scheduler.startswith("tls"))
        try:
            self._client = Client(scheduler, timeout=SECONDS_TO_ANSWER, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"scheduler {scheduler} is not one of Dask ({error}); give the address that it prints"
            ) from None
        if not self._client.ncores():
            self._client.close()
            raise InputError(f"scheduler {scheduler} has no worker; start some: dask worker {scheduler}")
        self._positions: dict[str, int] = {}
        self._running = as_completed(loop=self._client.loop)

    def plan(self, cells: int) -> None:
        # Dask spreads the cells evenly over the workers, and starts as many at once on one as it has threads.
        self._cells_of_a_worker = -(-cells // max(1, len(self._client.ncores())))

    def share(self, parcel: dict[str, Any]) -> Any:
        return self._client.scatter([parcel], broadcast=True, hash=False, timeout=SECONDS_FOR_A_WORKER)[0]

    def start(self, position: int, task: dict[str, Any], shared: Any) -> None:
        key = f"fastmlp-{uuid.uuid4().hex}"
        arguments = (task, shared, self._cells_of_a_worker, self.threads)
        future = self._client.submit(train_here, *arguments, key=key, pure=False)
        self._positions[key] = position
        self._running.add(future)

    def finished(self) -> Iterator[tuple[int, tuple[str, Any]]]:
        for future in self._running:
            yield self._positions[future.key], _answer(future)
            future.release()

    def stop(self) -> None:
        self._client.cancel(list(self._running.futures))
        self._running.clear()

    def close(self) -> None:
        self._client.close()


def _answer(future: Future) -> tuple[str, Any]:
    try:
        answer: tuple[str, Any] = future.result()
        return answer
    except KilledWorker as error:
        return (
            FAILED,
            f"{error.allowed_failures + 1} workers died while they had it, the last {error.last_worker.address}",
        )
    except FutureCancelledError as error:
        return LOST, f"the cluster lost it ({error})"
    except Exception as error:  # such as of a worker that cannot import this package
        return FAILED, f"{type(error).__name__}: {error}"


# --------------------------------------------------------------------------------------------------- on the worker


class _Cores:
    """The cores of this worker, which its cells share."""

    def __init__(self) -> None:
        self._condition, self._taken = threading.Condition(), 0

    @contextmanager
    def taken(self, wanted: int, cores: int) -> Iterator[None]:
        """Wait until `wanted` of all `cores` are free, and hold them."""
        with self._condition:
            self._condition.wait_for(lambda: self._taken + wanted <= cores)
            self._taken += wanted
        try:
            yield
        finally:
            with self._condition:
                self._taken -= wanted
                self._condition.notify_all()


_cores = _Cores()


def train_here(task: dict[str, Any], parcel: dict[str, Any] | None, cells: int, most: int | None) -> tuple[str, Any]:
    """Run `train_cell` on this worker, on the cell's share of the worker's threads.

    Parameters
    ----------
    task, parcel : dict
        As for `train_cell`.
    cells : int
        How many cells this worker has.
    most : int, optional
        Cores that the cell may use at most.
    """
    worker = get_worker()
    key, cores = worker.get_current_task(), min(worker.state.nthreads, available_cores())

    def wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state != "cancelled"

    threads = min(max(1, cores // cells), most or cores)
    # Dask divides a machine's memory among its workers, which do not see what the others are about to take.
    with _cores.taken(threads, cores), resident_limit(worker.memory_manager.memory_limit):
        return train_cell(task, parcel, threads, wanted)
