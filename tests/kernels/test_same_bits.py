"""One seed, one model: no bit depends on threads, chunks, the way inputs are stored, or what else is running."""

import hashlib
import multiprocessing
import os
import sys
import threading
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import MLP
from fastmlp.kernels import epoch, thread_team
from fastmlp.kernels.layout import GRAIN
from fastmlp.kernels.update_rule import ADAM, MOMENTUM, PLAIN_SGD, Rule

WIDTHS = (300, 100, 50, 10)
BATCH = 100
ROWS = 3 * BATCH + 37  # the last batch is smaller


@pytest.fixture(scope="module")
def pixels():
    random = np.random.RandomState(0)
    X = random.randint(0, 256, (ROWS, WIDTHS[0])).astype(np.uint8)
    X[random.random_sample(X.shape) < 0.7] = 0
    return X, random.randint(0, 10, ROWS)


RULES = {
    "sgd": PLAIN_SGD,
    "momentum": Rule(MOMENTUM, momentum=0.9, l2=1e-3),
    "adam, limited": Rule(ADAM, momentum=0.9, beta2=0.999, epsilon=1e-8, clip_norm=0.3, max_norm=1.0),
}


def trained(p, X, y, order, threads=1, batch_size=BATCH, rule=RULES["momentum"], keep_prob=()):
    """The bytes of everything that an epoch leaves: parameters, states, totals of the epoch and of an evaluation."""
    totals = np.zeros(4)
    epoch.train(
        p.layers, p.buffer, p.states, X, y, order, batch_size, 0.02, totals[:2], threads, rule, keep_prob=keep_prob
    )
    epoch.evaluate(p.layers, p.buffer, X, y, totals[2:], threads)
    assert np.isfinite(totals).all()
    return p.buffer.tobytes(), p.states.tobytes(), totals.tobytes()


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "softplus"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_seed_gives_same_bits_on_any_thread_count(network, pixels, activation, rule, dtype):
    X, y = pixels
    order = np.random.RandomState(1).permutation(ROWS)
    results = {
        trained(network(WIDTHS, (activation,) * 2, dtype), X, y, order, threads, BATCH, RULES[rule])
        for threads in (1, 2, 3)
    }
    assert len(results) == 1


@settings(max_examples=25)
@given(
    widths=st.lists(st.integers(1, 70), min_size=2, max_size=4), rows=st.integers(1, 150),
    batch_size=st.integers(1, 150),
    threads=st.integers(2, 4), seed=st.integers(0, 1000),
)  # fmt: skip
def test_same_bits_when_steps_of_any_shape_are_shared(network, shared_steps, widths, rows, batch_size, threads, seed):
    random = np.random.RandomState(seed)
    widths = [*widths, 5]
    X, y = random.standard_normal((rows, widths[0])).astype("float32"), random.randint(0, 5, rows)
    order, activations = random.permutation(rows), ["tanh"] * (len(widths) - 2)
    with shared_steps() as sizes:
        alone, shared = (
            trained(network(widths, activations, "float32", seed), X, y, order, count, batch_size)
            for count in (1, threads)
        )
    assert alone == shared
    assert sizes[2] == min(threads, -(-batch_size // GRAIN))  # after the two of the first training and evaluation


@contextmanager
def threads_moved_about(seed):
    """Move every thread of the process to a random core, again and again, so that it is interrupted anywhere."""
    random, cores, stop = np.random.RandomState(seed), sorted(os.sched_getaffinity(0)), threading.Event()

    def move():
        while not stop.wait(0.0002):
            for thread in map(int, os.listdir("/proc/self/task")):
                with suppress(OSError):  # it has ended
                    os.sched_setaffinity(thread, {cores[random.randint(len(cores))]})

    mover = threading.Thread(target=move)
    mover.start()
    try:
        yield
    finally:
        stop.set()
        mover.join()
        for thread in map(int, os.listdir("/proc/self/task")):
            with suppress(OSError):
                os.sched_setaffinity(thread, cores)


@pytest.mark.skipif(sys.platform != "linux", reason="threads are moved on Linux alone")
@pytest.mark.parametrize("runs", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_same_bits_wherever_threads_between_barriers_are_interrupted(network, pixels, runs):
    X, y = pixels
    order, found = np.random.RandomState(1).permutation(ROWS), set()

    def run(threads, times):
        for _ in range(times):
            p = network(WIDTHS, ("relu", "tanh"))
            found.add(trained(p, X, y, order, threads, 64, RULES["adam, limited"], (1.0, 0.8, 0.8)))

    run(1, times=1)
    with threads_moved_about(seed=3):
        teams = [threading.Thread(target=run, args=(size, runs // 2)) for size in (2, 3)]
        for team in teams:
            team.start()
        for team in teams:
            team.join()
    assert len(found) == 1


def test_predictions_have_the_same_bits_on_any_thread_count(network, pixels, shared_steps):
    p = network(WIDTHS, ("relu", "tanh"))
    with shared_steps() as sizes:
        results = {
            epoch.predict(p.layers, p.buffer, pixels[0], np.empty((ROWS, 10), "float32"), threads).tobytes()
            for threads in (1, 2, 3)
        }
    assert len(results) == 1
    assert sizes == [1, 2, 3]


@pytest.mark.parametrize("batch_size", [1, 2, 30])
def test_a_layer_of_thousands_of_inputs_gives_the_same_bits_however_its_samples_come(network, batch_size):
    random, order = np.random.RandomState(2), np.arange(30)
    X, y = random.standard_normal((30, 8)).astype("float32"), random.randint(0, 3, 30)
    p = network((8, 2300, 3), ("relu",))
    totals = np.zeros((2, 2))
    epoch.train(p.layers, p.buffer, p.states, X, y, order, batch_size, 0.0, totals[0], 1)  # which leaves the weights
    epoch.evaluate(p.layers, p.buffer, X, y, totals[1], 1)
    assert totals[0].tobytes() == totals[1].tobytes()


def test_an_epoch_cut_into_spans_of_whole_batches_has_the_same_bits(network, pixels):
    X, y = pixels
    order = np.random.RandomState(2).permutation(ROWS)
    p, q = (network(WIDTHS, ("relu", "relu")) for _ in range(2))
    whole, chunks = np.zeros(2), np.zeros(2)
    epoch.train(p.layers, p.buffer, p.states, X, y, order, 20, 0.05, whole, 1, Rule(MOMENTUM, momentum=0.9))
    for start, stop in ((0, 40), (40, 60), (60, 300), (300, ROWS)):
        epoch.train(
            q.layers, q.buffer, q.states, X, y, order[start:stop], 20, 0.05, chunks, 2, Rule(MOMENTUM, momentum=0.9)
        )
    assert p.buffer.tobytes() == q.buffer.tobytes()
    assert chunks[0] == pytest.approx(whole[0], rel=1e-14)
    assert chunks[1] == whole[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pixels_and_the_same_pixels_as_floats_give_the_same_bits(network, pixels, dtype):
    X, y = pixels
    order = np.arange(ROWS)
    as_floats = (X / 255).astype(dtype)
    results = {trained(network(WIDTHS, ("relu", "relu"), dtype), Z, y, order) for Z in (X, as_floats)}
    assert len(results) == 1
    if dtype == "float32":
        assert trained(network(WIDTHS, ("relu", "relu"), dtype), X / 255, y, order) in results


def test_rows_of_any_stride_and_read_only_rows_give_the_same_bits(network, pixels):
    X, y = pixels
    wide = np.zeros((2 * ROWS, WIDTHS[0] + 5), np.uint8)
    strided = wide[::2, 3:-2]
    strided[...] = X
    backwards = X[::-1].copy()[::-1]
    frozen = X.copy()
    frozen.flags.writeable = False
    results = {
        trained(network(WIDTHS, ("relu", "relu")), Z, y, np.arange(ROWS)) for Z in (X, strided, backwards, frozen)
    }
    assert len(results) == 1


def fitted_digest(X, y, seed=0, **settings):
    """SHA-256 of the weights, biases and probabilities of a network after two epochs."""
    mlp = MLP(hidden=(100, 50), batch_size=BATCH, epochs=2, seed=seed, **settings).fit(X, y)
    arrays = (*mlp.weights, *mlp.biases, mlp.predict_proba(X))
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_fit_gives_the_same_bits_on_any_thread_count(pixels):
    assert len({fitted_digest(*pixels, threads=threads) for threads in (1, 2, 3, None)}) == 1


def test_fits_side_by_side_give_what_each_gives_alone(pixels):
    alone = [fitted_digest(*pixels, seed=seed, threads=2) for seed in range(3)]
    together = [""] * 3

    def work(seed):
        together[seed] = fitted_digest(*pixels, seed=seed, threads=2)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert len(set(alone)) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_trains_the_same(pixels):
    expected = fitted_digest(*pixels, threads=2)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(fitted_digest(*pixels, threads=2)), daemon=True)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == expected


@given(count=st.integers(0, 1000), size=st.integers(1, 9), grain=st.sampled_from([1, 4, 64]))
@settings(max_examples=100)
def test_every_row_has_exactly_one_owner(count, size, grain):
    ranges = [thread_team.partition.py_func(count, me, size, grain) for me in range(size)]
    assert [row for first, last in ranges for row in range(first, last)] == list(range(count))
    assert all(first % grain == 0 or first == count for first, _ in ranges)
