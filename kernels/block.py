"""What one thread does with a block of rows: forward, judgement, backward; and its share of the weights' update.

A block is a range of the batch's rows whose activations and deltas stand in the workspace. The first layer reads the
stored inputs, dense or sparse, and has its own functions; all others read the layer below.
"""

import numpy as np

from . import sparse
from .dense import DELTA, affine_block, delta_block, step_single, update_block
from .gather import gather, pointer_to
from .jit import inlined, jit
from .layout import ACTIVATION, BIASES, FAN_IN, FAN_OUT, GRAIN, LINE, SIGMOID, STRIDE, WEIGHTS, aligned_zeros, padded
from .registers import UNIT, ZERO, lanes_of, load, pointer, shifted, store, transpose_square
from .softmax import cross_entropy_block, softmax_row
from .team import share

# Columns of a workspace's table: offsets of a layer's inputs, delta and transposed weights, and their strides.
INPUTS, INPUTS_STRIDE, DELTAS, TRANSPOSED, TRANSPOSED_STRIDE = range(5)


def workspace(layers, rows, dtype, dense_inputs):
    """Room for what a pass over `rows` rows computes: (flat aligned buffer, (layers + 1, 5) int64 table, place of a 1).

    Row l of the table places the inputs (rows, INPUTS_STRIDE) of layer l, its delta, and its transposed weights
    (STRIDE of the layer, TRANSPOSED_STRIDE); the inputs of the row after the last layer are the logits. Layer 0 has
    room for its inputs when they are dense. The buffer starts with zeros for as long as the widest row, then a one.
    """
    widest = int(layers[:, STRIDE].max())
    line = LINE // np.dtype(dtype).itemsize
    places = np.zeros((len(layers) + 1, 5), np.int64)
    end = widest + line
    widths = [int(layers[0, FAN_IN]) if dense_inputs else 0, *layers[:, STRIDE].tolist()]
    for place, width in zip(places, widths, strict=True):
        place[INPUTS_STRIDE] = place[TRANSPOSED_STRIDE] = padded(width, dtype)
        place[INPUTS] = end
        end += rows * place[INPUTS_STRIDE]
    for place, layer in zip(places, layers, strict=False):
        place[DELTAS] = end
        end += rows * layer[STRIDE]
        place[TRANSPOSED] = end
        end += layer[STRIDE] * place[TRANSPOSED_STRIDE]
    buffer = aligned_zeros(end, dtype)
    buffer[widest] = 1
    return buffer, places, widest


@inlined
def inputs_of(work, places, layer, at):
    """Pointer to row `at` of the inputs of `layer`, and their stride."""
    stride = places[layer, INPUTS_STRIDE]
    return shifted(pointer(work), places[layer, INPUTS] + at * stride), stride


@inlined
def delta_of(layers, work, places, layer, at):
    """Pointer to row `at` of the delta of `layer`, and its stride."""
    stride = layers[layer, STRIDE]
    return shifted(pointer(work), places[layer, DELTAS] + at * stride), stride


@inlined
def affine_dense(source, layers, parameters, rows, first, count, work, places, at):
    """The first layer for rows rows[first : first + count] of a dense source; the block's outputs start at row `at`.

    source: (address, row stride, array of the stored type)
    """
    X, x_row, sample = source
    A, a_row = inputs_of(work, places, ZERO, at)
    gather(pointer_to(X, sample), x_row, rows, first, count, layers[0, FAN_IN], A, a_row)
    affine_layer(ZERO, layers, parameters, count, work, places, at)


@inlined
def affine_sparse(source, layers, parameters, rows, first, count, work, places, at):
    """The same for a sparse source: (indptr, indices, values, table of pixels)."""
    affine_columns(source, layers, parameters, rows, first, count, ZERO, layers[0, STRIDE], work, places, at)


@inlined
def affine_columns(source, layers, parameters, rows, first, count, left, right, work, places, at):
    """The same for the columns left to right of the layer's outputs alone."""
    weights, stride, activation = pointer(parameters), layers[0, STRIDE], layers[0, ACTIVATION]
    W, b = shifted(weights, layers[0, WEIGHTS]), shifted(weights, layers[0, BIASES])
    out, out_row = inputs_of(work, places, UNIT, at)
    sparse.affine_rows(source, rows, first, count, left, right, W, stride, b, activation, out, out_row)


@inlined
def through_upper_layers(layers, parameters, labels, rows, work, places, at, losses):
    """From the first layer's outputs up to the losses and back to its delta, for a block of rows; returns the hits."""
    for layer in range(1, layers.shape[0]):
        affine_layer(layer, layers, parameters, rows, work, places, at)
    hits = judge(layers, labels, rows, work, places, at, losses, at)
    backward(layers, rows, work, places, at)
    return hits


@inlined
def affine_layer(layer, layers, parameters, count, work, places, at):
    """A layer's outputs from its inputs in the workspace, for the block of `count` rows from `at` on."""
    weights, stride = pointer(parameters), layers[layer, STRIDE]
    A, a_row = inputs_of(work, places, layer, at)
    out, out_row = inputs_of(work, places, layer + 1, at)
    W, b = shifted(weights, layers[layer, WEIGHTS]), shifted(weights, layers[layer, BIASES])
    affine_block(
        count, stride, A, a_row, UNIT, W, stride, layers[layer, FAN_IN], b, layers[layer, ACTIVATION], out, out_row
    )


@inlined
def probabilities_of(layers, parameters, count, work, places, out, first):
    """From the first layer's outputs to the class probabilities of a block, into out[first : first + count]."""
    for layer in range(1, layers.shape[0]):
        affine_layer(layer, layers, parameters, count, work, places, ZERO)
    last = layers.shape[0]
    classes, columns = layers[last - 1, FAN_OUT], layers[last - 1, STRIDE]
    logits, _ = inputs_of(work, places, last, ZERO)
    for i in range(count):
        z = shifted(logits, i * columns)
        softmax_row(z, classes, columns, z)
        for c in range(classes):
            out[first + i, c] = load(z, c)


@inlined
def judge(layers, labels, rows, work, places, at, losses, loss_at):
    """Cross entropy of the logits from row `at` on: the last delta, and losses from `loss_at` on. Returns the hits."""
    last = layers.shape[0] - 1
    Z, z_row = inputs_of(work, places, last + 1, at)
    D, d_row = delta_of(layers, work, places, last, at)
    classes = layers[last, FAN_OUT]
    return cross_entropy_block(rows, classes, layers[last, STRIDE], Z, z_row, labels, at, D, d_row, losses, loss_at)


@inlined
def backward(layers, rows, work, places, at):
    """The deltas of every layer but the last, for a block of rows."""
    zeros = pointer(work)
    for layer in range(layers.shape[0] - 1, 0, -1):
        D, d_row = delta_of(layers, work, places, layer, at)
        out, out_row = delta_of(layers, work, places, layer - 1, at)
        A, a_row = inputs_of(work, places, layer, at)
        W, w_row = shifted(zeros, places[layer, TRANSPOSED]), places[layer, TRANSPOSED_STRIDE]
        epilogue = DELTA[layers[layer - 1, ACTIVATION]]
        delta_block(
            rows, w_row, D, d_row, UNIT, W, w_row, layers[layer, FAN_OUT], zeros, A, a_row, epilogue, out, out_row
        )


@inlined
def update_weights(layers, layer, parameters, velocity, count, first, last, rule, work, places):
    """The optimiser's step for rows first to last of a weight matrix, from the whole batch of `count` samples."""
    A, a_row = inputs_of(work, places, layer, ZERO)
    D, d_row = delta_of(layers, work, places, layer, ZERO)
    stride = layers[layer, STRIDE]
    at = layers[layer, WEIGHTS] + first * stride
    W, V = shifted(pointer(parameters), at), shifted(pointer(velocity), at)
    zeros = pointer(work)
    update_block(last - first, stride, shifted(A, first), UNIT, a_row, D, d_row, count, zeros, W, V, stride, rule)


@inlined
def update_dense(me, size, layers, layer, parameters, velocity, count, rule, work, places):
    """Thread `me`'s rows of a weight matrix whose inputs are in the workspace, and of its transposed copy."""
    if layer > 0 and moves_one_row(count, rule) and layers[layer - 1, ACTIVATION] != SIGMOID:
        # A sigmoid's padding is not zero, and would leak into the padding of the transposed copy.
        if me == 0:
            update_single(layers, layer, parameters, rule, work, places)
    else:
        first, last = share(layers[layer, FAN_IN], me, size, GRAIN)
        update_weights(layers, layer, parameters, velocity, count, first, last, rule, work, places)
        if layer > 0:
            transpose(layers, layer, parameters, work, places, first, last)


@inlined
def update_single(layers, layer, parameters, rule, work, places):
    """Plain SGD's step from one sample on a weight matrix, and the same step on its transposed copy."""
    A, _ = inputs_of(work, places, layer, ZERO)
    D, _ = delta_of(layers, work, places, layer, ZERO)
    w_row, t_row = layers[layer, STRIDE], places[layer, TRANSPOSED_STRIDE]
    W = shifted(pointer(parameters), layers[layer, WEIGHTS])
    T = shifted(pointer(work), places[layer, TRANSPOSED])
    step_single(layers[layer, FAN_IN], w_row, A, D, W, w_row, rule[0])
    step_single(layers[layer, FAN_OUT], t_row, D, A, T, t_row, rule[0])


@inlined
def update_sparse(me, source, buckets, row, owned, layers, parameters, velocity, count, rule, work, places):
    """Thread `me`'s part of the first layer's weights, whose inputs are in the buckets.

    owned: (blocks that hold the batch, first and last row of the weights, left and right column of them)
    """
    blocks, first, last, left, right = owned
    D, d_row = delta_of(layers, work, places, ZERO, ZERO)
    stride, at = layers[0, STRIDE], layers[0, WEIGHTS]
    W, V = shifted(pointer(parameters), at), shifted(pointer(velocity), at)
    zeros = pointer(work)
    if not moves_one_row(count, rule):
        table = source[3]
        sparse.step_columns(
            me, blocks, first, last, buckets, table, zeros, left, right, D, d_row, W, V, stride, count, rule
        )
    elif me == 0:
        sparse.step_row(source, row, zeros, pointer(buckets[0]), stride, D, W, V, stride, rule)


@jit
def moves_one_row(count, rule):
    """Whether a step is that of a single sample, and moves nothing but the weights of its inputs."""
    return count == 1 and rule[1] == 0 and rule[2] == 0


@inlined
def update_biases(layers, layer, parameters, velocity, count, left, right, rule, work, places, one):
    """The step of the elements left to right of a bias, whose input is a one in every sample."""
    D, d_row = delta_of(layers, work, places, layer, ZERO)
    at = layers[layer, BIASES] + left
    b, V = shifted(pointer(parameters), at), shifted(pointer(velocity), at)
    zeros = pointer(work)
    bias_rule = (rule[0], rule[1], 0.0)
    update_block(
        UNIT,
        right - left,
        shifted(zeros, one),
        ZERO,
        ZERO,
        shifted(D, left),
        d_row,
        count,
        zeros,
        b,
        V,
        ZERO,
        bias_rule,
    )


@jit
def take_labels(y, order, start, at, rows, labels):
    """The labels of the batch's rows from `at` on; the batch is order[start:]."""
    for i in range(at, at + rows):
        labels[i] = y[order[start + i]]


@jit
def add_losses(losses, count, totals):
    """Add a batch's losses to totals[0], in the order of its rows: the sum has the same bits for any team."""
    for i in range(count):
        totals[0] += losses[i]


@jit
def transpose(layers, layer, parameters, work, places, first, last):
    """Renew the columns first to last of the transposed copy of a weight matrix."""
    w_row, t_row = layers[layer, STRIDE], places[layer, TRANSPOSED_STRIDE]
    W = shifted(pointer(parameters), layers[layer, WEIGHTS])
    T = shifted(pointer(work), places[layer, TRANSPOSED])
    lanes = lanes_of(W)
    whole = last - (last - first) % lanes
    for i in range(first, whole, lanes):
        for j in range(0, w_row, lanes):
            transpose_square(shifted(W, i * w_row + j), w_row, shifted(T, j * t_row + i), t_row)
    for i in range(whole, last):
        for j in range(layers[layer, FAN_OUT]):
            store(T, j * t_row + i, load(W, i * w_row + j))
