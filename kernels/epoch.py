"""A whole epoch, and a whole pass without training, in one nogil call of a team of threads.

One step of training, seen by one thread:

    its rows of the batch, a block at a time      affine through the layers, cross_entropy, delta back
    -- meet: every delta is there --
    its part of every weight matrix               update; the transposed copy for the next delta follows
    -- meet: the weights are new --

A block is small enough that its activations never leave the core's own cache. Every element is summed in the same
order by whichever thread owns it, so the team's size never changes a result.
"""

import threading

import numpy as np

from . import team
from .block import (
    add_losses,
    affine_columns,
    affine_dense,
    affine_layer,
    affine_sparse,
    judge,
    moves_one_row,
    probabilities_of,
    take_labels,
    through_upper_layers,
    transpose,
    update_biases,
    update_dense,
    update_sparse,
    workspace,
)
from .compress import compress_block, entry_rooms, measure_density
from .gather import address
from .inputs import PIXELS, Sparse
from .jit import entry, inlined
from .layout import BLOCK_ROWS, FAN_IN, FAN_OUT, GRAIN, STRIDE, aligned_zeros
from .registers import UNIT, ZERO, lanes_of, pointer
from .sparse import clear, new_buckets, prefetch_row, regroup
from .team import meet, share

# Multiply-adds in one step below which a second thread costs more than it brings.
STEP_WORTH_SHARING = 500_000
# Batches up to this size give threads columns of the first layer instead of rows, where it is sparse.
COLUMNS_BATCH = 48
# The same for each further thread of a pass without training, which has to be started for it.
PASS_WORTH_SHARING = 5_000_000
# Share of entries that are not zero below which dense rows are compressed on the way to being classified.
SKIP_DENSITY = 0.3
# A thread counts its hits in a cache line of its own.
HITS_STRIDE = 8


def train(layers, parameters, velocity, X, y, order, batch_size, rate, momentum, l2, totals, threads):
    """Minibatch SGD over the rows of X named by `order`, once each, in that order; see the reference."""
    dtype = parameters.dtype
    is_sparse = isinstance(X, Sparse)
    size = _training_team(layers, batch_size, threads)
    hits = np.zeros((size, HITS_STRIDE), np.int64)
    shared = (
        layers, parameters, velocity, y, order, batch_size, (float(rate), float(momentum), float(l2)),
        *workspace(layers, batch_size, dtype, not is_sparse), np.empty(batch_size, np.int64), np.empty(batch_size),
        hits, totals,
    )  # fmt: skip
    if is_sparse:
        by_columns = size > 1 and batch_size <= COLUMNS_BATCH
        rows = batch_size if by_columns else -(-batch_size // size) + GRAIN
        buckets = new_buckets(X, layers, dtype, -(-rows // BLOCK_ROWS), size)
        team.run(_train_sparse, size, _source(X, dtype), buckets, by_columns, *shared)
    else:
        team.run(_train_dense, size, _source(X, dtype), *shared)
    totals[1] += hits.sum()


def _training_team(layers, batch_size, threads):
    """Threads worth having for steps of this size."""
    multiply_adds = batch_size * int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    return min(threads, -(-batch_size // GRAIN)) if multiply_adds >= STEP_WORTH_SHARING else 1


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
    n, dtype = X.shape[0], parameters.dtype
    size = _evaluation_team(layers, n, threads)
    rest = (layers, parameters, *_private_workspaces(layers, dtype, size, X), np.arange(n), out)
    if isinstance(X, Sparse):
        team.run(_predict_sparse, size, _source(X, dtype), *rest)
    elif n >= BLOCK_ROWS and measure_density(X[:: n // BLOCK_ROWS]) < SKIP_DENSITY:
        team.run(_predict_skipping, size, _source(X, dtype), entry_rooms(X, dtype, size), *rest)
    else:
        team.run(_predict_dense, size, _source(X, dtype), *rest)
    return out


def _source(X, dtype):
    """X as the first layer's kernels take it."""
    if isinstance(X, Sparse):
        return X.indptr, X.indices, X.values, PIXELS.astype(dtype)
    return *address(X), np.empty(0, X.dtype)


def _evaluation_team(layers, rows, threads):
    """Threads worth starting for a pass over `rows` rows without training."""
    blocks = -(-rows // BLOCK_ROWS)
    if blocks == 1:
        return 1
    multiply_adds = rows * int((layers[:, FAN_IN] * layers[:, FAN_OUT]).sum())
    return max(1, min(threads, blocks, multiply_adds // PASS_WORTH_SHARING))


def _private_workspaces(layers, dtype, size, X):
    """A workspace of BLOCK_ROWS rows for each thread, as rows of one (size, elements) array, and their common table.

    The calling thread keeps the last one: who classifies row by row would spend more on the room than on the work.
    """
    key = (id(layers), dtype, size, isinstance(X, Sparse))
    kept = getattr(_kept, "workspaces", None)
    if kept is None or kept[0] != key:
        work, places, _ = workspace(layers, BLOCK_ROWS, dtype, not isinstance(X, Sparse))
        room = aligned_zeros(size * len(work), dtype).reshape(size, len(work))
        kept = _kept.workspaces = key, (room, places), layers  # layers stays alive, so that its id stays its own
    return kept[1]


_kept = threading.local()


def _train_dense_share(
    me, size, barrier, source, layers, parameters, velocity, y, order, batch_size, rule, work, places, one, labels,
    losses, hits, totals,
):  # fmt: skip
    """Thread `me`'s part of `train` on dense inputs: its rows of the batch, then its rows of every weight matrix."""
    turn = _begin(me, size, barrier, layers, parameters, work, places)
    for start in range(0, order.shape[0], batch_size):
        count = min(batch_size, order.shape[0] - start)
        first, last = share(count, me, size, GRAIN)
        for at in range(first, last, BLOCK_ROWS):
            rows = min(BLOCK_ROWS, last - at)
            take_labels(y, order, start, at, rows, labels)
            affine_dense(source, layers, parameters, order, start + at, rows, work, places, at)
            hits[me, 0] += through_upper_layers(layers, parameters, labels, rows, work, places, at, losses)
        turn = meet(barrier, size, turn)
        for layer in range(layers.shape[0]):
            update_dense(me, size, layers, layer, parameters, velocity, count, rule, work, places)
        for layer in range(me, layers.shape[0], size):
            update_biases(
                layers, layer, parameters, velocity, count, ZERO, layers[layer, STRIDE], rule, work, places, one
            )
        if me == 0:
            add_losses(losses, count, totals)
        turn = meet(barrier, size, turn)


def _train_sparse_share(
    me, size, barrier, source, buckets, by_columns, layers, parameters, velocity, y, order, batch_size, rule, work,
    places, one, labels, losses, hits, totals,
):  # fmt: skip
    """Thread `me`'s part of `train` on compressed rows.

    In a large batch a thread owns rows of the first layer's weights, and all threads wait until these are new. In a
    small batch it owns columns, of the outputs too: then the weights stay in its cache, activations and deltas alone
    move between the cores, and the wait comes after the next batch's first layer. It regroups the whole batch for
    itself, which costs less than to read what another core has written.
    """
    turn = _begin(me, size, barrier, layers, parameters, work, places)
    own_blocks = buckets[0].shape[0] // size
    block_zero = me * own_blocks
    left, right, low, high = ZERO, layers[0, STRIDE], buckets[6][me], buckets[6][me + 1]
    held = (ZERO, np.int64(buckets[0].shape[0]))
    if by_columns:
        left, right = share(right, me, size, lanes_of(pointer(parameters)))
        low, high = ZERO, layers[0, FAN_IN]
        held = (block_zero, block_zero + own_blocks)
    owned = (held, low, high, left, right)
    for start in range(0, order.shape[0], batch_size):
        count = min(batch_size, order.shape[0] - start)
        first, last = share(count, me, size, GRAIN)
        single = moves_one_row(count, rule)
        for block in range(block_zero, block_zero + own_blocks):
            clear(block, buckets)
        block = block_zero
        from_row, to_row = (ZERO, count) if by_columns else (first, last)
        for at in range(from_row, to_row, BLOCK_ROWS):
            rows = min(BLOCK_ROWS, to_row - at)
            ahead = start + batch_size + at
            for i in range(ahead, min(ahead + rows, order.shape[0])):
                prefetch_row(source, order[i])
            if not single:
                regroup(block, source, order, start, at, rows, buckets)
                block += 1
            affine_columns(source, layers, parameters, order, start + at, rows, left, right, work, places, at)
            if not by_columns:
                take_labels(y, order, start, at, rows, labels)
                hits[me, 0] += through_upper_layers(layers, parameters, labels, rows, work, places, at, losses)
        if by_columns:
            turn = meet(barrier, size, turn)
            for at in range(first, last, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, last - at)
                take_labels(y, order, start, at, rows, labels)
                hits[me, 0] += through_upper_layers(layers, parameters, labels, rows, work, places, at, losses)
        turn = meet(barrier, size, turn)
        row = order[start]
        update_sparse(me, source, buckets, row, owned, layers, parameters, velocity, count, rule, work, places)
        if by_columns or me == 0:
            update_biases(layers, ZERO, parameters, velocity, count, left, right, rule, work, places, one)
        for layer in range(1, layers.shape[0]):
            update_dense(me, size, layers, layer, parameters, velocity, count, rule, work, places)
            if layer % size == me:
                stride = layers[layer, STRIDE]
                update_biases(layers, layer, parameters, velocity, count, ZERO, stride, rule, work, places, one)
        if me == 0:
            add_losses(losses, count, totals)
        if not by_columns:
            turn = meet(barrier, size, turn)


@inlined
def _begin(me, size, barrier, layers, parameters, work, places):
    """Make the transposed copies of the weights; returns the turn of the next meeting."""
    for layer in range(1 + me, layers.shape[0], size):
        transpose(layers, layer, parameters, work, places, ZERO, layers[layer, FAN_IN])
    return meet(barrier, size, UNIT)


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
        first, last = share(rows.shape[0], me, size, BLOCK_ROWS)
        for at in range(first, last, BLOCK_ROWS):
            count = min(BLOCK_ROWS, last - at)
            affine_first(source, layers, parameters, rows, at, count, work[me], places, ZERO)
            probabilities_of(layers, parameters, count, work[me], places, out, at)

    return run


def _predict_skipping_share(me, size, barrier, source, rooms, layers, parameters, work, places, rows, out):
    """The same for dense inputs that are mostly zero: each block is compressed just before its first layer."""
    indptr, indices, values, table = rooms
    compressed = (indptr[me], indices[me], values[me], table)
    first, last = share(rows.shape[0], me, size, BLOCK_ROWS)
    for at in range(first, last, BLOCK_ROWS):
        count = min(BLOCK_ROWS, last - at)
        compress_block(source, rows, at, count, layers[0, FAN_IN], compressed)
        affine_sparse(compressed, layers, parameters, rows, ZERO, count, work[me], places, ZERO)
        probabilities_of(layers, parameters, count, work[me], places, out, at)


def _sum(values):
    """Their sum, one after the other: numpy's own order of summation may differ between CPUs."""
    total = 0.0
    for value in values:
        total += value
    return total


_train_dense = entry("train_dense", _train_dense_share)
_train_sparse = entry("train_sparse", _train_sparse_share)
_evaluate_dense = entry("evaluate_dense", _evaluate_share(affine_dense))
_evaluate_sparse = entry("evaluate_sparse", _evaluate_share(affine_sparse))
_predict_dense = entry("predict_dense", _predict_share(affine_dense))
_predict_skipping = entry("predict_skipping", _predict_skipping_share)
_predict_sparse = entry("predict_sparse", _predict_share(affine_sparse))
_sum_in_order = entry("sum_in_order", _sum)
