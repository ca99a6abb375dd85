"""A cluster of Ray: `ray start --head`, and a `ray start --address HOST:PORT` on each other machine."""

from collections.abc import Iterator
from typing import Any

import ray

from fastmlp.errors import InputError
from fastmlp.experiment.executors.worker import FAILED, train_cell


class RayCluster:
    """A head of Ray and its nodes: see `fastmlp.experiment.executors.cluster.Cluster`. Without an address, this machine alone."""

    def __init__(self, address: str | None):
        # "local", for without an address Ray looks for a cluster that ran here last, and waits for it.
        local = {"address": "local", "include_dashboard": False}
        try:
            ray.init(logging_level="ERROR", **({"address": address} if address else local))
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(
                f"scheduler {address} is none of Ray ({error}); give what `ray start --head` prints"
            ) from None
        self._train = ray.remote(train_cell)
        self._positions: dict[Any, int] = {}

    def plan(self, cells, most):
        nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        # Ray starts a task where as many cores are free: those of the smallest node are free on any.
        least = min((cores for cores in nodes if cores), default=1)
        cells_of_a_node = -(-cells // max(1, len(nodes)))
        self._threads = min(max(1, least // cells_of_a_node), most or least)

    def share(self, parcel):
        return ray.put(parcel)

    def start(self, position, task, shared):
        future = self._train.options(num_cpus=self._threads).remote(task, shared, self._threads)
        self._positions[future] = position

    def finished(self) -> Iterator[tuple[int, tuple[str, Any]]]:
        while self._positions:
            for future in ray.wait(list(self._positions))[0]:
                yield self._positions.pop(future), _answer(future)

    def stop(self):
        for future in self._positions:
            ray.cancel(future)
        self._positions.clear()

    def close(self):
        ray.shutdown()


def _answer(future: Any) -> tuple[str, Any]:
    try:
        answer: tuple[str, Any] = ray.get(future)
        return answer
    except ray.exceptions.RayError as error:
        return FAILED, f"{type(error).__name__}: {error}"
