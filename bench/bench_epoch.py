"""Milliseconds per training epoch of 784-100-50-25-10, relu, on 50,000 samples: the Numba engine against numpy.

Every competitor starts from the same weights and visits the samples in the same order. Before it is timed, its weights
after one epoch are compared with those that the course-style network reaches in float64.
"""

import time

import numpy as np
import pytest
from baselines import Careful, Course

from fastmlp.kernels import epoch
from fastmlp.kernels.thread_team import available_cores
from fastmlp.training.parameters import Parameters, epoch_order

HIDDEN = (100, 50, 25)
BATCH_SIZES = (500, 100, 20, 1)
ROUNDS = {500: 5, 100: 5, 20: 5, 1: 3}
# At batch 1 numpy takes seconds per epoch: there it is timed, and every answer is checked, on this many rows.
SINGLE_ROWS = 2_000
# Smaller batches take more steps: with a rate in proportion all epochs go about equally far.
RATE_PER_SAMPLE = 0.1 / 500
# Greatest |w - w64| / |w64 - start| of a weight matrix or bias vector. In float32 a unit whose input is nearly 0 may
# fall on the other side of the relu's corner, after which the two runs differ by its gradient: numpy is then off by up
# to 6e-3, as the engine is. In float64 no unit changes sides.
TOLERANCE = {"float32": 2e-2, "float64": 1e-10}


class Network:
    """The Numba engine behind the interface of the baselines."""

    def __init__(self, start, threads, dtype="float32"):
        self.parameters = Parameters(*start.shape, dtype)
        self.arrays = [*self.parameters.weights, *self.parameters.biases]
        for mine, first in zip(self.arrays, start.arrays, strict=True):
            mine[...] = first
        self.threads = threads

    def train(self, X, y, order, batch_size, rate):
        p, totals = self.parameters, np.zeros(2)
        epoch.train(p.layers, p.buffer, p.states, X, y, order, batch_size, rate, totals, self.threads)


class Start:
    """The weights that everyone starts from, the order in which everyone visits the samples, and where that leads."""

    def __init__(self, samples):
        self.samples = samples
        self.shape = (samples.floats.shape[1], *HIDDEN, samples.class_count), ("relu",) * len(HIDDEN)
        parameters = Parameters(*self.shape, "float32")
        parameters.initialise("auto", None, "zero", seed=0)
        self.weights, self.biases = parameters.weights, parameters.biases
        self.arrays = [*self.weights, *self.biases]
        self.order = epoch_order(len(samples.y), seed=0, epoch=1, shuffle=True)
        self._ends = {}

    def checked_rows(self, batch_size):
        """The part of the order on which answers are compared, and on which numpy is timed."""
        return self.order[:SINGLE_ROWS] if batch_size == 1 else self.order

    def end(self, batch_size):
        """Weights and biases after an epoch of the course-style network in float64, computed once."""
        if batch_size not in self._ends:
            network = Course(self.weights, self.biases, batch_size)
            rows, rate = self.checked_rows(batch_size), RATE_PER_SAMPLE * batch_size
            network.train(self.samples.doubles, self.samples.onehot, rows, batch_size, rate)
            self._ends[batch_size] = network.arrays
        return self._ends[batch_size]

    def check(self, network, X, y, batch_size, dtype="float32"):
        """Fail unless an epoch leads where it should. The Numba engine is compiled here, outside of the timing."""
        network.train(X, y, self.checked_rows(batch_size), batch_size, RATE_PER_SAMPLE * batch_size)
        for mine, right, first in zip(network.arrays, self.end(batch_size), self.arrays, strict=True):
            off = np.linalg.norm(mine - right) / np.linalg.norm(right - first)
            assert off < TOLERANCE[dtype], f"{off:.1e} off after an epoch in {dtype} at batch {batch_size}"


@pytest.fixture(scope="module")
def start(samples):
    return Start(samples)


@pytest.mark.parametrize("threads", sorted({1, available_cores()}))
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def bench_numba(benchmark, samples, start, batch_size, threads):
    for dtype in TOLERANCE:
        start.check(Network(start, threads, dtype), samples.X, samples.y, batch_size, dtype)
    _describe(benchmark, samples, f"fastmlp, threads={threads}", batch_size, start.order)
    _time(benchmark, lambda: Network(start, threads), samples.X, samples.y, start.order, batch_size)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def bench_careful_numpy(benchmark, samples, start, blas, batch_size):
    rows = start.checked_rows(batch_size)
    _describe(benchmark, samples, "careful numpy, float32", batch_size, rows)
    _time_numpy(benchmark, start, blas, Careful, samples.floats, samples.y, rows, batch_size)


@pytest.mark.parametrize("batch_size", BATCH_SIZES[:1])
def bench_course_numpy(benchmark, samples, start, blas, batch_size):
    _describe(benchmark, samples, "course numpy, float64", batch_size, start.order)
    _time_numpy(benchmark, start, blas, Course, samples.doubles, samples.onehot, start.order, batch_size)


def _time_numpy(benchmark, start, blas, kind, X, y, rows, batch_size):
    """Check a baseline, then time it with the number of BLAS threads that is better for it."""

    def make():
        return kind(start.weights, start.biases, batch_size)

    def seconds():
        network, begun = make(), time.perf_counter()
        network.train(X, y, rows, batch_size, RATE_PER_SAMPLE * batch_size)
        return time.perf_counter() - begun

    start.check(make(), X, y, batch_size)
    with blas.better(seconds) as threads:
        benchmark.extra_info["blas_threads"] = threads
        _time(benchmark, make, X, y, rows, batch_size)


def _describe(benchmark, samples, name, batch_size, rows):
    benchmark.group = f"batch {batch_size}, {len(rows):,} rows"
    benchmark.name = name
    benchmark.extra_info.update(
        competitor=name, batch_size=batch_size, data=samples.name, epochs_per_round=len(rows) / len(samples.y)
    )


def _time(benchmark, make, X, y, rows, batch_size):
    def train(network):
        network.train(X, y, rows, batch_size, RATE_PER_SAMPLE * batch_size)

    benchmark.pedantic(train, setup=lambda: ((make(),), {}), rounds=ROUNDS[batch_size], warmup_rounds=1)
