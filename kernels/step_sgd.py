"""Plain SGD on the cross entropy, as one thread sees it: the loss of its rows, and its part of the weights' step.

Nothing is stored between the sums of the gradient and the step: it is taken from the registers. All other settings are
those of `step_general.py`, whose functions have the same names and parameters; `task` is a tuple of further arguments.

task    (y (N,) int64, labels (batch_size,) int64 to work in, rates (steps,) float64, lists)
lists   `single.new_lists` where each batch is a single sample, otherwise None
"""

from . import sparse
from .block import (
    affine_dense,
    affine_layer,
    computed_columns,
    delta_below,
    delta_of,
    inputs_of,
    transpose,
    width_of,
)
from .dense import update_block
from .jit import inlined, jit
from .layout import ACTIVATION, BIASES, COLUMNS, FAN_IN, FAN_OUT, FILLS_PADDING, GRAIN, STRIDE, WEIGHTS
from .registers import UNIT, ZERO, pointer, shifted
from .single import affine_single, delta_below_single, step_layer_single
from .softmax import cross_entropy_block
from .thread_team import partition


@inlined
def affine_first(me, source, layers, parameters, order, start, at, rows, task, work, places):
    """The first layer for a block of a batch of dense inputs."""
    affine_dense(source, layers, parameters, order, start + at, rows, work, places, at)


@inlined
def through_upper_layers(layers, parameters, order, start, at, rows, task, work, places, losses):
    """From the first layer's outputs up to the losses and back to its delta, for a block of rows; returns the hits."""
    y, labels, _, lists = task
    for layer in range(1, layers.shape[0]):
        _affine_layer(layer, layers, parameters, rows, work, places, at, lists)
    take_labels(y, order, start, at, rows, labels)
    last = layers.shape[0] - 1
    Z, z_row = inputs_of(work, places, last + 1, at)
    D, d_row = delta_of(layers, work, places, last, at)
    hits = cross_entropy_block(
        rows, layers[last, FAN_OUT], layers[last, COLUMNS], Z, z_row, labels, at, D, d_row, losses, at
    )
    for layer in range(last, 0, -1):
        _delta_below(layer, layers, rows, work, places, at, lists)
    return hits


# Numba compiles but one branch of a question whether an argument is None.


@inlined
def _affine_layer(layer, layers, parameters, rows, work, places, at, lists):
    if lists is None:
        affine_layer(layer, layers, parameters, rows, work, places, at)
    else:
        affine_single(layer, layers, parameters, work, places, lists)


@inlined
def _delta_below(layer, layers, rows, work, places, at, lists):
    if lists is None:
        delta_below(layer, layers, rows, 1.0, work, places, at)
    else:
        delta_below_single(layer, layers, work, places, lists)


@jit
def take_labels(y, order, start, at, rows, labels):
    """The labels of the batch's rows from `at` on; the batch is order[start:]."""
    for i in range(at, at + rows):
        labels[i] = y[order[start + i]]


@inlined
def needs_regrouping(count, task):
    """Whether the step needs the batch's entries sorted by column: a single sample is sorted as it is."""
    return task[3] is None


@inlined
def step_dense(
    me, size, state, phase, layers, parameters, order, start, step, count, task, work, places, one
):  # fmt: skip
    """Thread `me`'s rows of every weight matrix, whose inputs are in the workspace; returns the next phase."""
    _, _, rates, lists = task
    factor = rates[step] / count
    for layer in range(layers.shape[0]):
        first, last = partition(layers[layer, FAN_IN], me, size, GRAIN)
        _step_layer(me, first, last, layers, layer, parameters, count, factor, work, places, lists)
        if layer % size == me:
            columns = computed_columns(layers, layer, pointer(work))
            _step_biases(layers, layer, parameters, count, ZERO, columns, factor, work, places, one)
    return phase


@inlined
def step_sparse(
    me, size, state, phase, source, buckets, owned, layers, parameters, order, start, step, count, task, work,
    places, one,
):  # fmt: skip
    """Thread `me`'s part of the first layer, whose inputs are in the buckets, and its rows of the others.

    owned: (blocks that hold the batch, first and last row of the weights, left and right column of them, whether
           threads own columns)
    """
    _, _, rates, lists = task
    factor = rates[step] / count
    left, right, by_columns = owned[3:]
    _step_first(me, source, buckets, owned, layers, parameters, order[start], factor, work, places, lists)
    if by_columns or me == 0:
        _step_biases(layers, ZERO, parameters, count, left, right, factor, work, places, one)
    for layer in range(1, layers.shape[0]):
        first, last = rows_of(me, size, layers, layer, left, right, by_columns)
        _step_layer(me, first, last, layers, layer, parameters, count, factor, work, places, lists)
        if layer % size == me:
            columns = computed_columns(layers, layer, pointer(work))
            _step_biases(layers, layer, parameters, count, ZERO, columns, factor, work, places, one)
    return phase


@inlined
def _step_first(me, source, buckets, owned, layers, parameters, row, factor, work, places, lists):
    """Thread `me`'s part of the first layer, of the buckets or of a single row."""
    D, d_row = delta_of(layers, work, places, ZERO, ZERO)
    stride, zeros = layers[0, STRIDE], pointer(work)
    W = shifted(pointer(parameters), layers[0, WEIGHTS])
    if lists is None:
        table, (blocks, first, last, left, right, _) = source[3], owned
        sparse.step_columns(me, blocks, first, last, buckets, table, zeros, left, right, D, d_row, W, stride, factor)
    else:
        if me == 0:
            sparse.step_row(source, row, layers[0, COLUMNS], D, W, stride, factor)


@jit
def rows_of(me, size, layers, layer, left, right, by_columns):
    """The rows of an upper layer's weights that thread `me` steps; left, right: its columns of the first layer."""
    fan_in = layers[layer, FAN_IN]
    if by_columns and layer == 1:
        # The inputs that this thread alone has written, and will overwrite without waiting for the others.
        return min(left, fan_in), min(right, fan_in)
    return partition(fan_in, me, size, GRAIN)


@inlined
def _step_layer(me, first, last, layers, layer, parameters, count, factor, work, places, lists):
    """Thread `me`'s rows, first to last, of a weight matrix whose inputs are in the workspace, and of its copy."""
    if lists is None:
        _step_rows(first, last, layers, layer, parameters, count, factor, work, places)
    else:
        # What fills the padding would leak into the padding of the transposed copy.
        if layer > 0 and layers[layer - 1, ACTIVATION] not in FILLS_PADDING:
            if me == 0:
                step_layer_single(layers, layer, parameters, factor, work, places, lists)
        else:
            _step_rows(first, last, layers, layer, parameters, count, factor, work, places)


@inlined
def _step_rows(first, last, layers, layer, parameters, count, factor, work, places):
    A, a_row = inputs_of(work, places, layer, ZERO)
    D, d_row = delta_of(layers, work, places, layer, ZERO)
    stride = layers[layer, STRIDE]
    W = shifted(pointer(parameters), layers[layer, WEIGHTS] + first * stride)
    columns, zeros = width_of(layers, layer, W), pointer(work)
    update_block(last - first, columns, shifted(A, first), UNIT, a_row, D, d_row, count, zeros, W, stride, factor)
    if layer > 0:
        transpose(layers, layer, parameters, work, places, first, last)


@inlined
def _step_biases(layers, layer, parameters, count, left, right, factor, work, places, one):
    """The step of the elements left to right of a bias, whose input is a one in every sample."""
    D, d_row = delta_of(layers, work, places, layer, ZERO)
    b = shifted(pointer(parameters), layers[layer, BIASES] + left)
    ones, zeros = shifted(pointer(work), one), pointer(work)
    update_block(
        UNIT, right - left, ones, ZERO, ZERO, shifted(D, left), d_row, count, zeros, b, ZERO, factor
    )  # fmt: skip
