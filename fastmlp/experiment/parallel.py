"""Networks trained side by side on the cores, in threads that share one copy of the data."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from fastmlp.data import Dataset
from fastmlp.kernels.team import available_cores
from fastmlp.mlp import MLP

from .recipe import Cell

SECONDS_TO_WAIT = 0.2  # at a time: on Windows a thread that waits without an end does not feel Ctrl-C


class _Interrupted(Exception):
    """Raised inside a training that is to end."""


def train_cells(
    cells: list[Cell],
    train: Dataset,
    validation: Dataset | None,
    threads: int | None = None,
    report: Callable[[int, dict], None] = lambda position, record: None,
) -> Generator[tuple[int, MLP], None, None]:
    """Train every cell; yield its position and its network as each one finishes.

    threads  cores to use in all; None: all this process may use. It changes no result
    report   called with a cell's position and the record of its epoch, from the thread that trains it
    When the generator is closed (Ctrl-C), the other trainings end after their current epoch.
    """
    train, validation = _shared_inputs(cells, train), validation and _shared_inputs(cells, validation)
    cores = threads or available_cores()
    at_once = min(cores, len(cells))
    stop = threading.Event()

    def fit(position: int, cell: Cell) -> MLP:
        def progress(record):
            if stop.is_set():
                raise _Interrupted
            report(position, record)

        return fit_network(cell.settings, train, validation, cores // at_once, progress)

    with ThreadPoolExecutor(at_once) as team:
        futures = {team.submit(fit, position, cell): position for position, cell in enumerate(cells)}
        try:
            for future in _as_they_finish(futures):
                yield futures[future], future.result()
        finally:
            stop.set()
            team.shutdown(wait=False, cancel_futures=True)


def _shared_inputs(cells: list[Cell], dataset: Dataset) -> Dataset:
    """The dataset with inputs in the form in which all cells read them, so that no cell makes a copy of its own."""
    networks = [MLP(**cell.settings) for cell in cells]
    wanted = {(network.engine, network.dtype, network.form) for network in networks}
    if len(wanted) > 1 or networks[0].engine != "numba":
        return dataset
    return replace(dataset, X=networks[0].prepare_inputs(dataset.X))


def fit_network(
    settings: dict,
    train: Dataset,
    validation: Dataset | None,
    threads: int | None,
    progress: Callable[[dict], None] | None = None,
) -> MLP:
    """A network of these settings, trained; it knows all classes of the data, also those that `train` lacks."""
    mlp = MLP(**{**settings, "threads": threads})
    held_out = None if validation is None else (validation.X, targets(mlp.loss, validation))
    return mlp.fit(train.X, targets(mlp.loss, train), held_out, progress, classes=range(train.class_count))


def targets(loss: str, dataset: Dataset) -> np.ndarray:
    """What a network for this loss is trained to answer: the labels (N,), or one-hot rows (N, C) of them."""
    return dataset.y if loss == "cross_entropy" else np.eye(dataset.class_count, dtype=np.float32)[dataset.y]


def _as_they_finish(futures: dict[Future, int]) -> Iterator[Future]:
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, SECONDS_TO_WAIT, FIRST_COMPLETED)
        yield from sorted(finished, key=futures.__getitem__)
