"""What one thread does with a block of rows, forward and backward, and the workspace in which it does so.

A block is a range of the batch's rows whose activations and deltas stand in the workspace. The first layer reads the
stored inputs, dense or sparse, and has its own functions; all others read the layer below.
"""

import numpy as np

from . import sparse
from .dense import affine_block, delta_block
from .gather import gather, pointer_to
from .jit import inlined, jit
from .layout import ACTIVATION, BIASES, COLUMNS, FAN_IN, FAN_OUT, LINE, STRIDE, WEIGHTS, aligned_zeros, stride_of
from .loss import output_block
from .registers import UNIT, ZERO, lanes_of, load, pointer, shifted, store, transpose_square
from .sparse_sums import GRAIN_REGISTERS, affine_row

# Columns of a workspace's table: offsets of a layer's inputs, delta and transposed weights, and their strides.
INPUTS, INPUTS_STRIDE, DELTAS, TRANSPOSED, TRANSPOSED_STRIDE = range(5)


def workspace(layers, rows, dtype, dense_inputs, trains=True):
    """Memory for a pass over `rows` rows: (flat aligned buffer, (layers + 1, 5) int64 table, place of a 1).

    Row l of the table places the inputs (rows, INPUTS_STRIDE) of layer l, its delta, and its transposed weights
    (COLUMNS of the layer, TRANSPOSED_STRIDE); the inputs of the row after the last layer are the logits. Layer 0 has
    room for its inputs when they are dense, and none for transposed weights: no delta is below it. The buffer starts
    with zeros for as long as the widest row, then a one. A pass that does not train has the delta of the last layer
    alone, and no transposed weights.
    """
    widest = int(layers[:, STRIDE].max())
    line = LINE // np.dtype(dtype).itemsize
    places = np.zeros((len(layers) + 1, 5), np.int64)
    end = widest + line
    widths = [int(layers[0, FAN_IN]) if dense_inputs else 0, *layers[:, FAN_OUT].tolist()]
    for place, width in zip(places, widths, strict=True):
        place[INPUTS_STRIDE] = place[TRANSPOSED_STRIDE] = stride_of(width, dtype) if width else 0
        place[INPUTS] = end
        end += rows * place[INPUTS_STRIDE]
    for number, (place, layer) in enumerate(zip(places, layers, strict=False), 1):
        if trains and number > 1:
            place[TRANSPOSED] = end
            end += layer[COLUMNS] * place[TRANSPOSED_STRIDE]
        if trains or number == len(layers):
            place[DELTAS] = end
            end += rows * layer[STRIDE]
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
def width_of(layers, layer, start):
    """Columns of a layer in whole registers: fewer than COLUMNS where these are narrower than a cache line."""
    lanes = lanes_of(start)
    return (layers[layer, FAN_OUT] + lanes - 1) // lanes * lanes


@inlined
def computed_columns(layers, layer, start):
    """The same in whole grains of registers, of which the strips of a sparse first layer are."""
    grain = GRAIN_REGISTERS * lanes_of(start)
    return (layers[layer, FAN_OUT] + grain - 1) // grain * grain


@inlined
def affine_dense(source, layers, parameters, rows, first, count, work, places, at):
    """The first layer for rows rows[first : first + count] of a dense source; the block's outputs start at row `at`.

    source: (address, row stride, array of the stored type)
    """
    X, x_row, sample = source
    A, a_row = inputs_of(work, places, ZERO, at)
    fan_in, columns, activation = layers[0, FAN_IN], computed_columns(layers, ZERO, A), layers[0, ACTIVATION]
    gather(pointer_to(X, sample), x_row, rows, first, count, fan_in, A, a_row)
    if count == 1:
        weights, (out, _) = pointer(parameters), inputs_of(work, places, UNIT, at)
        W, b = shifted(weights, layers[0, WEIGHTS]), shifted(weights, layers[0, BIASES])
        affine_row(columns, A, W, layers[0, STRIDE], fan_in, b, activation, out)
    else:
        affine_layer(ZERO, layers, parameters, count, work, places, at)


@inlined
def affine_sparse(source, layers, parameters, rows, first, count, work, places, at):
    """The same for a sparse source: (indptr, indices, values, table of pixels)."""
    columns = computed_columns(layers, ZERO, pointer(work))
    affine_columns(source, layers, parameters, rows, first, count, ZERO, columns, work, places, at)


@inlined
def affine_columns(source, layers, parameters, rows, first, count, left, right, work, places, at):
    """The same for the columns left to right of the layer's outputs alone."""
    weights, stride, activation = pointer(parameters), layers[0, STRIDE], layers[0, ACTIVATION]
    W, b = shifted(weights, layers[0, WEIGHTS]), shifted(weights, layers[0, BIASES])
    out, out_row = inputs_of(work, places, UNIT, at)
    sparse.affine_rows(source, rows, first, count, left, right, W, stride, b, activation, out, out_row)


@inlined
def affine_layer(layer, layers, parameters, count, work, places, at):
    """A layer's outputs from its inputs in the workspace, for the block of `count` rows from `at` on."""
    weights, stride = pointer(parameters), layers[layer, STRIDE]
    A, a_row = inputs_of(work, places, layer, at)
    out, out_row = inputs_of(work, places, layer + 1, at)
    W, b = shifted(weights, layers[layer, WEIGHTS]), shifted(weights, layers[layer, BIASES])
    columns, activation = width_of(layers, layer, W), layers[layer, ACTIVATION]
    affine_block(count, columns, A, a_row, UNIT, W, stride, layers[layer, FAN_IN], b, activation, out, out_row)


@inlined
def outputs_of(kind, layers, parameters, count, work, places, out, first):
    """From the first layer's outputs to the network's outputs for a block, into out[first : first + count]."""
    for layer in range(1, layers.shape[0]):
        affine_layer(layer, layers, parameters, count, work, places, ZERO)
    last = layers.shape[0]
    classes, columns = layers[last - 1, FAN_OUT], layers[last - 1, COLUMNS]
    logits, z_row = inputs_of(work, places, last, ZERO)
    output_block(kind, count, classes, columns, logits, z_row)
    for i in range(count):
        for c in range(classes):
            out[first + i, c] = load(logits, i * z_row + c)


@inlined
def delta_below(layer, layers, rows, factor, work, places, at):
    """The delta of layer `layer` - 1 from that of the layer itself, for a block of rows.

    factor: the layer's probability to keep an input, by which its inputs were divided
    """
    zeros = pointer(work)
    D, d_row = delta_of(layers, work, places, layer, at)
    out, out_row = delta_of(layers, work, places, layer - 1, at)
    A, a_row = inputs_of(work, places, layer, at)
    W, w_row = shifted(zeros, places[layer, TRANSPOSED]), places[layer, TRANSPOSED_STRIDE]
    activation, columns = layers[layer - 1, ACTIVATION], width_of(layers, layer - 1, W)
    delta_block(
        rows, columns, D, d_row, UNIT, W, w_row, layers[layer, FAN_OUT], zeros, A, a_row, factor, activation, out,
        out_row,
    )  # fmt: skip


@jit
def transpose(layers, layer, parameters, work, places, first, last):
    """Renew the columns first to last of the transposed copy of a weight matrix."""
    w_row, t_row = layers[layer, STRIDE], places[layer, TRANSPOSED_STRIDE]
    W = shifted(pointer(parameters), layers[layer, WEIGHTS])
    T = shifted(pointer(work), places[layer, TRANSPOSED])
    lanes = lanes_of(W)
    whole = last - (last - first) % lanes
    for i in range(first, whole, lanes):
        for j in range(0, layers[layer, COLUMNS], lanes):
            transpose_square(shifted(W, i * w_row + j), w_row, shifted(T, j * t_row + i), t_row)
    for i in range(whole, last):
        for j in range(layers[layer, FAN_OUT]):
            store(T, j * t_row + i, load(W, i * w_row + j))
