"""Softmax and cross entropy in one pass over the logits: loss, hits and delta."""

import numpy as np

from .activations import exp_row
from .jit import jit
from .registers import load, pointer, row_stride, shifted, store

# Terms of the series for atanh in `log`: the first left out is 2 * 0.1716^25 / 25, below 1e-20.
SERIES_TERMS = 12
SQRT_2 = 1.4142135623730951
LOG_2 = 0.6931471805599453


@jit
def log(x):
    """ln x of a float64 x >= 1, with no call of the C library, whose last bit differs between CPUs.

    x = 2^e m with m in [1/sqrt 2, sqrt 2];  ln m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1).
    """
    e = 0
    while x > SQRT_2:
        x *= 0.5
        e += 1
    s = (x - 1) / (x + 1)
    square = s * s
    series = 0.0
    for n in range(SERIES_TERMS, 0, -1):
        series = series * square + 1.0 / (2 * n - 1)
    return e * LOG_2 + 2 * s * series


@jit
def softmax_row(z, classes, columns, out):
    """out = exp(z - max z), then divided by its sum; returns (max z, that sum, position of the first maximum).

    z, out   pointers to `columns` elements, of which the first `classes` count and the rest become 0
    """
    top, best = load(z, 0), 0
    for c in range(1, classes):
        if load(z, c) > top:
            top, best = load(z, c), c
    for c in range(columns):
        store(out, c, load(z, c) - top)
    for c in range(classes, columns):
        store(out, c, 0)
    exp_row(out, out, columns)
    for c in range(classes, columns):
        store(out, c, 0)
    # One by one: a sum by lanes would depend on how many there are.
    total = load(out, 0)
    for c in range(1, classes):
        total += load(out, c)
    for c in range(columns):
        store(out, c, load(out, c) / total)
    return top, total, best


@jit
def cross_entropy_block(rows, classes, columns, Z, z_row, labels, label_at, out, out_row, losses, loss_at):
    """`cross_entropy` on pointers Z and out; labels and losses are arrays, read and written from the given places."""
    hits = 0
    for i in range(rows):
        z, delta = shifted(Z, i * z_row), shifted(out, i * out_row)
        top, total, best = softmax_row(z, classes, columns, delta)
        label = labels[label_at + i]
        # In float64, where the difference of two finite float32 is finite.
        losses[loss_at + i] = log(np.float64(total)) - (np.float64(load(z, label)) - np.float64(top))
        store(delta, label, load(delta, label) - 1)
        hits += best == label
    return hits


@jit
def cross_entropy(Z, labels, out, losses):
    """Softmax and cross entropy of the logits Z (rows, classes) with integer labels (rows,), in one pass.

    out (rows, classes) gets the delta, softmax(Z) - onehot(labels); losses (rows,) float64 gets each row's
    log sum exp(z) - z[label]. Returns the number of rows whose first largest logit is the label's.
    """
    rows, classes = Z.shape
    return cross_entropy_block(
        rows, classes, classes, pointer(Z), row_stride(Z), labels, 0, pointer(out), row_stride(out), losses, 0
    )


@jit
def softmax(Z, out):
    """Row-wise probabilities of the logits Z (rows, classes). Returns out."""
    classes = Z.shape[1]
    for i in range(Z.shape[0]):
        softmax_row(
            shifted(pointer(Z), i * row_stride(Z)), classes, classes, shifted(pointer(out), i * row_stride(out))
        )
    return out
