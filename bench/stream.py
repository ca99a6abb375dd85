"""Training from a file that need not fit into memory, against training on rows that are in memory.

python -m bench.stream --folder DIR          one million rows of MNIST, shifted at random, which stay in DIR
python -m bench.stream --rows 8000000        6.3 GB, in a temporary folder
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import h5py
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastmlp.config.network import NetworkConfig
from fastmlp.data import Stream, load
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.scaling import Scaling
from fastmlp.kernels.thread_team import available_cores
from fastmlp.training.batches import InMemory, Streamed
from fastmlp.training.first_layer import compact
from fastmlp.training.inference import kernels_of
from fastmlp.training.parameters import Parameters
from fastmlp.training.state import TrainingState
from fastmlp.training.trainer import Rows, Trainer
from fastmlp.utils.atomic_files import atomic_path

HIDDEN, RATE = (100, 50, 25), 0.05
FARTHEST = 2  # pixels that an image is shifted by, up, down, left or right
ROWS_AT_A_TIME = 20_000
WINDOWS_PER_TURN, EPOCHS_PER_TURN = 6, 3


def make(path, rows, data):
    """Write `rows` images, each one of `data` (28x28) shifted at random, and their labels."""
    collection, random = load(data), np.random.default_rng(0)
    margin = (0, 0), (FARTHEST, FARTHEST), (FARTHEST, FARTHEST)
    padded = np.pad(collection.X.reshape(-1, 28, 28), margin)
    shifted = sliding_window_view(padded, (28, 28), axis=(1, 2))
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        x = file.create_dataset("xdata", (rows, 784), "u1")
        y = file.create_dataset("ydata", (rows,), "u1")
        for start in range(0, rows, ROWS_AT_A_TIME):
            count = min(ROWS_AT_A_TIME, rows - start)
            chosen = random.integers(0, len(padded), count)
            down, right = random.integers(0, 2 * FARTHEST + 1, (2, count))
            x[start : start + count] = shifted[chosen, down, right].reshape(count, 784)
            y[start : start + count] = collection.y[chosen]


class Network:
    """A network that is trained a chunk at a time."""

    def __init__(self, batch):
        parameters = Parameters((784, *HIDDEN, 10), ("relu",) * len(HIDDEN), "float32")
        parameters.initialise("auto", None, "zero", 0)
        self.state = TrainingState(parameters, NetworkConfig().make_schedule())
        self.trainer = Trainer(self.state, kernels_of("numba"), available_cores(), batch)

    def train(self, chunk):
        """The seconds of one chunk."""
        X, y, _, order = chunk
        rates = np.full(self.trainer.steps_of(len(order)), RATE)
        begun = time.perf_counter()
        self.state.position, self.state.totals = 0, np.zeros(2)
        self.trainer.train_rows(Rows(X, y, order, self.trainer.loss), rates)
        return time.perf_counter() - begun


def epoch(trainer, streamed, other, memory, number):
    """(turns, 4): rows of the file, seconds from one to the next, those spent training; seconds of a row in memory.

    The file and the rows in memory take turns of some windows, so that what else the machine does befalls both alike.
    """
    turns, chunks = [], streamed.training_chunks(0, number, trainer.trainer.batch_size, True)
    while True:
        rows, training, begun = 0, 0.0, time.perf_counter()
        for chunk in islice(chunks, WINDOWS_PER_TURN):
            training += trainer.train(chunk)
            rows += len(chunk[3])
        seconds = time.perf_counter() - begun
        if not rows:
            return np.array(turns)
        elsewhere = [
            other.train(chunk) for _ in range(EPOCHS_PER_TURN) for chunk in memory.training_chunks(0, 1, 1, True)
        ]
        turns.append((rows, seconds, training, np.mean(elsewhere) / memory.shape[0]))


def in_memory(stream):
    """The rows of the first window, compressed."""
    X, window = next(stream.in_order())
    return InMemory(compact(X)[0], stream.labels[window.rows].astype(np.int64))


def measure(path, batch, window_bytes):
    """The epochs, the first when none of the file is in the system's cache, and the peak of memory in MB."""
    with Stream(path, window_bytes) as stream:
        memory, pixels = in_memory(stream), InputEncoder(Scaling.constant("pixels", stream.shape[1]))
        trainer, other = Network(batch), Network(batch)
        streamed = Streamed(stream, np.arange(10), pixels, threads=available_cores())
        for one in (trainer, other):  # loads or compiles the kernels, and tries the sizes of the team
            for _ in range(3):
                one.train(next(memory.training_chunks(0, 1, batch, True)))
        forget(path)
        epochs = [epoch(trainer, streamed, other, memory, number) for number in (1, 2)]
    return epochs, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def forget(path):
    """Have the system drop what it keeps of a file."""
    if hasattr(os, "posix_fadvise"):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def table(epochs, peak, batch, window):
    """The measurement in Markdown."""
    lines = [
        f"{int(epochs[0][:, 0].sum()):,} rows x 784 uint8, batch {batch}, window {window} MiB; microseconds per row",
        "",
        "| | from the file | of it training | in memory | ratio | median of the turns' ratios |",
        "|---|---|---|---|---|---|",
    ]
    for name, turns in zip(("cold", "again"), epochs, strict=True):
        rows, seconds, training, elsewhere = turns.T
        per_row = 1e6 * seconds.sum() / rows.sum()
        ratio = seconds.sum() / (rows * elsewhere).sum()
        middle = median(seconds / rows / elsewhere)
        memory = 1e6 * (rows * elsewhere).sum() / rows.sum()
        lines.append(
            f"| {name} | {per_row:.2f} | {1e6 * training.sum() / rows.sum():.2f} | {memory:.2f} | {ratio:.2f} "
            f"| {middle:.2f} |"
        )
    return "\n".join([*lines, "", f"Peak memory, with the rows in memory: {peak:.0f} MB"])


def run(arguments, folder):
    """Make the file unless it is there, and print the measurement."""
    path = Path(folder) / f"shifted-{arguments.rows}.h5"
    if not path.exists():
        # In a separate process, whose memory is not counted.
        maker = get_context("spawn").Process(target=make, args=(path, arguments.rows, arguments.data))
        maker.start()
        maker.join()
        if maker.exitcode:
            sys.exit(maker.exitcode)
    print(table(*measure(path, arguments.batch, arguments.window << 20), arguments.batch, arguments.window))


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.stream", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="where the file is made, and found again (default: a temporary one)")
    parser.add_argument("--data", default="mnist", help="name or path of the 28x28 images (default: mnist)")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--window", type=int, default=128, help="MiB (default: 128)")
    arguments = parser.parse_args()
    if arguments.folder:
        run(arguments, arguments.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(arguments, folder)


if __name__ == "__main__":
    main()
