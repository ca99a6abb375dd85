"""How many cells are trained side by side, on how many cores each: measured, as it depends on network and machine."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fastmlp.data import Dataset, first_rows
from fastmlp.errors import FastmlpError
from fastmlp.experiment.executors.threads import fit_network, shared_inputs
from fastmlp.kernels.thread_team import available_cores
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell
from fastmlp.training.diagnostics import NAME

SECONDS_PER_TRIAL = 0.15
MOST_ROWS, BATCHES = 4096, 4  # of a trial: no more than the first, no less than the second


@dataclass(frozen=True)
class Plan:
    """at_once: cells side by side;  threads: cores for each;  seconds: what all are likely to take, or None."""

    at_once: int
    threads: int
    seconds: float | None = None

    def describe(self, cells: int) -> str:
        """The plan in words."""
        cores = f"{self.threads} core{'' if self.threads == 1 else 's'}"
        told = "" if self.seconds is None else f", about {_duration(self.seconds)}"
        if cells == 1:
            return f"plan: 1 cell on {cores}{told}"
        return f"plan: {cells} cells, {self.at_once} side by side on {cores} each{told}"


def choose_plan(cells: list[Cell], train: Dataset, threads: int | None = None) -> Plan:
    """The quickest of the plans that keep all cores busy, by a short trial of the first cell.

    threads  cores to use in all; None: all this process may use
    """
    cores = threads or available_cores()
    if cores == 1 or len(cells) == 1:
        return Plan(1, cores)
    settings = MLP(**cells[0].settings).settings()
    untried = Plan(min(cores, len(cells)), max(1, cores // len(cells)))
    if settings["optimizer"] == "lbfgs":  # its epochs are no passes over the data
        return untried
    sizes = sorted({cores // at_once for at_once in range(1, min(cores, len(cells)) + 1)})
    plans = [Plan(min(len(cells), cores // size), size) for size in sizes]
    try:
        return min((_timed(plan, cells, settings, train) for plan in plans), key=lambda plan: plan.seconds or math.inf)
    except FastmlpError:
        raise
    except Exception:  # such as of a network too large for the memory: it is told when that cell is trained
        return untried


def _timed(plan, cells, settings, train):
    """The plan with the seconds it would take, were all cells like the first; evaluations are left out."""
    rows = min(len(train.y), max(MOST_ROWS, BATCHES * settings["batch_size"]))
    some = shared_inputs([settings], first_rows(train, rows))
    short = {**settings, "epochs": 1, "schedule": None, "decay_epochs": (), "early_stopping": None}

    def trial(_):
        """Seconds of an epoch, the quickest of those that fit into the time."""
        NAME.set(None)
        best, begun = math.inf, time.perf_counter()
        while time.perf_counter() - begun < SECONDS_PER_TRIAL:
            network = fit_network(short, some, None, plan.threads)
            best = min(best, network.history["seconds"][0])
        return best

    team = ThreadPoolExecutor(plan.at_once)
    try:
        team.submit(trial, 0).result()  # the first one loads or compiles the kernels
        seconds = max(team.map(trial, range(plan.at_once)))
    finally:
        team.shutdown(wait=False)  # Ctrl-C is not to wait for trials
    epochs = sum(MLP(**cell.settings).epochs for cell in cells) / len(cells)
    rounds = math.ceil(len(cells) / plan.at_once)
    return Plan(plan.at_once, plan.threads, rounds * epochs * seconds * len(train.y) / rows)


def _duration(seconds):
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
