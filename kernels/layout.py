"""Where each layer's numbers stand in the flat buffers that every kernel shares.

All weights and biases of a network live in one 64-byte aligned buffer. Layer l has a row of `layer_table`:

    FAN_IN, FAN_OUT   the layer's real widths
    COLUMNS           fan_out rounded up to whole 64-byte lines: what kernels compute, or whole registers of it, so that
                      they never need a masked load. The padding columns stay zero
    STRIDE            elements from one row of W to the next, COLUMNS or a line more: see `stride_of`
    WEIGHTS           offset of W[0, 0]; W is (fan_in, stride)
    BIASES            offset of b[0]; b is (stride,) and follows W, so that one layer is one contiguous block
    ACTIVATION        a value of ACTIVATIONS

The layout depends on widths and dtype alone, never on the CPU: a saved buffer means the same everywhere.
"""

import numpy as np

FAN_IN, FAN_OUT, COLUMNS, STRIDE, WEIGHTS, BIASES, ACTIVATION = range(7)

IDENTITY, RELU, TANH, SIGMOID, LEAKY_RELU, ELU, SOFTPLUS = range(7)
ACTIVATIONS = {
    "identity": IDENTITY,
    "relu": RELU,
    "tanh": TANH,
    "sigmoid": SIGMOID,
    "leaky_relu": LEAKY_RELU,
    "elu": ELU,
    "softplus": SOFTPLUS,
}
# Their outputs of 0 are not 0: the padding of a layer's outputs holds other numbers.
FILLS_PADDING = (SIGMOID, SOFTPLUS)
# Half or more of their inputs pass as they are or nearly so: what is said of relu's first weights is true of them.
RECTIFIERS = (RELU, LEAKY_RELU, ELU)
LEAK = 0.01  # slope of leaky_relu below 0

# Rows whose activations a thread works on at a time: 64 rows of 784 inputs are 200 KB, a part of any second cache, and
# 64 deltas of 112 units are 28 KB, about the first.
BLOCK_ROWS = 64
# A thread's part of the rows starts at a multiple of this, the height of the dense tile.
GRAIN = 4
# Terms of a sum that are added one by one in one accumulator. Those that follow are added up in blocks of BLOCK_ROWS,
# each from zero, and the blocks' sums to the total: the error bound grows by a unit roundoff for 64 terms, not for one.
SUM_TERMS = 2048

LINE = 64  # bytes: a cache line, and the widest register of any CPU that is known to Numba
MOST_LANES = LINE // 4  # elements of a register at most: of float32
# Rows of a multiple of so many lines stand in a part of a cache's sets alone, where they push one another out: a strip
# of four lines of a matrix would get half of the cache, or less, at 64 lines a sixteenth.
ALIASING_LINES = 8


def padded(width, dtype):
    """Elements of `dtype` in the whole cache lines that hold `width` of them."""
    per_line = LINE // np.dtype(dtype).itemsize
    return -(-width // per_line) * per_line


def stride_of(width, dtype):
    """Elements from one row of a matrix `width` wide to the next, which spread its rows over all sets of a cache."""
    per_line = LINE // np.dtype(dtype).itemsize
    lines = padded(width, dtype) // per_line
    return (lines + (lines % ALIASING_LINES == 0)) * per_line


def layer_table(widths, activations, dtype):
    """Describe a network: (layers, 7) int64, one row per layer as in the module's docstring.

    widths: inputs, hidden widths, classes. activations: a name per hidden layer; the output layer computes logits.
    """
    table = np.zeros((len(widths) - 1, 7), np.int64)
    offset = 0
    for row, fan_in, fan_out, activation in zip(
        table, widths[:-1], widths[1:], (*activations, "identity"), strict=True
    ):
        columns, stride = padded(fan_out, dtype), stride_of(fan_out, dtype)
        row[:] = fan_in, fan_out, columns, stride, offset, offset + fan_in * stride, ACTIVATIONS[activation]
        offset += (fan_in + 1) * stride
    return table


def multiply_adds(layers):
    """Multiply-adds of one sample's way forward."""
    return int(layers[:, FAN_IN] @ layers[:, FAN_OUT])


def buffer_size(layers):
    """Elements of the flat buffer that `layers` describes."""
    return int(layers[-1, BIASES] + layers[-1, STRIDE])


def aligned_zeros(size, dtype):
    """A (size,) array of zeros whose first element starts a cache line."""
    dtype = np.dtype(dtype)
    raw = np.zeros(size * dtype.itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * dtype.itemsize].view(dtype)


def weight_views(buffer, layers):
    """The matrices W, (fan_in, fan_out) each, as views of a flat buffer."""
    return [buffer[row[WEIGHTS] : row[BIASES]].reshape(row[FAN_IN], row[STRIDE])[:, : row[FAN_OUT]] for row in layers]


def bias_views(buffer, layers):
    """The vectors b, (fan_out,) each, as views of a flat buffer."""
    return [buffer[row[BIASES] : row[BIASES] + row[FAN_OUT]] for row in layers]
