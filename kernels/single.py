"""Plain SGD from a single sample, above the first layer: by the activations and deltas that are not zero.

relu leaves about half of either zero. They are listed once, and then pass for a row of sparse inputs: the layer above
adds those rows of its weights, the layer below those rows of the transposed ones, and the step changes those rows
alone. The same by a test of each number would be mispredicted every third time.
"""

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from .activations import activate_row, slope_row
from .block import TRANSPOSED, TRANSPOSED_STRIDE, delta_of, inputs_of
from .compress import compress_row
from .dense import DELTA
from .jit import inlined, jit
from .layout import ACTIVATION, BIASES, COLUMNS, FAN_IN, FAN_OUT, RELU, SIGMOID, STRIDE, WEIGHTS
from .registers import INDEX, ZERO, as_index, lanes_of, pointer, shifted
from .sparse import step_row
from .sparse_sums import ALL_COLUMNS, WIDEST, Entries, strip_of, switch_on_width
from .tile import AFFINE_RELU, DELTA_RELU, DELTA_SIGMOID, DELTA_TANH, PLAIN


def new_lists(layers, dtype):
    """Room for lists: (indptr, indices, values), as of `Sparse`.

    Row l - 1 has the inputs of layer l, and row 2 (number of layers - 1) - l its delta: in the order of their making.
    """
    numbers = int(layers[1:, FAN_IN].sum() + layers[1:, FAN_OUT].sum())
    return np.zeros(2 * len(layers), np.int64), np.empty(numbers, np.int32), np.empty(numbers, dtype)


@intrinsic
def _listed_sum(typing, width, indices, values, first, last, W, w_row, init, out, beside, epilogue):
    """out = epilogue(init + sum of values[k] * W[indices[k]] for k from first to last), `width` registers of it."""

    def codegen(context, builder, signature, arguments):
        width, indices, values, first, last, W, w_row, init, out, beside, epilogue = as_index(
            context, builder, signature, arguments
        )
        kind = signature.args[2].dtype
        unit = context.get_constant(kind, 1.0)

        def emit(registers):
            element = context.get_value_type(kind)
            entries, part = (Entries(builder, element, registers, kind, None) for _ in range(2))
            entries.start(init)
            entries.add_below(INDEX(ALL_COLUMNS), indices, values, first, last, W, w_row, part)
            codes = (PLAIN, AFFINE_RELU, DELTA_RELU, DELTA_TANH, DELTA_SIGMOID)
            entries.finish(out, epilogue, unit, codes, beside=beside)

        switch_on_width(builder, width, emit)
        return context.get_dummy_value()

    return types.void(width, indices, values, first, last, W, w_row, init, out, beside, epilogue), codegen


@jit
def _multiply_listed(lists, row, columns, W, w_row, init, out, beside, epilogue):
    """out = epilogue(init + listed row @ W), for pointers."""
    indptr, indices, values = lists
    lanes = lanes_of(out)
    j = ZERO
    while j < columns:
        width = strip_of((columns - j) // lanes, WIDEST)
        _listed_sum(
            width, pointer(indices), pointer(values), indptr[row], indptr[row + 1], shifted(W, j), w_row,
            shifted(init, j), shifted(out, j), shifted(beside, j), epilogue,
        )  # fmt: skip
        j += width * lanes


@inlined
def _list_row(lists, row, numbers, count):
    indptr, indices, values = lists
    indptr[row + 1] = compress_row(numbers, count, indices, values, indptr[row], len(indices))


@inlined
def _rows_of(layers, layer):
    """The rows of the lists that have the inputs and the delta of a layer."""
    return layer - 1, 2 * (layers.shape[0] - 1) - layer


@inlined
def affine_single(layer, layers, parameters, work, places, lists):
    """A layer's outputs, as of `block.affine_layer`; lists its inputs."""
    weights, stride, activation = pointer(parameters), layers[layer, STRIDE], layers[layer, ACTIVATION]
    A, _ = inputs_of(work, places, layer, ZERO)
    out, _ = inputs_of(work, places, layer + 1, ZERO)
    W, b = shifted(weights, layers[layer, WEIGHTS]), shifted(weights, layers[layer, BIASES])
    row, _ = _rows_of(layers, layer)
    _list_row(lists, row, A, layers[layer, FAN_IN])
    epilogue = np.int64(AFFINE_RELU if activation == RELU else PLAIN)
    _multiply_listed(lists, row, layers[layer, COLUMNS], W, stride, b, out, out, epilogue)
    if activation > RELU:
        activate_row(out, out, layers[layer, COLUMNS], activation)


@inlined
def delta_below_single(layer, layers, work, places, lists):
    """The delta of layer `layer` - 1, as of `block.delta_below`; lists that of the layer itself."""
    D, _ = delta_of(layers, work, places, layer, ZERO)
    out, _ = delta_of(layers, work, places, layer - 1, ZERO)
    A, _ = inputs_of(work, places, layer, ZERO)
    T = shifted(pointer(work), places[layer, TRANSPOSED])
    activation, columns = layers[layer - 1, ACTIVATION], layers[layer - 1, COLUMNS]
    _, row = _rows_of(layers, layer)
    _list_row(lists, row, D, layers[layer, FAN_OUT])
    epilogue = np.int64(DELTA[activation])
    _multiply_listed(lists, row, columns, T, places[layer, TRANSPOSED_STRIDE], pointer(work), out, A, epilogue)
    if activation > SIGMOID:
        slope_row(out, A, 1.0, columns, activation)


@inlined
def step_layer_single(layers, layer, parameters, factor, work, places, lists):
    """The step on a weight matrix, and the same step on its transposed copy."""
    A, _ = inputs_of(work, places, layer, ZERO)
    D, _ = delta_of(layers, work, places, layer, ZERO)
    W = shifted(pointer(parameters), layers[layer, WEIGHTS])
    T = shifted(pointer(work), places[layer, TRANSPOSED])
    inputs, delta = _rows_of(layers, layer)
    indptr, indices, values = lists
    source = indptr, indices, values, values
    step_row(source, inputs, layers[layer, COLUMNS], D, W, layers[layer, STRIDE], factor)
    step_row(source, delta, layers[layer - 1, COLUMNS], A, T, places[layer, TRANSPOSED_STRIDE], factor)
