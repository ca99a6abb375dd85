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

from .samples import exponentials, table

# Of plain SGD: smaller batches take more steps, and with a rate in proportion all epochs go about equally far.
RATE_PER_SAMPLE = 0.1 / 500
# Of Adam: the default of every peer.
ADAM_RATE = 1e-3
# At batch 1 answers are compared after this many rows: numpy takes seconds for an epoch.
SINGLE_ROWS = 2_000
# Rows whose loss, or whose probabilities, are compared.
JUDGED_ROWS = 2_000


@dataclass(frozen=True)
class Workload:
    """A network, its data and what is timed.

    data        what `fastmlp.data.load` takes; "a9a"; "table" or "exponentials": made by `bench.samples`
    rows        of the training part from row `first` on; 0 means all
    features, classes   of a table; classes 0 means one number to predict, by the squared error
    batch       rows of a step; 0 means all: the rows are then visited in their order
    optimizer   "sgd" or "adam"
    rate        learning rate; 0 means the usual one
    epochs      in a timed run, one after another; what is reported is the time of one
    kind        "train" or "predict"
    """

    name: str
    title: str
    data: str = "auto"
    hidden: tuple[int, ...] = (100, 50, 25)
    activation: str = "relu"
    batch: int = 500
    rows: int = 50_000
    first: int = 0
    features: int = 0
    classes: int = 0
    optimizer: str = "sgd"
    rate: float = 0.0
    epochs: int = 1
    kind: str = "train"


def _adam(name, title, data, hidden, batch, rows, **options):
    return Workload(name, title, data, hidden, batch=batch, rows=rows, optimizer="adam", **options)


_LARGE = {"data": "table", "rows": 200_000, "features": 54, "classes": 7}
_NUMBERS = {"data": "table", "rows": 20_000, "features": 8}
_SMALL = {"data": "exponentials", "hidden": (32, 16), "batch": 0, "activation": "tanh"}

WORKLOADS = (
    _adam("table", "Adam, 200,000 x 54, 7 classes, (100,), batch 200", hidden=(100,), batch=200, **_LARGE),
    _adam("table-wide", "Adam, 200,000 x 54, 7 classes, 256-256, batch 1,024", hidden=(256, 256), batch=1024, **_LARGE),
    _adam("numbers", "Adam, 20,000 x 8, a number, (100,), batch 200", hidden=(100,), batch=200, epochs=4, **_NUMBERS),
    _adam("numbers32", "Adam, 20,000 x 8, a number, 64-64, batch 32", hidden=(64, 64), batch=32, epochs=2, **_NUMBERS),
    _adam(
        "digits", "Adam, 1,600 x 64, 10 classes, (100,), batch 200", "table", (100,), 200, 1_600, features=64,
        classes=10, epochs=20,
    ),
    _adam("small", "Adam, 10,000 x 4, 4 numbers, tanh 32-16, full batch", rows=10_000, epochs=20, **_SMALL),
    _adam("tiny", "Adam, 200 x 4, 4 numbers, tanh 32-16, full batch", rows=200, epochs=200, **_SMALL),
    _adam("adam200", "Adam, MNIST, (100,), batch 200", "auto", (100,), 200, 50_000),
    _adam("adam100", "Adam, MNIST, 256-128, batch 100", "auto", (256, 128), 100, 50_000),
    Workload("batch500", "MNIST, batch 500"),
    Workload("batch100", "MNIST, batch 100", batch=100),
    Workload("batch20", "MNIST, batch 20", batch=20),
    Workload("batch1", "MNIST, batch 1", batch=1),
    Workload("tanh", "MNIST, tanh, batch 500", activation="tanh"),
    # At the usual rate relu networks drift apart within an epoch here, by rounding alone.
    Workload("fashion", "Fashion-MNIST, batch 500", data="fashion-mnist", rate=0.02),
    Workload("a9a", "a9a (sparse), batch 100", data="a9a", hidden=(100, 50), batch=100, rows=0),
    Workload("wide", "MNIST, 1024-1024, batch 128", hidden=(1024, 1024), batch=128, rows=10_000),
    Workload("predict", "probabilities of 10,000 rows", batch=10_000, rows=10_000, first=50_000, kind="predict"),
    Workload("predict1", "probabilities of one row", batch=1, rows=1, first=50_000, kind="predict"),
)  # fmt: skip


def write_task(workload, folder, limit=None):
    """Put a workload's inputs, targets, order and initial weights into `folder`; the description that it got.

    limit: rows at most. InputError when the data cannot be had.
    """
    X, y, class_count, dataset = _samples(workload)
    stop = len(y) if not workload.rows else workload.first + workload.rows
    stop = min(stop, len(y), workload.first + (limit or stop))
    available = stop - workload.first
    batch = min(workload.batch or available, available)
    # Whole batches only, so that no competitor compiles a second step.
    rows = slice(workload.first, stop - available % batch)
    X, y = _dense(X[rows]), y[rows]
    parameters = Parameters(
        (X.shape[1], *workload.hidden, class_count), (workload.activation,) * len(workload.hidden), "float32"
    )
    parameters.initialise("auto", None, "zero", seed=0)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    orders = [epoch_order(len(y), 0, epoch, bool(workload.batch)) for epoch in range(1, workload.epochs + 1)]
    np.save(folder / "order.npy", np.concatenate(orders))
    save_weights(folder / "start.npz", parameters.weights, parameters.biases)
    usual = ADAM_RATE if workload.optimizer == "adam" else RATE_PER_SAMPLE * batch
    description = {
        **asdict(workload),
        "rows": len(y),
        "batch": batch,
        "rate": workload.rate or usual,
        "dataset": dataset,
        "features": X.shape[1],
        "class_count": class_count,
        "density": float(np.count_nonzero(X) / X.size),
    }
    (folder / "task.json").write_text(json.dumps(description), encoding="utf-8")
    return description


def _samples(workload):
    """(X, y, outputs, name) of a workload's data."""
    if workload.data == "table":
        X, y = table(workload.rows, workload.features, workload.classes)
    elif workload.data == "exponentials":
        X, y = exponentials(workload.rows)
    else:
        dataset = load(_a9a_path() if workload.data == "a9a" else workload.data)
        # The peers want indices where a file has -1 and 1.
        return dataset.X, np.searchsorted(dataset.classes, dataset.y), dataset.class_count, dataset.name
    return X, y, workload.classes or y.shape[1], workload.data


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
    def is_regression(self):
        """Whether numbers (rows, outputs) float32 are predicted, by the squared error."""
        return self.y.ndim == 2

    @property
    def is_full_batch(self):
        """Whether every step takes all rows in their order, so that nobody has to gather them."""
        return self.batch == self.rows

    @property
    def checked_rows(self):
        """How many rows of the order are visited before answers are compared."""
        return min(SINGLE_ROWS, self.rows) if self.batch == 1 else len(self.order)


def loss(task, weights, biases):
    """Mean loss of the first rows in float64, independent of every competitor."""
    A = task.X[:JUDGED_ROWS].astype(np.float64) / (255 if task.X.dtype == np.uint8 else 1)
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        Z = A @ W.astype(np.float64) + b
        A = np.maximum(Z, 0) if task.activation == "relu" else np.tanh(Z)
    Z, y = A @ weights[-1].astype(np.float64) + biases[-1], task.y[:JUDGED_ROWS]
    if task.is_regression:
        return float(((Z - y) ** 2).sum(axis=1).mean() / 2)
    Z -= Z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(Z)), y]).mean())
