"""Softmax and cross entropy in one pass over the logits: loss, hits and delta."""

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from .activations import exp_row
from .jit import jit
from .registers import load, pointer, row_stride, shifted, store

# Terms of the series for atanh in `log`: the first left out is 2 * 0.1716^25 / 25, below 1e-20.
SERIES_TERMS = 12
# Terms of a sum over classes that are added up one by one, in the type of the logits. More of them are added up so many
# at a time, and what these come to in float64.
SUM_TERMS = np.int64(1024)
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


@intrinsic
def _rounded(typing, start, value):
    """`value`, a float64, in the type that the pointer `start` points to."""

    def codegen(context, builder, signature, arguments):
        return context.cast(builder, arguments[1], types.float64, signature.args[0].dtype)

    return start.dtype(start, types.float64), codegen


@jit
def sum_classes(values, count):
    """The sum of `count` values from a pointer on, as float64.

    For up to `SUM_TERMS` it is that of one accumulator in the values' own type, unit roundoff u. Of values from 0 its
    relative error is at most (SUM_TERMS - 1) u, however many there are (N. J. Higham, Accuracy and stability of
    numerical algorithms, 2002, section 4.2, for each block; float64 adds less than one u up to 10^11 float32).
    """
    total = 0.0
    for start in range(0, count, SUM_TERMS):
        # One by one: a sum by lanes would depend on how many there are.
        part = load(values, start)
        for c in range(start + 1, min(start + SUM_TERMS, count)):
            part += load(values, c)
        total += np.float64(part)
    return total


@jit
def softmax_row(z, classes, columns, out):
    """out = exp(z - max z), then divided by its sum; returns (max z, sum as float64, position of the first maximum).

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
    total = sum_classes(out, classes)
    divisor = _rounded(out, total)
    for c in range(columns):
        store(out, c, load(out, c) / divisor)
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
        losses[loss_at + i] = log(total) - (np.float64(load(z, label)) - np.float64(top))
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
