"""All that training can be, as one thread sees it: dropout, every loss, weighted samples, every optimiser and limit.

The functions have the names and parameters of those of `step_sgd.py`, which does the most common case faster. A
gradient is summed some rows of weights at a time into the thread's own scratch memory, and stepped from there. Where a
step depends on all gradients (`Rule.clip_norm`) they are summed into a buffer of the parameters' layout, and the
threads wait at a barrier before they step. Norms are summed in the order of the buffer, not by threads.
"""

import numpy as np

from . import sparse
from .augment import distort_block
from .block import affine_layer, delta_below, delta_of, inputs_of, transpose, width_of
from .dense import sum_block
from .gather import gather, pointer_to
from .jit import inlined, jit
from .layout import BIASES, BLOCK_ROWS, COLUMNS, FAN_IN, FAN_OUT, GRAIN, STRIDE, WEIGHTS, aligned_zeros
from .loss import loss_block, total_weight
from .optimizer import limit_columns, step_rows, sum_of_squares
from .random_bits import drop_row, sample_keys
from .registers import UNIT, ZERO, lanes_of, pointer, shifted
from .task_types import DROPOUT
from .thread_team import barrier_wait, partition
from .update_rule import NORM_EPSILON

# Of the gradient that is summed before it is stepped from: a part of any second cache, and many rows, for each of which
# the deltas of the whole batch pass by; but so many rows at least.
GRADIENT_BYTES, FEWEST_ROWS = 128 << 10, 16
# Columns of a wide sparse layer that are stepped together: few, so that it is many rows for each load of the deltas.
SPARSE_COLUMNS = 256


def scratch(layers, dtype, size):
    """(size, elements) memory in which each thread sums rows of the gradient."""
    strides = layers[:, STRIDE]
    most = min(GRADIENT_BYTES // np.dtype(dtype).itemsize, int((layers[:, FAN_IN] * strides).max()))
    elements = max(most, FEWEST_ROWS * int(strides.max()))
    return aligned_zeros(size * elements, dtype).reshape(size, elements)


@inlined
def affine_first(me, source, layers, parameters, order, start, at, rows, task, work, places):
    """The first layer for a block of a batch of dense inputs, of which some are dropped."""
    X, x_row, sample = source
    A, a_row = inputs_of(work, places, ZERO, at)
    gather(pointer_to(X, sample), x_row, order, start + at, rows, layers[0, FAN_IN], A, a_row)
    _affine_prepared(layers, parameters, start, at, rows, task, work, places)


@inlined
def affine_distorted(me, source, layers, parameters, order, start, at, rows, task, work, places):
    """The same for images that are distorted as they are read."""
    X, x_row, sample = source
    distortion, canvas = task.images
    A, a_row = inputs_of(work, places, ZERO, at)
    position = task.dropout.position + start + at
    distort_block(
        pointer_to(X, sample), x_row, order, start + at, rows, position, distortion, pointer(canvas[me]), A, a_row
    )
    _affine_prepared(layers, parameters, start, at, rows, task, work, places)


@inlined
def _affine_prepared(layers, parameters, start, at, rows, task, work, places):
    """The first layer for a block whose inputs are in the workspace."""
    A, a_row = inputs_of(work, places, ZERO, at)
    drop(ZERO, start + at, rows, A, a_row, layers[0, FAN_IN], task.dropout)
    affine_layer(ZERO, layers, parameters, rows, work, places, at)


@jit
def drop(layer, position, rows, A, a_row, columns, dropout):
    """Set some elements of the rows at A to zero and divide the others by the probability to be kept, in place.

    Which ones depends on the seed, the epoch, the layer, the sample's position in the epoch and the column alone: the
    same ones go from the inputs of `layer` and, on the way back, from their delta.
    """
    keep_prob = dropout.keep_prob[layer]
    if keep_prob < 1:
        for i in range(rows):
            row = shifted(A, i * a_row)
            k0, k1 = sample_keys(dropout.seed, dropout.epoch, DROPOUT + layer, dropout.position + position + i)
            drop_row(k0, k1, dropout.thresholds[layer], 1 / keep_prob, row, row, columns)


@inlined
def through_upper_layers(layers, parameters, order, start, at, rows, task, work, places, losses):
    """From the first layer's outputs up to the losses and back to its delta, for a block of rows; returns the hits."""
    loss, dropout = task.loss, task.dropout
    for layer in range(1, layers.shape[0]):
        A, a_row = inputs_of(work, places, layer, at)
        drop(layer, start + at, rows, A, a_row, layers[layer, FAN_IN], dropout)
        affine_layer(layer, layers, parameters, rows, work, places, at)
    last = layers.shape[0] - 1
    Z, z_row = inputs_of(work, places, last + 1, at)
    D, d_row = delta_of(layers, work, places, last, at)
    hits = loss_block(
        loss, order, start + at, rows, layers[last, FAN_OUT], layers[last, COLUMNS], Z, z_row, task.y,
        task.targets, D, d_row, losses, at,
    )  # fmt: skip
    for layer in range(last, 0, -1):
        delta_below(layer, layers, rows, dropout.keep_prob[layer], work, places, at)
        D, d_row = delta_of(layers, work, places, layer - 1, at)
        drop(layer, start + at, rows, D, d_row, layers[layer, FAN_IN], dropout)
    return hits


@inlined
def needs_regrouping(count, task):
    """Whether the step needs the batch's entries sorted by column."""
    return True


@inlined
def step_dense(
    me, size, state, phase, layers, parameters, order, start, step, count, task, work, places, one
):  # fmt: skip
    """Thread `me`'s rows of every weight matrix, whose inputs are in the workspace; returns the next phase."""
    phase, scale = _scale_of(me, size, state, phase, layers, ZERO, order, start, count, task, work, places, one)
    coefs = task.schedule[step]
    for layer in range(layers.shape[0]):
        first, last = partition(layers[layer, FAN_IN], me, size, GRAIN)
        _step_layer(me, size, first, last, layers, layer, parameters, count, scale, coefs, task, work, places, one)
    return _limit(me, size, state, phase, layers, parameters, task, work, places)


@inlined
def step_sparse(
    me, size, state, phase, source, buckets, owned, layers, parameters, order, start, step, count, task, work,
    places, one,
):  # fmt: skip
    """Thread `me`'s rows of the first layer, whose inputs are in the buckets, and of the others.

    owned: (blocks that hold the batch, first and last row of the weights, and what is the same for all threads here)
    """
    blocks, low, high, _, _, _ = owned
    columns = layers[0, COLUMNS]
    inputs = (source, buckets, blocks)
    if task.rule.clip_norm > 0:
        stride = layers[0, STRIDE]
        G = shifted(pointer(task.gradient), layers[0, WEIGHTS] + low * stride)
        _sum_first(low, high, ZERO, columns, inputs, layers, parameters, task, work, places, G, stride)
        _row_norms(layers, ZERO, low, high, me, task)
    phase, scale = _scale_of(me, size, state, phase, layers, UNIT, order, start, count, task, work, places, one)
    coefs = task.schedule[step]
    for left in range(0, columns, SPARSE_COLUMNS):
        right = min(left + SPARSE_COLUMNS, columns)
        _step_first(
            me, low, high, left, right, inputs, layers, parameters, count, scale, coefs, task, work, places
        )  # fmt: skip
    left, right = partition(columns, me, size, lanes_of(pointer(parameters)))
    if left < right:
        _step_biases(me, layers, ZERO, left, right, parameters, count, scale, coefs, task, work, places, one)
    for layer in range(1, layers.shape[0]):
        first, last = partition(layers[layer, FAN_IN], me, size, GRAIN)
        _step_layer(me, size, first, last, layers, layer, parameters, count, scale, coefs, task, work, places, one)
    return _limit(me, size, state, phase, layers, parameters, task, work, places)


@inlined
def _step_first(me, low, high, left, right, inputs, layers, parameters, count, scale, coefs, task, work, places):
    """The step of the rows low to high and columns left to right of a first layer whose inputs are in the buckets.

    By about as many rows at a time as there are samples: each time, the deltas of all of these are loaded.
    """
    stride, columns = layers[0, STRIDE], right - left
    rows_at_a_time = min(task.scratch.shape[1] // columns, max(count, BLOCK_ROWS)) // GRAIN * GRAIN
    for i in range(low, high, rows_at_a_time):
        last = min(i + rows_at_a_time, high)
        at = layers[0, WEIGHTS] + i * stride + left
        if task.rule.clip_norm > 0:
            G, g_row = shifted(pointer(task.gradient), at), stride
        else:
            G, g_row = pointer(task.scratch[me]), columns
            _sum_first(i, last, left, right, inputs, layers, parameters, task, work, places, G, g_row)
        _step_from(G, g_row, last - i, columns, at, stride, parameters, scale, coefs, task, True)


@jit
def _sum_first(first, last, left, right, inputs, layers, parameters, task, work, places, G, g_row):
    """Summed gradient of the same part of the first layer, at G; inputs: (source, buckets, their blocks)."""
    source, buckets, blocks = inputs
    stride = layers[0, STRIDE]
    at = layers[0, WEIGHTS] + first * stride + left
    D, d_row = delta_of(layers, work, places, ZERO, ZERO)
    W = shifted(pointer(parameters), at)
    sparse.sum_columns(
        blocks, first, last, buckets, source[3], pointer(work), left, right, D, d_row, G, g_row, W, stride
    )  # fmt: skip


@inlined
def _scale_of(me, size, state, phase, layers, from_layer, order, start, count, task, work, places, one):
    """(next phase, factor of the summed gradients): it makes them an average, and clips their norm.

    from_layer: the first one whose gradient is still to be summed, where the norm is needed
    """
    weights, rule, norms = task.loss.weights, task.rule, task.norms
    total = total_weight(weights, order, start, count)
    # A batch whose samples all weigh nothing has the gradient zero.
    scale = 1 / total if total > 0 else 0.0
    if rule.clip_norm > 0:
        gradient = pointer(task.gradient)
        for layer in range(layers.shape[0]):
            if layer >= from_layer:
                first, last = partition(layers[layer, FAN_IN], me, size, GRAIN)
                into = shifted(gradient, layers[layer, WEIGHTS] + first * layers[layer, STRIDE])
                _sum_rows(layers, layer, first, last, count, work, places, into)
                _row_norms(layers, layer, first, last, me, task)
            if layer % size == me:
                into = shifted(gradient, layers[layer, BIASES])
                _sum_biases(layers, layer, ZERO, layers[layer, COLUMNS], count, work, places, one, into)
                _row_norms(layers, layer, layers[layer, FAN_IN], layers[layer, FAN_IN] + 1, me, task)
        phase = barrier_wait(state, size, phase)
        scale *= _clipping(norms, scale, rule.clip_norm)
    return phase, scale


@jit
def _clipping(norms, scale, limit):
    """What a gradient is multiplied by so that its norm is at most `limit`; norms: its squares, summed by rows."""
    total = 0.0
    for squares in norms:
        total += squares
    return min(1.0, limit / (scale * np.sqrt(total) + NORM_EPSILON))


@jit
def _row_norms(layers, layer, first, last, me, task):
    """The sums of squares of the gradient of rows first to last of a layer, where they are in memory."""
    gradient, scratch, norms, at_norm = task.gradient, task.scratch, task.norms, task.at_norm
    stride = layers[layer, STRIDE]
    for i in range(first, last):
        row = shifted(pointer(gradient), layers[layer, WEIGHTS] + i * stride)
        norms[at_norm[layer] + i] = sum_of_squares(row, layers[layer, COLUMNS], pointer(scratch[me]))


@inlined
def _sum_rows(layers, layer, first, last, count, work, places, into):
    """Summed gradient of the rows first to last of a weight matrix whose inputs are in the workspace."""
    A, a_row = inputs_of(work, places, layer, ZERO)
    D, d_row = delta_of(layers, work, places, layer, ZERO)
    columns, stride = width_of(layers, layer, into), layers[layer, STRIDE]
    sum_block(last - first, columns, shifted(A, first), UNIT, a_row, D, d_row, count, pointer(work), into, stride)


@inlined
def _sum_biases(layers, layer, left, right, count, work, places, one, into):
    """Summed gradient of the elements left to right of a bias, whose input is a one in every sample."""
    D, d_row = delta_of(layers, work, places, layer, ZERO)
    ones, zeros = shifted(pointer(work), one), pointer(work)
    sum_block(UNIT, right - left, ones, ZERO, ZERO, shifted(D, left), d_row, count, zeros, into, ZERO)


@jit
def _step_from(G, g_row, rows, columns, at, w_row, parameters, scale, coefs, task, penalised):
    """The step of `rows` rows of parameters from place `at` of the flat buffers on, from their gradient at G."""
    rule, first, second = task.rule, shifted(pointer(task.first), at), shifted(pointer(task.second), at)
    W = shifted(pointer(parameters), at)
    step_rows(rows, columns, G, g_row, W, w_row, first, second, rule, coefs, scale, penalised)


@inlined
def _step_layer(me, size, first, last, layers, layer, parameters, count, scale, coefs, task, work, places, one):
    """Thread `me`'s rows, first to last, of weights whose inputs are in the workspace, and of their copy; biases."""
    columns, stride = width_of(layers, layer, pointer(parameters)), layers[layer, STRIDE]
    rows_at_a_time = task.scratch.shape[1] // stride // GRAIN * GRAIN
    for i in range(first, last, rows_at_a_time):
        rows = min(rows_at_a_time, last - i)
        at = layers[layer, WEIGHTS] + i * stride
        if task.rule.clip_norm > 0:
            G = shifted(pointer(task.gradient), at)
        else:
            G = pointer(task.scratch[me])
            _sum_rows(layers, layer, i, i + rows, count, work, places, G)
        _step_from(G, stride, rows, columns, at, stride, parameters, scale, coefs, task, True)
    left, right = partition(columns, me, size, lanes_of(pointer(parameters)))
    if left < right:
        _step_biases(me, layers, layer, left, right, parameters, count, scale, coefs, task, work, places, one)
    if layer > 0 and task.rule.max_norm == 0:
        transpose(layers, layer, parameters, work, places, first, last)


@inlined
def _step_biases(me, layers, layer, left, right, parameters, count, scale, coefs, task, work, places, one):
    """The step of the elements left to right of a layer's biases."""
    G, at = pointer(task.scratch[me]), layers[layer, BIASES] + left
    _sum_biases(layers, layer, left, right, count, work, places, one, G)
    _step_from(G, ZERO, UNIT, right - left, at, ZERO, parameters, scale, coefs, task, False)


@inlined
def _limit(me, size, state, phase, layers, parameters, task, work, places):
    """Scale the weights into hidden units that have grown too long, and renew the transposed copies."""
    limit = task.rule.max_norm
    if limit > 0:
        phase = barrier_wait(state, size, phase)
        for layer in range(layers.shape[0] - 1):
            stride = layers[layer, STRIDE]
            W = shifted(pointer(parameters), layers[layer, WEIGHTS])
            left, right = partition(layers[layer, COLUMNS], me, size, lanes_of(W))
            limit_columns(W, stride, layers[layer, FAN_IN], left, right, limit)
        phase = barrier_wait(state, size, phase)
        for layer in range(1, layers.shape[0]):
            first, last = partition(layers[layer, FAN_IN], me, size, GRAIN)
            transpose(layers, layer, parameters, work, places, first, last)
    return phase
