"""A list of small trainings and predictions, each by other kernels, and the digest of what each computes.

Run as a script it prints a line for each, or for those named by arguments: its digest and its name. Every CPU has to
print the same lines.
"""

import hashlib
import sys

import numpy as np

from fastmlp.kernels import cpu, epoch
from fastmlp.kernels.compress import compress
from fastmlp.kernels.layout import ACTIVATIONS
from fastmlp.kernels.task_types import CROSS_ENTROPY, POISSON, SOFTMAX, SQUARED, Clock, Distortion, Loss
from fastmlp.kernels.update_rule import ADAM, MOMENTUM, PLAIN_SGD, Rule
from fastmlp.training.parameters import Parameters

ROWS, PIXELS, CLASSES = 600, 144, 5
HIDDEN = (80, 21, 18)
NAMES = ("relu", "tanh", "sigmoid")
ADAM_RULE = Rule(ADAM, 0.9, beta2=0.99, epsilon=1e-8, l2=1e-3, max_norm=1.0)
MOMENTUM_RULE = Rule(MOMENTUM, 0.5, l1=1e-4, clip_norm=0.5)
DROPPED = (0.9, 0.5, 0.7, 0.8)
SMALL_IMAGES = Distortion(12, 12, 1.0, 10.0, 0.1, 0.1, 4.0, 2.0, 6, 3, 1)


def images():
    """(600, 144) uint8 of which four fifths are zero, and labels."""
    random = np.random.RandomState(0)
    lit = random.rand(ROWS, PIXELS) < 0.2
    return np.where(lit, random.randint(1, 256, lit.shape), 0).astype(np.uint8), random.randint(0, CLASSES, ROWS)


def numbers(dtype):
    """(600, 144) of which none is zero."""
    return np.random.RandomState(1).standard_normal((ROWS, PIXELS)).astype(dtype)


def scattered():
    """(600, 70,000) compressed rows of float32, the pixels far apart: columns that 16 bits do not hold."""
    wide = np.zeros((ROWS, 70_000), np.float32)
    wide[:, 7 + 480 * np.arange(PIXELS)] = images()[0] / np.float32(255)
    return compress(wide, "float32")


def train(
    X, rule=PLAIN_SGD, batch_size=20, threads=1, keep_prob=(), distortion=None, names=NAMES, passes=2,
    loss=CROSS_ENTROPY,
):  # fmt: skip
    """The arrays that a training changes: weights, optimizer states, summed loss and hits."""
    y = images()[1]
    dtype = "float64" if getattr(X, "dtype", None) == np.float64 else "float32"
    if loss.kind == POISSON:
        y = np.random.RandomState(2).poisson(1.5, (ROWS, CLASSES)).astype(dtype)
    p = Parameters((X.shape[1], *HIDDEN, CLASSES), names, dtype)
    p.initialise("auto", None, "same", 1)
    p.states = np.zeros((2, len(p.buffer)), dtype)
    totals, steps = np.zeros(2), -(-ROWS // batch_size)
    for number in range(passes):
        order = np.random.RandomState(number).permutation(ROWS)
        clock = Clock(seed=3, epoch=number + 1, steps=number * steps)
        rates = np.full(steps, 0.05)
        epoch.train(
            p.layers, p.buffer, p.states, X, y, order, batch_size, rates, totals, threads, rule, loss, keep_prob,
            distortion=distortion, clock=clock,
        )  # fmt: skip
    return p.buffer, p.states, totals


def train_small(widths, dtype, kind, batch_size=100, threads=1, stored="dense"):
    """The arrays that two epochs of a small network change."""
    random = np.random.RandomState(4)
    X = random.standard_normal((ROWS, widths[0])).astype(dtype)
    y = (
        random.randint(0, widths[-1], ROWS)
        if kind == SOFTMAX
        else random.standard_normal((ROWS, widths[-1])).astype(dtype)
    )
    X = compress(X * (X > 0.5), dtype) if stored == "sparse" else X
    p = Parameters(widths, NAMES[: len(widths) - 2], dtype, 2)
    p.initialise("auto", None, "same", 1)
    orders, totals = np.stack([random.permutation(ROWS) for _ in range(2)]), np.zeros((2, 2))
    rule = Rule(ADAM, 0.9, beta2=0.99, epsilon=1e-8, l2=1e-3)
    epoch.train(
        p.layers, p.buffer, p.states, X, y, orders, batch_size, 0.01, totals, threads, rule, Loss(kind)
    )  # fmt: skip
    return p.buffer, p.states, totals


def predict(X):
    """Probabilities of a network that was not trained, (600, 5)."""
    p = Parameters((X.shape[1], *HIDDEN, CLASSES), NAMES, "float32")
    p.initialise("auto", None, "same", 1)
    return (epoch.predict(p.layers, p.buffer, X, np.empty((ROWS, CLASSES), "float32"), 2),)


def many_classes(dtype):
    """Probabilities of 20 samples for 5,000 classes, more than are added up in one accumulator, and their loss."""
    X = numbers(dtype)[:20]
    p = Parameters((PIXELS, 5000), (), dtype)
    p.initialise("auto", None, "same", 1)
    totals = np.zeros(2)
    epoch.evaluate(p.layers, p.buffer, X, np.arange(20) * 250, totals, 1)
    return epoch.predict(p.layers, p.buffer, X, np.empty((20, 5000), dtype), 1), totals


def predict_alone(X):
    """The same for the first 20 rows, one after the other."""
    p = Parameters((X.shape[1], *HIDDEN, CLASSES), NAMES, "float32")
    p.initialise("auto", None, "same", 1)
    return [
        epoch.predict(p.layers, p.buffer, X[row : row + 1], np.empty((1, CLASSES), "float32"), 1) for row in range(20)
    ]


def evaluate(X):
    """Summed loss and hits of a network that was not trained."""
    p = Parameters((X.shape[1], *HIDDEN, CLASSES), NAMES, "float32")
    p.initialise("auto", None, "same", 1)
    totals = np.zeros(2)
    epoch.evaluate(p.layers, p.buffer, X, images()[1], totals, 2)
    return (totals,)


def trainings():
    """Name -> function that returns the arrays of one training or prediction."""
    bytes_, dense = images()[0], numbers("float32")
    floats = (bytes_ / np.float32(255)).astype(np.float32)
    compressed, compressed_floats = compress(bytes_, "float32"), compress(floats, "float32")
    found = {
        "dense": lambda: train(dense),
        "sparse uint8": lambda: train(compressed),
        "sparse float32, 70,000 columns": lambda: train(scattered()),
        "Adam, dense": lambda: train(dense, ADAM_RULE),
        "Adam, sparse": lambda: train(compressed, ADAM_RULE),
        "momentum with a limit to the gradient, dense": lambda: train(dense, MOMENTUM_RULE),
        "dropout": lambda: train(dense, MOMENTUM_RULE, keep_prob=DROPPED),
        "augmentation": lambda: train(bytes_, distortion=SMALL_IMAGES),
        "Poisson deviance": lambda: train(dense, loss=Loss(POISSON)),
        "float64": lambda: train(numbers("float64")),
        "evaluate, dense": lambda: evaluate(dense),
        "evaluate, sparse": lambda: evaluate(compressed),
        "predict, dense": lambda: predict(dense),
        "predict, a row at a time": lambda: predict_alone(bytes_),
        "predict, skipping zeros": lambda: predict(bytes_),
        "predict, sparse": lambda: predict(compressed_floats),
        "5,000 classes": lambda: many_classes("float32"),
        "5,000 classes, float64": lambda: many_classes("float64"),
    }
    for size in (1, 500):
        found[f"batches of {size}, dense"] = lambda size=size: train(dense, batch_size=size)
        found[f"batches of {size}, sparse"] = lambda size=size: train(compressed, batch_size=size)
    found["two threads, dense"] = lambda: train(dense, batch_size=500, threads=2)
    found["two threads, sparse"] = lambda: train(compressed, batch_size=500, threads=2)
    found["small"] = lambda: train_small((4, 32, 16, 4), "float32", SQUARED)
    found["small, with more weights"] = lambda: train_small((9, 60, 40, 1), "float32", SQUARED)
    found["small, softmax"] = lambda: train_small((6, 33, 5), "float32", SOFTMAX)
    found["small, float64"] = lambda: train_small((6, 33, 40, 5), "float64", SQUARED)
    found["small, sparse"] = lambda: train_small((30, 33, 5), "float32", SOFTMAX, stored="sparse")
    found["small, two threads"] = lambda: train_small((4, 40, 40, 4), "float32", SQUARED, 500, 2)
    for name in ACTIVATIONS:
        found[name] = lambda name=name: train(dense, names=(name,) * len(HIDDEN), passes=1)
    return found


def digests(names=()):
    """Pairs of a name and the SHA-256 of its results, one after the other; every number has to be finite.

    names  of the trainings that are wanted; without any, all
    """
    found = trainings()
    for name in names or found:
        arrays = found[name]()
        assert all(np.isfinite(array).all() for array in arrays), name
        yield name, hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]


if __name__ == "__main__":
    print("register bytes", cpu.REGISTER_BYTES, file=sys.stderr)
    for name, digest in digests(sys.argv[1:]):
        print(f"{digest}  {name}", flush=True)
