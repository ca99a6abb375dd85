"""Networks trained side by side on the cores, in threads that share one copy of the data."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from fastmlp.data import Dataset
from fastmlp.errors import FastmlpError
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.training.checkpoints import Checkpoints, Paused
from fastmlp.training.diagnostics import NAME

SECONDS_TO_WAIT = 0.2  # at a time: on Windows a thread that waits without an end does not feel Ctrl-C
SECONDS_TO_STOP = 1.5  # a training stops within 0.1 seconds, one whose kernels are being compiled does not


Report = Callable[[int, dict], None]


def train_cells(
    cells: list[Cell],
    train: Dataset,
    validation: Dataset | None,
    at_once: int,
    threads: int,
    checkpoints: Callable[[Cell], Checkpoints],
    report: Report = lambda position, record: None,
) -> Generator[tuple[int, CellResult], None, None]:
    """Train every cell; yield its position and what became of it, as each one ends.

    at_once, threads  cells side by side, cores for each; they change no result
    checkpoints       where the training of a cell is kept: it goes on from there
    report            called with a cell's position and the record of its epoch, from the thread that trains it
    Raises InputError, InputTypeError when a cell cannot be trained on these data. When it does, or when the generator
    is closed (Ctrl-C), the other trainings write a checkpoint and stop.
    """
    stop = threading.Event()

    def fit(position: int, cell: Cell) -> CellResult:
        NAME.set(cell.label)
        try:
            kept = replace(checkpoints(cell), stop=stop)
            mlp = fit_network(cell.settings, train, validation, threads, lambda r: report(position, r), kept)
            return CellResult(cell, mlp)
        except (FastmlpError, Paused):
            raise
        except OSError as error:
            if error.filename is not None:  # a checkpoint that cannot be written: no cell could be
                raise
            return CellResult.failure(cell, error)
        except Exception as error:  # one cell's trouble is not the others'
            return CellResult.failure(cell, error)

    team = ThreadPoolExecutor(at_once)
    futures = {team.submit(fit, position, cell): position for position, cell in enumerate(cells)}
    try:
        for future in _as_they_finish(futures):
            yield futures[future], future.result()
    finally:
        stop.set()
        team.shutdown(wait=False, cancel_futures=True)
        wait([future for future in futures if not future.cancelled()], SECONDS_TO_STOP)


def shared_inputs(settings: Iterable[dict], dataset: Dataset) -> Dataset:
    """The dataset with inputs in the form in which networks of all these settings read them: none makes a copy."""
    networks = [MLP(**one) for one in settings]
    wanted = {(network.engine, network.dtype, network.form) for network in networks}
    if len(wanted) != 1 or networks[0].engine != "numba":
        return dataset
    return replace(dataset, X=networks[0].prepare_inputs(dataset.X))


def fit_network(
    settings: dict,
    train: Dataset,
    validation: Dataset | None,
    threads: int | None,
    progress: Callable[[dict], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> MLP:
    """A network of these settings, trained; it knows all classes of the data, also those that `train` lacks."""
    mlp = MLP(**{**settings, "threads": threads})
    held_out = None if validation is None else (validation.X, targets(mlp.loss, validation))
    classes = range(train.class_count)
    return mlp.fit(train.X, targets(mlp.loss, train), held_out, progress, classes, checkpoint=checkpoints)


def targets(loss: str, dataset: Dataset) -> np.ndarray:
    """What a network for this loss is trained to answer: the labels (N,), or one-hot rows (N, C) of them."""
    return dataset.y if loss == "cross_entropy" else np.eye(dataset.class_count, dtype=np.float32)[dataset.y]


def _as_they_finish(futures: dict[Future, int]) -> Iterator[Future]:
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, SECONDS_TO_WAIT, FIRST_COMPLETED)
        yield from sorted(finished, key=futures.__getitem__)
