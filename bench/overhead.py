"""Microseconds of Python per epoch: what a training takes in addition to its kernels, by what watches it.

python -m bench.overhead              a table

The network and its data are negligibly small. Where nothing watches, many epochs pass in one call of the kernels.
"""

import argparse
import time

import numpy as np

from fastmlp import MLP
from fastmlp.callbacks import Callback
from fastmlp.kernels import thread_team

ROWS, FEATURES, HIDDEN, VALIDATION_ROWS = 16, 2, (2,), 8
EPOCHS, REPETITIONS = 20_000, 3


class _Watcher(Callback):
    """Called after every epoch, and does nothing."""

    def on_epoch_end(self, view):
        return None


def watchers(X, y):
    """Settings and arguments of `fit`, by what watches the training."""
    validation = {"validation": (X[:VALIDATION_ROWS], y[:VALIDATION_ROWS])}
    running = {"train_metrics": "running"}
    return {
        "nothing": (running, {}),
        "a callback": (running, {"callbacks": [_Watcher()]}),
        "validation": (running, validation),
        "full metrics and validation": ({}, validation),
        "the same, and early stopping": ({"early_stopping": EPOCHS}, validation),
    }


class _Clock:
    """Counts the seconds that a function takes."""

    def __init__(self, function):
        self._function, self.seconds = function, 0.0

    def __call__(self, *arguments):
        begun = time.perf_counter()
        try:
            return self._function(*arguments)
        finally:
            self.seconds += time.perf_counter() - begun


def seconds_beside_kernels(settings, arguments, X, y, epochs):
    """Seconds of a training of so many epochs, without those inside the kernels."""
    network = MLP(hidden=HIDDEN, batch_size=ROWS, scaling="none", threads=1, epochs=epochs, **settings)
    run = thread_team.run
    thread_team.run = clock = _Clock(run)
    try:
        begun = time.perf_counter()
        network.fit(X, y, **arguments)
        return time.perf_counter() - begun - clock.seconds
    finally:
        thread_team.run = run


def measure(epochs=EPOCHS, repetitions=REPETITIONS):
    """The least microseconds of Python per epoch, by what watches."""
    random = np.random.default_rng(0)
    X, y = random.standard_normal((ROWS, FEATURES), dtype=np.float32), random.integers(0, 2, ROWS)
    found = {}
    for name, (settings, arguments) in watchers(X, y).items():
        seconds_beside_kernels(settings, arguments, X, y, 50)  # compiles or loads the kernels
        least = min(seconds_beside_kernels(settings, arguments, X, y, epochs) for _ in range(repetitions))
        found[name] = 1e6 * least / epochs
    return found


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    print(f"{'what watches':30} microseconds of Python per epoch")
    for name, microseconds in measure(parser.parse_args().epochs).items():
        print(f"{name:30} {microseconds:8.2f}")


if __name__ == "__main__":
    main()
