"""What one thread of a team does in a training, an evaluation, a prediction.

One step of training, seen by one thread:

    its rows of the batch, a block at a time      affine through the layers, the losses, delta back
    -- barrier: every delta is there --
    its part of every weight matrix               the step; the transposed copy for the next delta follows
    -- barrier: the weights are new --

A block is small enough that its activations never leave the core's own cache. Every element is summed in the same
order by whichever thread owns it, so the team's size never changes a result.

The functions here are made from their parts: `kernels` is the module `step_sgd` or `step_general`.
"""

import numpy as np

from .block import (
    affine_columns,
    affine_layer,
    affine_sparse,
    computed_columns,
    delta_of,
    inputs_of,
    outputs_of,
    transpose,
)
from .column_sort import clear, regroup
from .compress import compress_block
from .gather import prefetch_samples
from .jit import inlined, jit
from .layout import BLOCK_ROWS, COLUMNS, FAN_IN, FAN_OUT, GRAIN, LINE, SUM_TERMS
from .loss import loss_block
from .optimizer import copy_network
from .registers import UNIT, ZERO, pointer
from .softmax import cross_entropy_block
from .sparse import prefetch_row
from .thread_team import barrier_wait, enter, leave, partition


def train_dense(affine_first, kernels):
    """Thread `me`'s part of `train` on dense inputs: its rows of the batch, then its rows of every weight matrix."""
    through_upper_layers, step_dense = kernels.through_upper_layers, kernels.step_dense

    def run(
        me, size, state, source, layers, parameters, order, batches, task, work, places, one, losses, hits, totals,
        marked,
    ):  # fmt: skip
        size = enter(state, me, size)
        if size == 0:
            return False
        phase = _begin(me, size, state, layers, parameters, work, places)
        steps = batches.shape[0] // totals.shape[0]
        for step in range(batches.shape[0]):
            start, epoch = batches[step, 0], step // steps
            count = batches[step, 1] - start
            first, last = partition(count, me, size, GRAIN)
            for at in range(first, last, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, last - at)
                ahead = at + rows if at + rows < last else count + first
                prefetch_samples(source, task[0], order, start + ahead, BLOCK_ROWS, layers[0, FAN_IN])
                affine_first(me, source, layers, parameters, order, start, at, rows, task, work, places)
                hits[me, epoch] += through_upper_layers(
                    layers, parameters, order, start, at, rows, task, work, places, losses
                )
            phase = barrier_wait(state, size, phase)
            phase = step_dense(
                me, size, state, phase, layers, parameters, order, start, step, count, task, work, places, one
            )  # fmt: skip
            if me == 0:
                add_losses(losses, count, totals[epoch])
            phase = barrier_wait(state, size, phase)
            copy_network(me, batches[step, 2], parameters, marked)
            if (step + 1) % steps == 0 and not np.isfinite(totals[epoch, 0]):
                break  # nan in the weights never leaves them
        return leave(state, me, size)

    return run


def train_sparse(kernels):
    """Thread `me`'s part of `train` on compressed rows.

    In a large batch a thread owns rows of the first layer's weights, and all threads wait until these are new. In a
    small batch of plain SGD it owns columns, of the outputs too: then the weights stay in its cache, activations and
    deltas alone move between the cores, and the wait comes after the next batch's first layer. It regroups the whole
    batch for itself, which costs less than to read what another core has written.
    """
    needs_regrouping, through_upper_layers = kernels.needs_regrouping, kernels.through_upper_layers
    step_sparse = kernels.step_sparse

    def run(
        me, size, state, source, buckets, by_columns, layers, parameters, order, batches, task, work, places, one,
        losses, hits, totals,
    ):  # fmt: skip
        size = enter(state, me, size)
        if size == 0:
            return False
        phase = _begin(me, size, state, layers, parameters, work, places)
        own_blocks = buckets.starts.shape[0] // size
        block_zero = me * own_blocks
        left, right = ZERO, computed_columns(layers, ZERO, pointer(work))
        low, high = buckets.owned[me], buckets.owned[me + 1]
        held = (ZERO, np.int64(buckets.starts.shape[0]))
        if by_columns:
            left, right = partition(right, me, size, np.int64(LINE // parameters.itemsize))
            low, high = ZERO, layers[0, FAN_IN]
            held = (block_zero, block_zero + own_blocks)
        owned = (held, low, high, left, right, by_columns)
        for step in range(batches.shape[0]):
            start = batches[step, 0]
            count = batches[step, 1] - start
            first, last = partition(count, me, size, GRAIN if count <= SUM_TERMS else BLOCK_ROWS)
            regroups = needs_regrouping(count, task)
            for block in range(block_zero, block_zero + own_blocks):
                clear(block, buckets)
            block = block_zero
            from_row, to_row = (ZERO, count) if by_columns else (first, last)
            for at in range(from_row, to_row, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, to_row - at)
                ahead = start + count + at
                for i in range(ahead, min(ahead + rows, order.shape[0])):
                    prefetch_row(source, order[i])
                if regroups:
                    regroup(block, source, order, start, at, rows, buckets)
                    block += 1
                affine_columns(source, layers, parameters, order, start + at, rows, left, right, work, places, at)
                if not by_columns:
                    hits[me, 0] += through_upper_layers(
                        layers, parameters, order, start, at, rows, task, work, places, losses
                    )
            if by_columns:
                phase = barrier_wait(state, size, phase)
                for at in range(first, last, BLOCK_ROWS):
                    rows = min(BLOCK_ROWS, last - at)
                    hits[me, 0] += through_upper_layers(
                        layers, parameters, order, start, at, rows, task, work, places, losses
                    )
            phase = barrier_wait(state, size, phase)
            phase = step_sparse(
                me, size, state, phase, source, buckets, owned, layers, parameters, order, start, step, count,
                task, work, places, one,
            )  # fmt: skip
            if me == 0:
                add_losses(losses, count, totals[0])
            if not by_columns:
                phase = barrier_wait(state, size, phase)
        return leave(state, me, size)

    return run


@inlined
def _begin(me, size, state, layers, parameters, work, places):
    """Make the transposed copies of the weights; returns the phase of the next barrier."""
    for layer in range(1 + me, layers.shape[0], size):
        transpose(layers, layer, parameters, work, places, ZERO, layers[layer, FAN_IN])
    return barrier_wait(state, size, UNIT)


@jit
def add_losses(losses, count, totals):
    """Add a batch's losses to totals[0], in the order of its rows: the sum has the same bits for any team."""
    total = totals[0]
    for i in range(count):
        total += losses[i]
    totals[0] = total


@inlined
def cross_entropies(task, rows, at, count, classes, columns, Z, z_row, D, d_row, losses):
    """Cross entropies of the samples `at` to `at + count`, named by their positions; task: (labels,)."""
    return cross_entropy_block(count, classes, columns, Z, z_row, task[0], at, D, d_row, losses, at)


@inlined
def any_losses(task, rows, at, count, classes, columns, Z, z_row, D, d_row, losses):
    """Any losses of the same samples; task: (loss, labels, targets)."""
    loss, y, targets = task
    return loss_block(loss, rows, at, count, classes, columns, Z, z_row, y, targets, D, d_row, losses, at)


def evaluate(affine_first, row_losses):
    """Thread `me`'s part of `evaluate`, for one kind of first layer and of losses."""

    def run(me, size, state, source, layers, parameters, task, work, places, rows, losses, hits):
        size = enter(state, me, size)
        if size == 0:
            return False
        top = layers.shape[0] - 1
        first, last = partition(rows.shape[0], me, size, BLOCK_ROWS)
        for at in range(first, last, BLOCK_ROWS):
            count = min(BLOCK_ROWS, last - at)
            affine_first(source, layers, parameters, rows, at, count, work[me], places, ZERO)
            for layer in range(1, layers.shape[0]):
                affine_layer(layer, layers, parameters, count, work[me], places, ZERO)
            Z, z_row = inputs_of(work[me], places, top + 1, ZERO)
            D, d_row = delta_of(layers, work[me], places, top, ZERO)
            classes, columns = layers[top, FAN_OUT], layers[top, COLUMNS]
            hits[me, 0] += row_losses(task, rows, at, count, classes, columns, Z, z_row, D, d_row, losses)
        return leave(state, me, size)

    return run


def predict(affine_first):
    """Thread `me`'s part of `predict`, for one kind of first layer."""

    def run(me, size, state, source, layers, parameters, kind, work, places, rows, out):
        size = enter(state, me, size)
        if size == 0:
            return False
        first, last = partition(rows.shape[0], me, size, BLOCK_ROWS)
        for at in range(first, last, BLOCK_ROWS):
            count = min(BLOCK_ROWS, last - at)
            affine_first(source, layers, parameters, rows, at, count, work[me], places, ZERO)
            outputs_of(kind, layers, parameters, count, work[me], places, out, at)
        return leave(state, me, size)

    return run


def predict_skipping(me, size, state, source, buffers, layers, parameters, kind, work, places, rows, out):
    """The same for dense inputs that are mostly zero: each block is compressed just before its first layer."""
    size = enter(state, me, size)
    if size == 0:
        return False
    indptr, indices, values, table = buffers
    compressed = (indptr[me], indices[me], values[me], table)
    first, last = partition(rows.shape[0], me, size, BLOCK_ROWS)
    for at in range(first, last, BLOCK_ROWS):
        count = min(BLOCK_ROWS, last - at)
        compress_block(source, rows, at, count, layers[0, FAN_IN], compressed)
        affine_sparse(compressed, layers, parameters, rows, ZERO, count, work[me], places, ZERO)
        outputs_of(kind, layers, parameters, count, work[me], places, out, at)
    return leave(state, me, size)
