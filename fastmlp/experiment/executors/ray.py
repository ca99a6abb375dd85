"""The executor for Ray: `ray start --head`, and `ray start --address HOST:PORT` on each other machine."""

from collections.abc import Iterator
from typing import Any

import ray

from fastmlp.errors import InputError
from fastmlp.experiment.executors.cluster import ClusterExecutor, check_answer
from fastmlp.experiment.executors.worker import FAILED, train_cell


class RayExecutor(ClusterExecutor):
    """Trains cells on the nodes of a Ray cluster.

    Parameters
    ----------
    threads : int, optional
        Cores that a cell may use at most; None: its share of the smallest node's.
    scheduler : str, optional
        Address that `ray start --head` prints, HOST:PORT; None starts Ray on this machine.
    """

    def __init__(self, threads: int | None = None, scheduler: str | None = None):
        super().__init__(threads, scheduler)
        if scheduler is not None:
            check_answer(scheduler, speaks_first=False)
        # "local", for without an address Ray looks for a cluster that ran here last, and waits for it.
        local = {"address": "local", "include_dashboard": False}
        try:
            ray.init(logging_level="ERROR", **({"address": scheduler} if scheduler else local))
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(
                f"scheduler {scheduler} is not one of Ray ({error}); give the address that `ray start --head` prints"
            ) from None
        self._train = ray.remote(train_cell)
        self._positions: dict[Any, int] = {}

    def plan(self, cells: int) -> None:
        nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        # Ray starts a task where as many cores are free: those of the smallest node are free on any.
        least = min((cores for cores in nodes if cores), default=1)
        cells_of_a_node = -(-cells // max(1, len(nodes)))
        self._cores = min(max(1, least // cells_of_a_node), self.threads or least)

    def share(self, parcel: dict[str, Any]) -> Any:
        return ray.put(parcel)

    def start(self, position: int, task: dict[str, Any], shared: Any) -> None:
        future = self._train.options(num_cpus=self._cores).remote(task, shared, self._cores)
        self._positions[future] = position

    def finished(self) -> Iterator[tuple[int, tuple[str, Any]]]:
        while self._positions:
            for future in ray.wait(list(self._positions))[0]:
                yield self._positions.pop(future), _answer(future)

    def stop(self) -> None:
        for future in self._positions:
            ray.cancel(future)
        self._positions.clear()

    def close(self) -> None:
        ray.shutdown()


def _answer(future: Any) -> tuple[str, Any]:
    try:
        answer: tuple[str, Any] = ray.get(future)
        return answer
    except ray.exceptions.RayError as error:
        return FAILED, f"{type(error).__name__}: {error}"
