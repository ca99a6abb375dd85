"""What is timed: networks, data and batch sizes, and the files through which every competitor gets the same numbers."""

import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from fastmlp.data import load
from fastmlp.errors import InputError
from fastmlp.training.parameters import Parameters, epoch_order

# Smaller batches take more steps: with a rate in proportion all epochs go about equally far.
RATE_PER_SAMPLE = 0.1 / 500
# At batch 1 answers are compared after this many rows: numpy takes seconds for an epoch.
SINGLE_ROWS = 2_000
# Rows whose loss, or whose probabilities, are compared.
JUDGED_ROWS = 2_000


@dataclass(frozen=True)
class Workload:
    """`rows` of the training part from row `first` on; rows 0 means all; kind is "train" or "predict"."""

    name: str
    title: str
    data: str = "auto"
    hidden: tuple[int, ...] = (100, 50, 25)
    activation: str = "relu"
    batch: int = 500
    rows: int = 50_000
    first: int = 0
    kind: str = "train"


WORKLOADS = (
    Workload("batch500", "batch 500"),
    Workload("batch100", "batch 100", batch=100),
    Workload("batch20", "batch 20", batch=20),
    Workload("batch1", "batch 1", batch=1),
    Workload("tanh", "tanh, batch 500", activation="tanh"),
    Workload("fashion", "Fashion-MNIST, batch 500", data="fashion-mnist"),
    Workload("a9a", "a9a (sparse), batch 100", data="a9a", hidden=(100, 50), batch=100, rows=0),
    Workload("wide", "784-1024-1024-10, batch 128", hidden=(1024, 1024), batch=128, rows=10_000),
    Workload("predict", "probabilities of 10,000 rows", batch=10_000, rows=10_000, first=50_000, kind="predict"),
    Workload("predict1", "probabilities of one row", batch=1, rows=1, first=50_000, kind="predict"),
)


def write_task(workload, folder, limit=None):
    """Put a workload's inputs, labels, order and initial weights into `folder`; the description that it got.

    limit: rows at most. InputError when the data cannot be had.
    """
    dataset = load(_a9a_path() if workload.data == "a9a" else workload.data)
    stop = len(dataset.y) if not workload.rows else workload.first + workload.rows
    stop = min(stop, len(dataset.y), workload.first + (limit or stop))
    # Whole batches only, so that no competitor compiles a second step.
    rows = slice(workload.first, stop - (stop - workload.first) % min(workload.batch, stop - workload.first))
    X, y = _dense(dataset.X[rows]), dataset.y[rows]
    parameters = Parameters(
        (X.shape[1], *workload.hidden, dataset.class_count), (workload.activation,) * len(workload.hidden), "float32"
    )
    parameters.initialise("auto", None, "zero", seed=0)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    np.save(folder / "order.npy", epoch_order(len(y), seed=0, epoch=1, shuffle=True))
    save_weights(folder / "start.npz", parameters.weights, parameters.biases)
    description = {
        **asdict(workload),
        "rows": len(y),
        "batch": min(workload.batch, len(y)),
        "dataset": dataset.name,
        "class_count": dataset.class_count,
        "density": float(np.count_nonzero(X) / X.size),
    }
    (folder / "task.json").write_text(json.dumps(description), encoding="utf-8")
    return description


def _dense(X):
    """A matrix of what may be compressed rows."""
    if isinstance(X, np.ndarray):
        return np.ascontiguousarray(X)
    full = np.zeros(X.shape, np.float32)
    full[np.repeat(np.arange(len(X)), np.diff(X.indptr)), X.indices] = X.data
    return full


def _a9a_path():
    """The svmlight file of LIBSVM's collection."""
    for root in filter(None, (os.environ.get("FASTMLP_DATA"), "data")):
        for path in (Path(root, "a9a", "a9a"), Path(root, "a9a")):
            if path.is_file():
                return path
    raise InputError("a9a was not found; put LIBSVM's file a9a into data/a9a, or set FASTMLP_DATA to its folder")


def save_weights(path, weights, biases):
    np.savez(path, **{f"W{i}": W for i, W in enumerate(weights)}, **{f"b{i}": b for i, b in enumerate(biases)})


def load_weights(path):
    """(weights, biases): lists of (fan_in, fan_out) and (fan_out,)."""
    with np.load(path) as file:
        layers = range(len(file.files) // 2)
        return [file[f"W{i}"] for i in layers], [file[f"b{i}"] for i in layers]


class Task:
    """A workload as a competitor reads it from its folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name, value in json.loads((self.folder / "task.json").read_text(encoding="utf-8")).items():
            setattr(self, name, value)
        self.rate = RATE_PER_SAMPLE * self.batch
        self.weights, self.biases = load_weights(self.folder / "start.npz")
        self.y = np.load(self.folder / "y.npy")
        self.order = np.load(self.folder / "order.npy")

    @property
    def X(self):
        """(rows, D) uint8 pixels, or float32."""
        return np.load(self.folder / "X.npy")

    @cached_property
    def floats(self):
        """(rows, D) float32, pixels divided by 255."""
        X = self.X
        return (X / 255).astype(np.float32) if X.dtype == np.uint8 else X

    @property
    def checked_rows(self):
        """How many rows of the order are visited before answers are compared."""
        return min(SINGLE_ROWS, self.rows) if self.batch == 1 else self.rows


def loss(task, weights, biases):
    """Mean cross entropy of the first rows in float64, independent of every competitor."""
    A = task.X[:JUDGED_ROWS].astype(np.float64) / (255 if task.X.dtype == np.uint8 else 1)
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        Z = A @ W.astype(np.float64) + b
        A = np.maximum(Z, 0) if task.activation == "relu" else np.tanh(Z)
    Z = A @ weights[-1].astype(np.float64) + biases[-1]
    Z -= Z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(Z)), task.y[:JUDGED_ROWS]]).mean())
