"""The samples, the choice of BLAS threads, and the table of ratios at the end of a run."""

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fastmlp.data import load
from fastmlp.kernels.thread_team import available_cores
from fastmlp.training.first_layer import compact

ROWS = 50_000


@dataclass(frozen=True)
class Samples:
    """50,000 training samples, in the form that each competitor likes best.

    X       (N, D) uint8 in the form that the Numba engine plans for it;  y (N,) int64
    floats  X / 255 in float32;  doubles in float64;  onehot (N, C) float64
    """

    X: Any
    y: np.ndarray
    floats: np.ndarray
    doubles: np.ndarray
    onehot: np.ndarray
    class_count: int
    name: str


@pytest.fixture(scope="session")
def samples():
    """MNIST, or synthetic digits where it cannot be had."""
    dataset = load("auto")
    X, y = dataset.X[:ROWS], dataset.y[:ROWS]
    doubles = X / 255
    onehot = np.eye(dataset.class_count)[y]
    inputs, _ = compact(X)
    return Samples(inputs, y, doubles.astype(np.float32), doubles, onehot, dataset.class_count, dataset.name)


class Blas:
    """Chooses BLAS's number of threads by trial, where threadpoolctl is installed; else leaves the default."""

    def __init__(self, cores):
        self.counts = (1, cores) if cores > 1 else (1,)

    @contextlib.contextmanager
    def better(self, seconds):
        """Within the block BLAS has the number of threads, 1 or all, with which `seconds()` is smaller."""
        try:
            from threadpoolctl import threadpool_limits
        except ModuleNotFoundError:
            yield "default"
            return

        def trial(count):
            with threadpool_limits(count, user_api="blas"):
                return seconds()

        best = min(self.counts, key=trial)
        with threadpool_limits(best, user_api="blas"):
            yield best


@pytest.fixture(scope="session")
def blas():
    return Blas(available_cores())


def pytest_collection_modifyitems(items):
    """Time the competitors at one batch size one after another: a machine's other load changes over minutes."""
    items.sort(key=lambda item: -item.callspec.params["batch_size"])


def pytest_terminal_summary(terminalreporter, config):
    """Milliseconds per epoch, medians, and how many times faster the better of fastmlp's thread counts is."""
    session = getattr(config, "_benchmarksession", None)
    runs = [bench for bench in session.benchmarks if bench.extra_info and not bench.has_error] if session else []
    if not runs:
        return
    medians = {}
    for bench in runs:
        info = bench.extra_info
        by_size = medians.setdefault(info["competitor"], {})
        by_size[info["batch_size"]] = bench.stats.median / info["epochs_per_round"]
    sizes = sorted({size for by_size in medians.values() for size in by_size}, reverse=True)
    fastest = {
        size: min((by_size[size] for name, by_size in medians.items() if _is_ours(name) and size in by_size), default=0)
        for size in sizes
    }
    write = terminalreporter.write_line
    terminalreporter.section(f"one epoch on {runs[0].extra_info['data']}, {ROWS:,} rows: medians in milliseconds")
    write(_row("", [f"batch {size}" for size in sizes]))
    for name, by_size in medians.items():
        write(_row(name, [f"{1e3 * by_size[size]:,.0f}" if size in by_size else "" for size in sizes]))
    for name, by_size in medians.items():
        if not _is_ours(name):
            ratios = [
                f"{by_size[size] / fastest[size]:.1f} x" if size in by_size and fastest[size] else "" for size in sizes
            ]
            write(_row(f"fastmlp is faster than {name.partition(',')[0]}", ratios))
    if any(bench.extra_info["epochs_per_round"] < 1 for bench in runs):
        write("numpy at batch 1: estimated from an epoch over fewer rows: see the name of its group")


def _is_ours(name):
    return name.startswith("fastmlp")


def _row(name, cells):
    return f"{name:<40}" + "".join(f"{cell:>12}" for cell in cells)
