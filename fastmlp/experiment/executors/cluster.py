"""Networks trained on the workers of a cluster: of Dask, or of Ray.

The futures of the two libraries are used as they are. Joblib's backends for them were tried (joblib 1.6, distributed
2026.8, Ray 2.60) and do not hold: with Dask, `Parallel` waits for ever when a task has lost its last allowed worker;
with Ray, results do not come home as they finish, and one killed worker fails all.
"""

import socket
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from fastmlp.data import NAMES, Dataset, digest
from fastmlp.errors import InputError
from fastmlp.experiment.executors.worker import ABSENT, TRAINED, pack
from fastmlp.export.model_file import loads
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.utils.digests import engine_version

MODULES = {"dask": "distributed", "ray": "ray"}
BACKENDS = ("threads", *MODULES)
SECONDS_TO_ANSWER = 3  # that a scheduler has
LOST = "lost"  # beside what a worker answers: the data were lost, with all workers that had them
TRIES = 3  # to get the data to a cell; of a cell's killed workers Dask and Ray keep count

Report = Callable[[int, dict], None]


class Cluster(Protocol):
    """What the loop over the cells needs of a cluster."""

    def plan(self, cells: int, most: int | None) -> None:
        """Choose how many cores a cell gets when there are so many cells; at most `most`."""

    def share(self, parcel: dict) -> Any:
        """Send arrays to the workers, once for all cells; returns what `start` takes for them.

        Raises OSError when the cluster takes them no more.
        """

    def start(self, position: int, task: dict, shared: Any) -> None:
        """Have the cell of this position trained, by `worker.train_cell`."""

    def finished(self) -> Iterator[tuple[int, tuple[str, Any]]]:
        """The positions with what `train_cell` answered, as they finish, until none is left; `start` may add some."""

    def stop(self) -> None:
        """Drop the cells that have not finished."""

    def close(self) -> None:
        """Leave the cluster."""


@contextmanager
def trainer(backend: str, scheduler: str | None, options: dict) -> Iterator[Callable[..., Generator] | None]:
    """Yield the function that has a cluster train the cells; None where the threads of this machine do.

    options  arguments of `load_split` that gave the data
    Raises InputError for a backend that is not known or not installed, and for a scheduler that does not answer.
    """
    check_backend(backend, scheduler)
    if backend == "threads":
        yield None
    else:
        with closing(connect(backend, scheduler)) as cluster:
            yield partial(train_on_cluster, cluster, options)


def check_backend(backend: str, scheduler: str | None) -> None:
    """Raise InputError for a backend that is not known or not installed, and for a scheduler that it cannot have."""
    if backend not in BACKENDS:
        raise InputError(f"backend is {backend!r}; expected one of {', '.join(BACKENDS)}")
    if backend == "threads":
        if scheduler is not None:
            raise InputError(f"scheduler is {scheduler}, and the threads of this machine have none; add --backend dask")
    elif find_spec(MODULES[backend]) is None:
        raise InputError(f"backend {backend} is not installed; pip install 'fastmlp[{backend}]'")
    elif backend == "dask" and scheduler is None:
        raise InputError(
            "backend dask has no scheduler; add --scheduler tcp://HOST:PORT, which `dask scheduler` prints"
        )


def connect(backend: str, scheduler: str | None) -> Cluster:
    """The cluster of "dask" or "ray" whose scheduler has this address; None starts Ray on this machine.

    Raises InputError when nothing answers there within some seconds, or no worker is there.
    """
    if scheduler is not None:
        _check_answer(scheduler, speaks_first=backend == "dask" and not scheduler.startswith("tls"))
    if backend == "dask":
        from fastmlp.experiment.executors.dask import DaskCluster

        return DaskCluster(str(scheduler))
    from fastmlp.experiment.executors.ray import RayCluster

    return RayCluster(scheduler)


def _check_answer(scheduler: str, speaks_first: bool) -> None:
    """Raise InputError unless something listens at this address, and greets us. The libraries wait far longer."""
    expected = "expected HOST:PORT or tcp://HOST:PORT, as the scheduler prints when it starts"
    try:
        where = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
        host, port = where.hostname, where.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise InputError(f"scheduler is {scheduler!r}; {expected}")
    try:
        with socket.create_connection((host, port), SECONDS_TO_ANSWER) as connection:
            if speaks_first and not connection.recv(1):
                raise OSError("it hangs up")
    except OSError as error:
        raise InputError(f"scheduler {scheduler} does not answer ({error}); start it, or mend the address") from None


def train_on_cluster(
    cluster: Cluster,
    options: dict,
    cells: list[Cell],
    train: Dataset,
    validation: Dataset | None,
    threads: int | None = None,
    report: Report = lambda position, record: None,
) -> Generator[tuple[int, CellResult], None, None]:
    """Train every cell; yield its position and what became of it, as each one comes home.

    options  arguments of `load_split` that gave the data. Data from a file are read by each worker, once; where one
             cannot read the file, or finds other data in it, and where they have a name, they are sent, once for all
             cells
    threads  cores that a cell may use at most; None: its share of its worker's. It changes no result
    report   called with a cell's position and the record of each of its epochs, when the cell comes home
    A cell whose worker is killed is trained again, on another. When the generator is closed (Ctrl-C), the trainings end
    after their current epoch.
    """
    parts = [train] if validation is None else [train, validation]
    place = _place(options, parts)
    shared = None if place["options"] else cluster.share(pack(parts))
    sent_with: dict[int, Any] = {}
    tries: Counter[int] = Counter()
    unreachable = ""

    def start(position):
        tries[position] += 1
        sent_with[position] = shared
        cluster.start(position, {"settings": cells[position].settings, **place}, shared)

    cluster.plan(len(cells), threads)
    try:
        for position in range(len(cells)):
            start(position)
        for position, (kind, answer) in cluster.finished():
            if kind == TRAINED:
                yield position, CellResult(cells[position], _home(position, answer, report))
                continue
            if kind in (ABSENT, LOST) and tries[position] < TRIES and not unreachable:
                try:
                    if shared is sent_with[position]:  # else they were sent since then
                        shared = cluster.share(pack(parts))
                    start(position)
                    continue
                except OSError as error:
                    unreachable = f"the cluster takes no data any more ({error})"
            yield position, CellResult.failure(cells[position], unreachable or answer)
    finally:
        cluster.stop()


def _home(position: int, image: bytes, report: Report) -> MLP:
    """The network in the bytes of its model file; its epochs are reported now."""
    mlp = loads(MLP, image)
    mlp.threads = None  # how many cores its worker had is nothing of the network's
    for record in mlp.history:
        report(position, record)
    return mlp


def _place(options: dict, parts: list[Dataset]) -> dict:
    """Where a worker finds the data, what proves that they are the same, and which fastmlp it is to have.

    The options are None for data that have a name: what that gives depends on the machine, and may be a download.
    """
    key = parts[0].key
    by_path = {**options, "name": str(Path(key).expanduser().absolute())} if key and key not in NAMES else None
    return {
        "options": by_path,
        "digests": [digest(part) for part in parts],
        "class_count": parts[0].class_count,
        "engine": engine_version(),
    }
