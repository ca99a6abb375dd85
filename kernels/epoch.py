"""A whole epoch, and a whole pass without training, in one nogil call of a team of threads.

One step of training, seen by one thread:

    its rows of the batch, a block at a time      affine through the layers, cross_entropy, delta back
    -- meet: every delta is there --
    its rows of every weight matrix               update; the transposed copy for the next delta follows
    -- meet: the weights are new --

A block is small enough that its activations never leave the core's own cache. Every element is summed in the same
order by whichever thread owns it, so the team's size never changes a result.
"""

import numpy as np

from . import team
from .block import (
    INPUTS,
    affine_dense,
    affine_layer,
    affine_sparse,
    backward,
    judge,
    needs_regrouping,
    transpose,
    update_biases,
    update_dense,
    update_sparse,
    workspace,
)
from .gather import address
from .inputs import PIXELS, Sparse
from .jit import entry
from .layout import BLOCK_ROWS, FAN_IN, FAN_OUT, GRAIN, STRIDE, aligned_zeros
from .registers import UNIT, ZERO, load, pointer, shifted
from .softmax import softmax_row
from .sparse import clear, new_buckets, regroup
from .team import meet, share

# Multiply-adds in one step below which a second thread costs more than it brings.
STEP_WORTH_SHARING = 500_000
# The same for each further thread of a pass without training, which has to be started for it.
PASS_WORTH_SHARING = 5_000_000
# A thread counts its hits in a cache line of its own.
HITS_STRIDE = 8


def train(layers, parameters, velocity, X, y, order, batch_size, rate, momentum, l2, totals, threads):
    """Minibatch SGD over the rows of X named by `order`, once each, in that order; see the reference."""
    dtype = parameters.dtype
    is_sparse = isinstance(X, Sparse)
    multiply_adds = batch_size * int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    size = min(threads, -(-batch_size // GRAIN)) if multiply_adds >= STEP_WORTH_SHARING else 1
    buckets: tuple = new_buckets(X, layers, dtype, order, batch_size, size) if is_sparse else ()
    hits = np.zeros((size, HITS_STRIDE), np.int64)
    blocks = len(buckets[0]) if is_sparse else 0
    team.run(
        _train_sparse if is_sparse else _train_dense, size, _source(X, dtype), buckets, blocks, layers, parameters,
        velocity, y, order, batch_size, (float(rate), float(momentum), float(l2)),
        *workspace(layers, batch_size, dtype, not is_sparse), np.empty(batch_size, np.int64), np.empty(batch_size),
        hits, totals,
    )  # fmt: skip
    totals[1] += hits.sum()


def evaluate(layers, parameters, X, y, totals, threads):
    """Add the cross entropy of every row of X to totals[0] and the number of right answers to totals[1]."""
    n = X.shape[0]
    losses, size = np.empty(n), _evaluation_team(layers, n, threads)
    hits = np.zeros((size, HITS_STRIDE), np.int64)
    team.run(
        _evaluate_sparse if isinstance(X, Sparse) else _evaluate_dense, size, _source(X, parameters.dtype), layers,
        parameters, y, *_private_workspaces(layers, parameters.dtype, size, X), np.arange(n), losses, hits,
    )  # fmt: skip
    totals[0] += _sum_in_order(losses)
    totals[1] += hits.sum()


def predict(layers, parameters, X, out, threads):
    """Class probabilities of every row of X, into out (N, classes) with contiguous rows. Returns out."""
    n = X.shape[0]
    size = _evaluation_team(layers, n, threads)
    team.run(
        _predict_sparse if isinstance(X, Sparse) else _predict_dense, size, _source(X, parameters.dtype), layers,
        parameters, *_private_workspaces(layers, parameters.dtype, size, X), np.arange(n), out,
    )  # fmt: skip
    return out


def _source(X, dtype):
    """X as the first layer's kernels take it."""
    if isinstance(X, Sparse):
        return X.indptr, X.indices, X.values, PIXELS.astype(dtype)
    return *address(X), np.empty(0, X.dtype)


def _evaluation_team(layers, rows, threads):
    """Threads worth starting for a pass over `rows` rows without training."""
    multiply_adds = rows * int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    return max(1, min(threads, -(-rows // BLOCK_ROWS), multiply_adds // PASS_WORTH_SHARING))


def _private_workspaces(layers, dtype, size, X):
    """A workspace of BLOCK_ROWS rows for each thread, as rows of one (size, elements) array, and their common table."""
    work, places, _ = workspace(layers, BLOCK_ROWS, dtype, not isinstance(X, Sparse))
    return aligned_zeros(size * len(work), dtype).reshape(size, len(work)), places


def _train_share(affine_first, sparse):
    """Thread `me`'s part of `train`, for one kind of first layer."""

    def run(
        me, size, barrier, source, buckets, blocks, layers, parameters, velocity, y, order, batch_size, rule, work,
        places, one, labels, losses, hits, totals,
    ):  # fmt: skip
        turn = UNIT
        blocks_each = blocks // size
        for layer in range(1 + me, layers.shape[0], size):
            transpose(layers, layer, parameters, work, places, ZERO, layers[layer, FAN_IN])
        turn = meet(barrier, size, turn)
        for start in range(0, order.shape[0], batch_size):
            count = min(batch_size, order.shape[0] - start)
            first, last = share(count, me, size, GRAIN)
            block = me * blocks_each
            for at in range(first, last, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, last - at)
                if sparse:  # noqa: SIM102 - numba drops a branch on a constant alone, and then nothing in it needs a type
                    if needs_regrouping(count, rule):
                        regroup(block, source, order, start, at, rows, buckets)
                        block += 1
                for i in range(at, at + rows):
                    labels[i] = y[order[start + i]]
                affine_first(source, layers, parameters, order, start + at, rows, work, places, at)
                for layer in range(1, layers.shape[0]):
                    affine_layer(layer, layers, parameters, rows, work, places, at)
                hits[me, 0] += judge(layers, labels, rows, work, places, at, losses, at)
                backward(layers, rows, work, places, at)
            turn = meet(barrier, size, turn)
            if sparse:
                row = order[start]
                update_sparse(me, source, buckets, row, layers, parameters, velocity, count, rule, work, places)
            for layer in range(1 if sparse else 0, layers.shape[0]):
                update_dense(me, size, layers, layer, parameters, velocity, count, rule, work, places)
            for layer in range(me, layers.shape[0], size):
                update_biases(layers, layer, parameters, velocity, count, rule, work, places, one)
            if me == 0:
                for i in range(count):
                    totals[0] += losses[i]
            turn = meet(barrier, size, turn)
            if sparse:
                for used in range(me * blocks_each, block):
                    clear(used, buckets)

    return run


def _evaluate_share(affine_first):
    """Thread `me`'s part of `evaluate`, for one kind of first layer."""

    def run(me, size, barrier, source, layers, parameters, y, work, places, rows, losses, hits):
        first, last = share(rows.shape[0], me, size, BLOCK_ROWS)
        for at in range(first, last, BLOCK_ROWS):
            count = min(BLOCK_ROWS, last - at)
            affine_first(source, layers, parameters, rows, at, count, work[me], places, ZERO)
            for layer in range(1, layers.shape[0]):
                affine_layer(layer, layers, parameters, count, work[me], places, ZERO)
            hits[me, 0] += judge(layers, y[at : at + count], count, work[me], places, ZERO, losses, at)

    return run


def _predict_share(affine_first):
    """Thread `me`'s part of `predict`, for one kind of first layer."""

    def run(me, size, barrier, source, layers, parameters, work, places, rows, out):
        last_layer = layers.shape[0]
        classes, columns = layers[last_layer - 1, FAN_OUT], layers[last_layer - 1, STRIDE]
        first, last = share(rows.shape[0], me, size, BLOCK_ROWS)
        for at in range(first, last, BLOCK_ROWS):
            count = min(BLOCK_ROWS, last - at)
            affine_first(source, layers, parameters, rows, at, count, work[me], places, ZERO)
            for layer in range(1, layers.shape[0]):
                affine_layer(layer, layers, parameters, count, work[me], places, ZERO)
            logits = shifted(pointer(work[me]), places[last_layer, INPUTS])
            for i in range(count):
                z = shifted(logits, i * columns)
                softmax_row(z, classes, columns, z)
                for c in range(classes):
                    out[at + i, c] = load(z, c)

    return run


def _sum(values):
    """Their sum, one after the other: numpy's own order of summation may differ between CPUs."""
    total = 0.0
    for value in values:
        total += value
    return total


_train_dense = entry("train_dense", _train_share(affine_dense, False))
_train_sparse = entry("train_sparse", _train_share(affine_sparse, True))
_evaluate_dense = entry("evaluate_dense", _evaluate_share(affine_dense))
_evaluate_sparse = entry("evaluate_sparse", _evaluate_share(affine_sparse))
_predict_dense = entry("predict_dense", _predict_share(affine_dense))
_predict_sparse = entry("predict_sparse", _predict_share(affine_sparse))
_sum_in_order = entry("sum_in_order", _sum)
