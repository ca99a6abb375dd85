"""Sweeps on Ray, which is started here on this machine."""

import contextlib
import os
import re
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from fastmlp.data import load_split
from fastmlp.experiment.executors.base import SweepData, fit_network
from fastmlp.experiment.executors.registry import open_executor
from fastmlp.runs.cells import Cell

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="looks for Ray's processes with ps"),
    # Ray leaves files and sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*accelerator:FutureWarning"),
]


def cell(seed, **settings):
    shared = {"hidden": (8,), "batch_size": 20, "learning_rate": 0.1, "epochs": 5, "seed": seed}
    slug, label = f"seed-{seed}", f"seed {seed}"
    return Cell(slug, label, {**shared, **settings}, slug, label)


def bits(mlp):
    return [array.tobytes() for array in (*mlp.weights, *mlp.biases)]


def kill_a_busy_worker():
    for _ in range(600):
        processes = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
        if found := re.search(r"^ *(\d+) ray::train_cell", processes, re.MULTILINE):
            os.kill(int(found[1]), signal.SIGKILL)
            return
        time.sleep(0.02)
    raise TimeoutError


@pytest.mark.parametrize("by_path", [True, False])
def test_a_killed_workers_cell_is_trained_again_to_the_bits_of_a_local_run(train_file, by_path):
    parts = load_split(train_file, validation=0.25)
    if not by_path:
        parts = tuple(replace(part, key="") for part in parts)
    cells = [cell(0), *(cell(seed, epochs=3000) for seed in range(1, 5)), cell(5, hidden=(10**12,))]
    data = SweepData(*parts, {"name": str(train_file), "validation": 0.25})
    local = {at: bits(fit_network(one.settings, data, threads=2)) for at, one in enumerate(cells[:-1])}
    home = {}
    with contextlib.closing(open_executor("ray")) as executor:
        for position, one in executor.train(cells, data):
            if not home:
                kill_a_busy_worker()
            home[position] = one
    assert home.pop(5).failed
    assert {position: bits(one.mlp) for position, one in home.items()} == local
