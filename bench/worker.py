"""A process that holds one competitor with one number of threads, and runs the commands from its standard input.

python -m bench.worker PEER THREADS      commands on its input, lines of JSON on its output; see `Worker`
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from .peers import PEERS
from .workloads import Task, save_weights

# A turn lasts until this many seconds have been timed, or this many runs of it.
SECONDS_PER_TURN, RUNS_PER_TURN = 0.3, 5_000
# Of more runs than this, groups of successive ones are reported by their medians.
SAMPLES_PER_TURN = 20
# An epoch that would take longer than the first is timed on a part that takes about the second, and scaled.
LONGEST_EPOCH, PART_OF_EPOCH = 3.0, 1.0
# Epochs shorter than this are run once untimed at the start of a turn, to warm the caches.
WARMED_UP = 1.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Worker:
    """`task FOLDER` comes first, and again for another task; then `check`, then any number of `turn`."""

    def __init__(self, name, threads):
        self.name, self.threads, self.peer = name, threads, None

    def take(self, folder):
        """Build the competitor for a task; {"title"}. Raises whatever keeps it from taking part."""
        self.peer = None  # its arrays are freed before there are others
        self.task = Task(folder)
        _, module, kind = PEERS[self.name]
        self.peer = getattr(importlib.import_module(module), kind)(self.task, self.threads)
        self.answer = Path(folder) / f"answer-{self.name}-{self.threads}.npz"
        self.order = self.task.order
        return {"title": self.peer.title}

    def check(self):
        """Run once, write the answer; what that took and what a turn is to run.

        {"warm_up": seconds of that run, compiling included, "visits": rows of a timed run, each as often as visited}
        """
        warm_up = self._answer()
        visits = self.task.rows
        if self.task.kind == "train":
            visits = len(self.task.order)
            self.order = self.task.order[: self.task.checked_rows]
            epoch = self._run() * self.task.rows / len(self.order)
            if epoch > LONGEST_EPOCH:
                steps = max(1, round(self.task.rows / self.task.batch * PART_OF_EPOCH / epoch))
                visits = min(visits, steps * self.task.batch)
            self.order = self.task.order[:visits]
        self.fastest = self._run()
        return {"warm_up": warm_up, "visits": visits}

    def _answer(self):
        """The seconds of the first run, whose answer is written to a file."""
        if self.task.kind == "predict":
            begun = time.perf_counter()
            probabilities = self.peer.probabilities()
            seconds = time.perf_counter() - begun
            np.savez(self.answer, probabilities=probabilities)
        else:
            self.order = self.task.order[: self.task.checked_rows]
            seconds = self._run()
            save_weights(self.answer, *self.peer.arrays())
        return seconds

    def _run(self):
        """Seconds of one run."""
        if self.task.kind == "predict":
            run = self.peer.probabilities
        else:
            self.peer.start()
            self.peer.begin(self.order)
            run = self.peer.train
        begun = time.perf_counter()
        run()
        return time.perf_counter() - begun

    def turn(self):
        """{"samples": seconds of the runs of this turn}."""
        if self.fastest < WARMED_UP:
            self._run()
        samples = []
        while not samples or (sum(samples) < SECONDS_PER_TURN and len(samples) < RUNS_PER_TURN):
            samples.append(self._run())
        self.fastest = min(self.fastest, *samples)
        groups = np.array_split(samples, min(len(samples), SAMPLES_PER_TURN))
        return {"samples": [float(np.median(group)) for group in groups]}


def _end_with_parent():
    """On Linux the kernel ends this process when its parent is killed: a stopped process could not see that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(name, threads):
    _end_with_parent()
    # What a library prints must not come between the lines of JSON.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def reply(message):
        pipe.write(json.dumps(message) + "\n")
        pipe.flush()

    try:
        worker = Worker(name, int(threads))
        for line in sys.stdin:
            command, _, folder = line.strip().partition(" ")
            reply(worker.take(folder) if command == "task" else {"check": worker.check, "turn": worker.turn}[command]())
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        reply({"absent": f"{type(error).__name__}: {lines[0]}"[:300]})
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
