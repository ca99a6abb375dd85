"""How many cells to train side by side, on how many cores each: measured, as it depends on network and machine."""

import math
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fastmlp.config.network import NetworkConfig
from fastmlp.data import first_rows
from fastmlp.errors import FastmlpError, OutOfMemoryError
from fastmlp.experiment.executors.base import SweepData, fit_network
from fastmlp.kernels.thread_team import available_cores
from fastmlp.runs.cells import Cell
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.start import training_bytes
from fastmlp.utils.free_memory import free_memory

SECONDS_PER_TRIAL, SHARE_PER_TRIAL = 0.15, 0.02  # the smaller one, of a share of what all cells are to take
MOST_ROWS, BATCHES = 4096, 4  # of a trial: no more than the first, no less than the second


@dataclass(frozen=True)
class Plan:
    """How the cores are used.

    Attributes
    ----------
    at_once : int
        Cells side by side.
    threads : int
        Cores for each.
    seconds : float, optional
        Estimated time for all cells.
    """

    at_once: int
    threads: int
    seconds: float | None = None

    def describe(self, cells: int) -> str:
        """Return one line about the plan.

        Parameters
        ----------
        cells : int
            Number of cells.
        """
        cores = f"{self.threads} core{'' if self.threads == 1 else 's'}"
        estimate = "" if self.seconds is None else f", about {_duration(self.seconds)}"
        if cells == 1:
            return f"plan: 1 cell on {cores}{estimate}"
        order = "one after the other" if self.at_once == 1 else f"{self.at_once} side by side"
        return f"plan: {cells} cells, {order}, each on {cores}{estimate}"


def choose_plan(cells: Sequence[Cell], data: SweepData, threads: int | None = None) -> Plan:
    """Return the quickest of the plans that keep all cores busy, by short trials of the first cell.

    Parameters
    ----------
    cells : sequence of Cell
        What is to be trained.
    data : SweepData
        What it is trained on.
    threads : int, optional
        Cores to use in all; None: all this process may use.
    """
    cores = threads or available_cores()
    if cores == 1 or len(cells) == 1:
        return Plan(1, cores)
    config = NetworkConfig.from_dict(cells[0].settings)
    most = min(cores, len(cells), _most_in_memory(config, data))
    unmeasured = Plan(most, cores // most)
    if config.optimizer_config.is_full_batch:  # its epochs are no passes over the data
        return unmeasured
    # All cores for one cell first: what is compiled then is compiled by two processes.
    sizes = sorted({cores // at_once for at_once in range(1, most + 1)}, reverse=True)
    plans = [Plan(min(most, cores // size), size) for size in sizes]
    rows = min(len(data.training.y), max(MOST_ROWS, BATCHES * config.batch_size))
    some = SweepData(first_rows(data.training, rows))
    share = rows / len(data.training.y)
    try:
        return min((_timed(plan, cells, some, share) for plan in plans), key=lambda plan: plan.seconds or math.inf)
    except FastmlpError as error:
        if isinstance(error, OutOfMemoryError):  # which is reported when that cell is trained
            return unmeasured
        raise
    except Exception:
        return unmeasured


def _most_in_memory(config: NetworkConfig, data: SweepData) -> int:
    """How many networks like this one the memory has room for side by side.

    One that has no room alone is refused when it is trained, and limits no others.
    """
    needed = training_bytes(config, data.prepared(config))
    return free_memory() // needed or sys.maxsize


def _timed(plan: Plan, cells: Sequence[Cell], some: SweepData, share: float) -> Plan:
    """Return the plan with its estimated time, by a share of the rows, as if all cells were like the first one.

    Evaluations are left out.
    """
    config = NetworkConfig.from_dict(cells[0].settings)
    short = config.replace(epochs=1, schedule=None, decay_epochs=(), early_stopping=None).to_dict()

    epochs = sum(NetworkConfig.from_dict(cell.settings).epochs for cell in cells)
    rounds = math.ceil(len(cells) / plan.at_once) / len(cells)

    def total(seconds: float) -> float:
        """Return the seconds of all cells by those of an epoch."""
        return rounds * epochs * seconds / share

    def trial(_: int) -> float:
        """Return the seconds of the quickest epoch of those that fit into the time."""
        best: float = math.inf
        begun = time.perf_counter()
        while True:
            mlp = fit_network(short, some, plan.threads, [DiagnosticsCallback(log=False)])
            best = min(best, float(mlp.history["seconds"][0]))
            if time.perf_counter() - begun > min(SECONDS_PER_TRIAL, SHARE_PER_TRIAL * total(best)):
                return best

    pool = ThreadPoolExecutor(plan.at_once)
    try:
        pool.submit(trial, 0).result()  # the first one loads or compiles the kernels
        seconds = max(pool.map(trial, range(plan.at_once)))
    finally:
        pool.shutdown(wait=False)  # Ctrl-C does not wait for trials
    return Plan(plan.at_once, plan.threads, total(seconds))


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
