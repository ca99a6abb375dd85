"""What training makes small: the loss of each sample from the network's outputs, and its derivative, the last delta.

    SOFTMAX   softmax and cross entropy of integer labels, which may be smoothed (Szegedy et al. 2016, section 7)
    LOGISTIC  a sigmoid and binary cross entropy for each column, summed over the columns: several labels per sample
    SQUARED   half the squared error, summed over the columns: regression
    POISSON   half the Poisson deviance of means exp(z), summed over the columns: counts and other numbers from 0

A sample's weight multiplies its loss and its delta.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .activations import exp_anywhere_row, exp_float64, exp_row, sigmoid_row
from .gather import gather_dense
from .jit import inlined, jit
from .registers import INDEX, Vector, as_index, lanes_of, load, shifted, store
from .softmax import log, room_for_found, softmax_block, softmax_rows
from .task_types import LOGISTIC, POISSON, SOFTMAX

# A target below this has no inverse, and a part in the loss that is as small.
SMALLEST = 1e-300


@jit
def output_block(kind, rows, columns, padded, Z, z_row):
    """From the last layer's numbers to the network's outputs, in place: probabilities, means, or the numbers."""
    if kind == SOFTMAX:
        softmax_block(rows, columns, padded, Z, z_row, Z, z_row)
    elif kind == LOGISTIC:
        for i in range(rows):
            z = shifted(Z, i * z_row)
            sigmoid_row(z, z, padded)
    elif kind == POISSON:
        for i in range(rows):
            z = shifted(Z, i * z_row)
            exp_anywhere_row(z, z, padded)


@jit
def _softmax_deltas(order, first, rows, columns, padded, Z, z_row, y, smoothing, D, d_row, losses, at):
    """Losses of some rows and their deltas, p - (1 - smoothing) onehot - smoothing / columns; how many are right."""
    hits, lanes, found = 0, lanes_of(Z), room_for_found(Z)
    for start in range(0, rows, lanes):
        count = min(lanes, rows - start)
        group = shifted(D, start * d_row)
        softmax_rows(count, columns, padded, shifted(Z, start * z_row), z_row, group, d_row, found)
        for i in range(count):
            label, z, delta = y[order[first + start + i]], shifted(Z, (start + i) * z_row), shifted(group, i * d_row)
            log_total = load(found, lanes + i) + load(found, i)
            loss = log_total - np.float64(load(z, label))
            if smoothing > 0:
                mean = 0.0
                for c in range(columns):
                    mean += np.float64(load(z, c))
                    store(delta, c, load(delta, c) - smoothing / columns)
                loss = (1 - smoothing) * loss + smoothing * (log_total - mean / columns)
            store(delta, label, load(delta, label) - (1 - smoothing))
            losses[at + start + i] = loss
            hits += load(found, 2 * lanes + i) == label
    return hits


@jit
def _sigmoid_delta(z, columns, padded, targets, row, delta):
    """(loss, whether all columns are on the right side of 1/2), and the delta sigmoid(z) - target."""
    # log(1 + exp z) = max(z, 0) + log(1 + exp -|z|)
    for c in range(padded):
        store(delta, c, -abs(load(z, c)))
    exp_row(delta, delta, padded)
    loss, right = 0.0, True
    for c in range(columns):
        x, target = np.float64(load(z, c)), np.float64(targets[row, c])
        loss += log(1 + np.float64(load(delta, c))) + max(x, 0.0) - x * target
        right &= (x > 0) == (target > 0.5)
    sigmoid_row(z, delta, padded)
    for c in range(columns):
        store(delta, c, load(delta, c) - targets[row, c])
    return loss, right


@jit
def _squared_delta(z, columns, targets, row, delta):
    """The loss, and the delta z - target."""
    loss = 0.0
    for c in range(columns):
        error = load(z, c) - targets[row, c]
        loss += 0.5 * np.float64(error) * np.float64(error)
        store(delta, c, error)
    return loss


@jit
def _y_log_y(y):
    """y ln y for y >= 0; 0 where y is 0, or next to it."""
    if y >= 1:
        return y * log(y)
    return -y * log(1 / y) if y > SMALLEST else 0.0


@jit
def _poisson_delta(z, columns, padded, targets, row, delta):
    """The loss exp(z) - y z + y ln y - y, and the delta exp(z) - y."""
    loss = 0.0
    for c in range(columns):
        x, y = np.float64(load(z, c)), np.float64(targets[row, c])
        # In float64, where terms of the size of y leave the deviance of predictions that are nearly right.
        loss += exp_float64(x) - y * x + (_y_log_y(y) - y)
    exp_anywhere_row(z, delta, padded)
    for c in range(columns):
        store(delta, c, load(delta, c) - targets[row, c])
    return loss


@jit
def loss_block(loss, order, first, rows, columns, padded, Z, z_row, y, targets, D, d_row, losses, at):
    """Losses and deltas of the samples order[first : first + rows]; returns how many are right.

    loss     `task_types.Loss`;  Z, D pointers to rows of `padded` elements, of which `columns` count
    y        (N,) labels for SOFTMAX;  targets (N, columns) for the others, in the type of Z
    losses   (rows,) from place `at` on, float64
    """
    hits = 0
    if loss.kind == SOFTMAX:
        hits += _softmax_deltas(
            order, first, rows, columns, padded, Z, z_row, y, loss.smoothing, D, d_row, losses, at
        )  # fmt: skip
    else:
        for i in range(rows):
            sample = order[first + i]
            z, delta = shifted(Z, i * z_row), shifted(D, i * d_row)
            right = False
            if loss.kind == LOGISTIC:
                amount, right = _sigmoid_delta(z, columns, padded, targets, sample, delta)
            elif loss.kind == POISSON:
                amount = _poisson_delta(z, columns, padded, targets, sample, delta)
            else:
                amount = _squared_delta(z, columns, targets, sample, delta)
            for c in range(columns, padded):
                store(delta, c, 0)
            losses[at + i] = amount
            hits += right
    if loss.weights.shape[0] > 0:
        for i in range(rows):
            weight, delta = loss.weights[order[first + i]], shifted(D, i * d_row)
            losses[at + i] *= weight
            for c in range(columns):
                store(delta, c, load(delta, c) * weight)
    return hits


@intrinsic
def _squared_register(typing, Z, D, row, columns, at, losses):
    """Squared errors of the samples in the lanes of one register: see `squared_columns`."""

    def codegen(context, builder, signature, arguments):
        Z, D, row, columns, at, losses = as_index(context, builder, signature, arguments)
        v = Vector(builder, context.get_value_type(signature.args[0].dtype))
        double = Vector(builder, ir.DoubleType(), v.lanes)
        total = cgutils.alloca_once_value(builder, double.constant(0.0))
        with cgutils.for_range_slice(builder, INDEX(0), columns, INDEX(1), intp=INDEX) as (c, _):
            place = builder.add(builder.mul(c, row), at)
            error = builder.fsub(v.load(Z, place), v.load(D, place))
            v.store(error, D, place)
            wide = builder.fpext(error, double.type) if v.bits == 32 else error
            half = builder.fmul(builder.fmul(double.constant(0.5), wide), wide)
            builder.store(builder.fadd(builder.load(total), half), total)
        double.store(builder.load(total), losses, at)
        return context.get_dummy_value()

    return types.void(Z, D, row, columns, at, losses), codegen


@inlined
def squared_columns(order, first, rows, wide, columns, Z, D, row, targets, target_row, losses):
    """Half the squared errors of samples that stand in columns, and their delta.

    All arrays are pointers: order; Z and D to (columns, samples), with rows `row` elements apart; targets (N, columns),
    with rows `target_row` elements apart; losses, float64.

    wide    `rows` rounded up to whole registers: so many losses are written
    """
    gather_dense((targets, target_row), order, first, rows, columns, D, row)
    for at in range(0, wide, lanes_of(Z)):
        _squared_register(Z, D, row, columns, at, losses)


@jit
def total_weight(weights, order, first, count):
    """Sum of the weights of the samples order[first : first + count], one after the other; their number without any."""
    if weights.shape[0] == 0:
        return float(count)
    total = 0.0
    for i in range(first, first + count):
        total += weights[order[i]]
    return total
