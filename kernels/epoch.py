"""A whole epoch, and a whole pass without training, in one nogil call of a team of threads.

One step of training, seen by one thread:

    its rows of the batch, a block at a time      gather, affine through the layers, cross_entropy, delta back
    -- meet: every delta is there --
    its rows of every weight matrix               update; the transposed copy for the next delta follows
    -- meet: the weights are new --

A block is small enough that its activations never leave the core's own cache. Every element is summed in the same
order by whichever thread owns it, so the team's size never changes a result.
"""

import numpy as np

from . import team
from .dense import DELTA, affine_block, delta_block, update_block
from .gather import address, gather, pointer_to
from .jit import entry, inlined, jit
from .layout import ACTIVATION, BIASES, FAN_IN, FAN_OUT, LINE, STRIDE, WEIGHTS, aligned_zeros, padded
from .registers import UNIT, ZERO, load, pointer, shifted
from .softmax import cross_entropy_block, softmax_row
from .team import meet, share

# Rows whose activations a thread works on at a time: 64 rows of 784 inputs are 200 KB, a part of any second cache.
BLOCK_ROWS = 64
# Rows and columns of weights that one thread updates at a time; a multiple of the tile's rows.
GRAIN = 4
# Multiply-adds in one step below which a second thread costs more than it brings.
STEP_WORTH_SHARING = 500_000
# The same for each further thread of a pass without training, which has to be started for it.
PASS_WORTH_SHARING = 5_000_000
# A thread counts its hits in a cache line of its own.
HITS_STRIDE = 8

# Columns of a workspace's table: offsets of a layer's inputs, delta and transposed weights, and their strides.
INPUTS, INPUTS_STRIDE, DELTAS, TRANSPOSED, TRANSPOSED_STRIDE = range(5)


def workspace(layers, rows, dtype):
    """Room for what a pass over `rows` rows computes: a flat aligned buffer and the (layers + 1, 5) int64 table of it.

    Row l of the table places the inputs (rows, INPUTS_STRIDE) of layer l, its delta, and its transposed weights
    (fan_out, TRANSPOSED_STRIDE); the inputs of the row after the last layer are the logits. The buffer starts with
    zeros for as long as the widest row, then a one.
    """
    widest = max(int(layers[:, STRIDE].max()), padded(int(layers[0, FAN_IN]), dtype))
    line = LINE // np.dtype(dtype).itemsize
    places = np.zeros((len(layers) + 1, 5), np.int64)
    end = widest + line
    for place, width in zip(places, [int(layers[0, FAN_IN]), *layers[:, STRIDE].tolist()], strict=True):
        place[INPUTS_STRIDE] = place[TRANSPOSED_STRIDE] = padded(width, dtype)
        place[INPUTS] = end
        end += rows * place[INPUTS_STRIDE]
    for place, layer in zip(places, layers, strict=False):
        place[DELTAS] = end
        end += rows * layer[STRIDE]
        place[TRANSPOSED] = end
        end += layer[FAN_OUT] * place[TRANSPOSED_STRIDE]
    buffer = aligned_zeros(end, dtype)
    buffer[widest] = 1
    return buffer, places, widest


def train(layers, parameters, velocity, X, y, order, batch_size, rate, momentum, l2, totals, threads):
    """Minibatch SGD over the rows of X named by `order`, once each, in that order; see the reference."""
    dtype = parameters.dtype
    work, places, one = workspace(layers, batch_size, dtype)
    rule = (float(rate), float(momentum), float(l2))
    multiply_adds = batch_size * int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    size = min(threads, -(-batch_size // GRAIN)) if multiply_adds >= STEP_WORTH_SHARING else 1
    hits = np.zeros((size, HITS_STRIDE), np.int64)
    team.run(
        _train_share, size, layers, parameters, velocity, *address(X), np.empty(0, X.dtype), y, order, batch_size,
        rule, work, places, one, np.empty(batch_size, np.int64), np.empty(batch_size), hits, totals,
    )  # fmt: skip
    totals[1] += hits.sum()


@entry
def _train_share(
    me, size, barrier, layers, parameters, velocity, X, x_row, sample, y, order, batch_size, rule, work, places, one,
    labels, losses, hits, totals,
):  # fmt: skip
    """Thread `me`'s part of `train`."""
    turn = UNIT
    inputs = pointer_to(X, sample)
    for layer in range(1 + me, layers.shape[0], size):
        _transpose(layers, layer, parameters, work, places, ZERO, layers[layer, FAN_IN])
    turn = meet(barrier, size, turn)
    for start in range(0, order.shape[0], batch_size):
        count = min(batch_size, order.shape[0] - start)
        first, last = share(count, me, size, GRAIN)
        for at in range(first, last, BLOCK_ROWS):
            rows = min(BLOCK_ROWS, last - at)
            for i in range(at, at + rows):
                labels[i] = y[order[start + i]]
            _forward(layers, parameters, inputs, x_row, order, start + at, rows, work, places, at)
            hits[me, 0] += _judge(layers, labels, rows, work, places, at, losses, at)
            _backward(layers, rows, work, places, at)
        turn = meet(barrier, size, turn)
        for layer in range(layers.shape[0]):
            first, last = share(layers[layer, FAN_IN], me, size, GRAIN)
            _update_weights(layers, layer, parameters, velocity, count, first, last, rule, work, places)
            if layer % size == me:
                _update_biases(layers, layer, parameters, velocity, count, rule, work, places, one)
            if layer > 0:
                _transpose(layers, layer, parameters, work, places, first, last)
        if me == 0:
            for i in range(count):
                totals[0] += losses[i]
        turn = meet(barrier, size, turn)


def evaluate(layers, parameters, X, y, totals, threads):
    """Add the cross entropy of every row of X to totals[0] and the number of right answers to totals[1]."""
    losses, size = np.empty(len(X)), _evaluation_team(layers, len(X), threads)
    hits = np.zeros((size, HITS_STRIDE), np.int64)
    work, places = _private_workspaces(layers, parameters.dtype, size)
    team.run(
        _evaluate_share, size, layers, parameters, *address(X), np.empty(0, X.dtype), len(X), y, work, places,
        np.arange(BLOCK_ROWS), losses, hits,
    )  # fmt: skip
    totals[0] += _sum_in_order(losses)
    totals[1] += hits.sum()


def predict(layers, parameters, X, out, threads):
    """Class probabilities of every row of X, into out (N, classes) with contiguous rows. Returns out."""
    size = _evaluation_team(layers, len(X), threads)
    work, places = _private_workspaces(layers, parameters.dtype, size)
    team.run(
        _predict_share, size, layers, parameters, *address(X), np.empty(0, X.dtype), len(X), work, places,
        np.arange(BLOCK_ROWS), out,
    )  # fmt: skip
    return out


def _evaluation_team(layers, rows, threads):
    """Threads worth starting for a pass over `rows` rows without training."""
    multiply_adds = rows * int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    return max(1, min(threads, -(-rows // BLOCK_ROWS), multiply_adds // PASS_WORTH_SHARING))


def _private_workspaces(layers, dtype, size):
    """A workspace of BLOCK_ROWS rows for each thread, as rows of one (size, elements) array, and their common table."""
    work, places, _ = workspace(layers, BLOCK_ROWS, dtype)
    return aligned_zeros(size * len(work), dtype).reshape(size, len(work)), places


@entry
def _evaluate_share(me, size, barrier, layers, parameters, X, x_row, sample, n, y, work, places, block, losses, hits):
    """Thread `me`'s part of `evaluate`."""
    inputs = pointer_to(X, sample)
    first, last = share(n, me, size, BLOCK_ROWS)
    for at in range(first, last, BLOCK_ROWS):
        rows = min(BLOCK_ROWS, last - at)
        _forward(layers, parameters, shifted(inputs, at * x_row), x_row, block, ZERO, rows, work[me], places, ZERO)
        hits[me, 0] += _judge(layers, y[at : at + rows], rows, work[me], places, ZERO, losses, at)


@entry
def _predict_share(me, size, barrier, layers, parameters, X, x_row, sample, n, work, places, block, out):
    """Thread `me`'s part of `predict`."""
    inputs = pointer_to(X, sample)
    last_layer = layers.shape[0]
    classes, columns = layers[last_layer - 1, FAN_OUT], layers[last_layer - 1, STRIDE]
    first, last = share(n, me, size, BLOCK_ROWS)
    for at in range(first, last, BLOCK_ROWS):
        rows = min(BLOCK_ROWS, last - at)
        _forward(layers, parameters, shifted(inputs, at * x_row), x_row, block, ZERO, rows, work[me], places, ZERO)
        logits = shifted(pointer(work[me]), places[last_layer, INPUTS])
        for i in range(rows):
            z = shifted(logits, i * columns)
            softmax_row(z, classes, columns, z)
            for c in range(classes):
                out[at + i, c] = load(z, c)


@entry
def _sum_in_order(values):
    """Their sum, one after the other: numpy's own order of summation may differ between CPUs."""
    total = 0.0
    for value in values:
        total += value
    return total


@inlined
def _inputs(work, places, layer, at):
    """Pointer to row `at` of the inputs of `layer`, and their stride."""
    stride = places[layer, INPUTS_STRIDE]
    return shifted(pointer(work), places[layer, INPUTS] + at * stride), stride


@inlined
def _delta(layers, work, places, layer, at):
    """Pointer to row `at` of the delta of `layer`, and its stride."""
    stride = layers[layer, STRIDE]
    return shifted(pointer(work), places[layer, DELTAS] + at * stride), stride


@inlined
def _forward(layers, parameters, X, x_row, rows, first, count, work, places, at):
    """Rows rows[first : first + count] of X through all layers; the block's activations start at row `at` of `work`."""
    weights = pointer(parameters)
    A, a_row = _inputs(work, places, ZERO, at)
    gather(X, x_row, rows, first, count, layers[0, FAN_IN], A, a_row)
    for layer in range(layers.shape[0]):
        A, a_row = _inputs(work, places, layer, at)
        out, out_row = _inputs(work, places, layer + 1, at)
        W, b = shifted(weights, layers[layer, WEIGHTS]), shifted(weights, layers[layer, BIASES])
        stride = layers[layer, STRIDE]
        affine_block(
            count, stride, A, a_row, UNIT, W, stride, layers[layer, FAN_IN], b, layers[layer, ACTIVATION], out, out_row
        )


@inlined
def _judge(layers, labels, rows, work, places, at, losses, loss_at):
    """Cross entropy of the logits from row `at` on: the last delta, and losses from `loss_at` on. Returns the hits."""
    last = layers.shape[0] - 1
    Z, z_row = _inputs(work, places, last + 1, at)
    D, d_row = _delta(layers, work, places, last, at)
    classes = layers[last, FAN_OUT]
    return cross_entropy_block(rows, classes, layers[last, STRIDE], Z, z_row, labels, at, D, d_row, losses, loss_at)


@inlined
def _backward(layers, rows, work, places, at):
    """The deltas of every layer but the last, for a block of rows."""
    zeros = pointer(work)
    for layer in range(layers.shape[0] - 1, 0, -1):
        D, d_row = _delta(layers, work, places, layer, at)
        out, out_row = _delta(layers, work, places, layer - 1, at)
        A, a_row = _inputs(work, places, layer, at)
        W, w_row = shifted(zeros, places[layer, TRANSPOSED]), places[layer, TRANSPOSED_STRIDE]
        epilogue = DELTA[layers[layer - 1, ACTIVATION]]
        delta_block(
            rows, w_row, D, d_row, UNIT, W, w_row, layers[layer, FAN_OUT], zeros, A, a_row, epilogue, out, out_row
        )


@inlined
def _update_weights(layers, layer, parameters, velocity, count, first, last, rule, work, places):
    """The optimiser's step for rows first to last of a weight matrix, from the whole batch of `count` samples."""
    A, a_row = _inputs(work, places, layer, ZERO)
    D, d_row = _delta(layers, work, places, layer, ZERO)
    stride = layers[layer, STRIDE]
    at = layers[layer, WEIGHTS] + first * stride
    W, V = shifted(pointer(parameters), at), shifted(pointer(velocity), at)
    zeros = pointer(work)
    update_block(last - first, stride, shifted(A, first), UNIT, a_row, D, d_row, count, zeros, W, V, stride, rule)


@inlined
def _update_biases(layers, layer, parameters, velocity, count, rule, work, places, one):
    """The same for a bias, whose input is a one in every sample."""
    D, d_row = _delta(layers, work, places, layer, ZERO)
    at = layers[layer, BIASES]
    b, V = shifted(pointer(parameters), at), shifted(pointer(velocity), at)
    zeros = pointer(work)
    rule = (rule[0], rule[1], 0.0)
    update_block(UNIT, layers[layer, STRIDE], shifted(zeros, one), ZERO, ZERO, D, d_row, count, zeros, b, V, ZERO, rule)


@jit
def _transpose(layers, layer, parameters, work, places, first, last):
    """Renew the columns first to last of the transposed copy of a weight matrix."""
    stride, fan_out = layers[layer, STRIDE], layers[layer, FAN_OUT]
    W, T = layers[layer, WEIGHTS], places[layer, TRANSPOSED]
    for i in range(first, last):
        for j in range(fan_out):
            work[T + j * places[layer, TRANSPOSED_STRIDE] + i] = parameters[W + i * stride + j]
