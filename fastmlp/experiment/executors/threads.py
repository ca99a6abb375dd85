"""The executor of this machine: cells trained side by side, in threads that share one copy of the data."""

import threading
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice

from fastmlp.errors import FastmlpError, InputError, OutOfMemoryError
from fastmlp.experiment.executors.base import (
    CellCallbacks,
    CellCheckpoints,
    Executor,
    StopWhen,
    SweepData,
    fit_network,
    no_callbacks,
)
from fastmlp.experiment.executors.thread_plan import Plan, choose_plan
from fastmlp.kernels.thread_team import available_cores
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.training.checkpoints import Paused
from fastmlp.training.diagnostics import DiagnosticsCallback
from fastmlp.training.screen import log_line

SECONDS_TO_WAIT = 0.2  # at a time: on Windows a thread that waits without an end does not feel Ctrl-C
SECONDS_TO_STOP = 1.5  # a training stops within 0.1 seconds, one whose kernels are being compiled does not


class ThreadExecutor(Executor):
    """Trains cells in threads of this process, as many at once as is fastest.

    Parameters
    ----------
    threads : int, optional
        Cores to use in all; None: all this process may use. It changes no result.
    scheduler : str, optional
        Refused: threads have none.
    """

    adaptive = True

    def __init__(self, threads: int | None = None, scheduler: str | None = None):
        if scheduler is not None:
            raise InputError(f"scheduler is {scheduler}, and the threads of this machine have none; add --backend dask")
        super().__init__(threads)

    def train(
        self,
        cells: Iterable[Cell],
        data: SweepData,
        *,
        count: int | None = None,
        callbacks: CellCallbacks = no_callbacks,
        checkpoints: CellCheckpoints | None = None,
    ) -> Generator[tuple[int, CellResult], None, None]:
        plan = self._plan(cells, data, count)
        most = len(cells) if isinstance(cells, Sequence) else plan.at_once
        waiting, running = enumerate(cells), dict[Future[CellResult], int]()
        stop = threading.Event()

        def fit(position: int, cell: Cell) -> CellResult:
            its = [DiagnosticsCallback(cell.label), *callbacks(position, cell)]
            try:
                if checkpoints is None:
                    mlp = fit_network(cell.settings, data, plan.threads, [*its, StopWhen(stop.is_set)])
                else:
                    kept = replace(checkpoints(cell), stop=stop)
                    mlp = fit_network(cell.settings, data, plan.threads, its, kept)
            except OutOfMemoryError as error:
                return CellResult.failure(cell, str(error))
            except (FastmlpError, Paused, BrokenPipeError):  # the last one: nobody reads the lines that it prints
                raise
            except Exception as error:  # the failure of one cell does not end the others, but a full disk does
                if isinstance(error, OSError) and error.filename is not None:
                    raise
                return CellResult.failure(cell, error)
            return CellResult(cell, mlp)

        pool = ThreadPoolExecutor(plan.at_once)
        try:
            while True:
                for position, cell in islice(waiting, most - len(running)):
                    running[pool.submit(fit, position, cell)] = position
                if not running:
                    return
                ended = wait(running, SECONDS_TO_WAIT, FIRST_COMPLETED).done
                for future in sorted(ended, key=running.__getitem__):
                    yield running.pop(future), future.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            wait([future for future in running if not future.cancelled()], SECONDS_TO_STOP)

    def _plan(self, cells: Iterable[Cell], data: SweepData, count: int | None) -> Plan:
        """Measure the quickest plan for cells that are known, or give a core to each that is drawn later."""
        if isinstance(cells, Sequence) and count is None:
            plan = choose_plan(cells, data, self.threads)
            log_line(plan.describe(len(cells)))
            return plan
        cores = self.threads or available_cores()
        at_once = min(cores, count or cores)
        return Plan(at_once, cores // at_once)
