"""The dense kernels: the register tile of `tile.py` with the epilogues affine, delta and update.

The tile computes C[i, j] = epilogue(init[j] + sum over k of A[i, k] * B[k, j]) for a few rows and registers of columns.
Long sums go by pieces of k, between which they wait in C as they are: k runs in order into one accumulator with an
explicit fma, so an element's bits depend neither on the tile it falls in, nor on the width of a register, nor on the
thread that computes it. From the term SUM_TERMS on it runs in blocks of BLOCK_ROWS terms, for one accumulator is off by
up to a unit roundoff for each of its terms.

    affine   A = inputs (rows, fan_in)    B = W      init = b   C = f(inputs @ W + b)
    delta    A = delta (rows, fan_out)    B = W.T    init = 0   C = (delta @ W.T) * f'(outputs)
    update   A = inputs.T (fan_in, rows)  B = delta  init = 0   C = W, which takes plain SGD's step

A is addressed with two strides, so that the transposed A of the update needs no copy.
"""

import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic

from .activations import activate_row, slope_row
from .cpu import REGISTER_BYTES, TALL_ROWS, TILE_REGISTERS
from .jit import counting, inlined, jit, unit
from .layout import BLOCK_ROWS, GRAIN, RELU, SIGMOID, SUM_TERMS
from .registers import INDEX, UNIT, ZERO, Vector, keep, lanes_of, pointer, row_stride, shifted
from .tile import AFFINE_RELU, DELTA_RELU, DELTA_SIGMOID, DELTA_TANH, PLAIN, STEP, tile

# A tile is TILE_ROWS x TILE_REGISTERS: 4 x 4 in 32 registers, 4 x 2 in 16; TALL_ROWS x 2 is taller.
TILE_ROWS = GRAIN
# Of a strip of B that all of its tiles pass over before they go on: it stays in the first cache, of 32 KB or more.
PIECE_BYTES = np.int64(28 << 10)
# Terms that are always one piece: two divisions less for each strip.
_SHALLOW = np.int64(PIECE_BYTES // (TILE_REGISTERS * REGISTER_BYTES))
# Rows of long sums that are put aside at a time where C has something else: 32 KB with four registers of 64 bytes.
ROWS_ASIDE = 128
# Typed, for calls with a constant: for a literal numba would compile the tiles again.
PLAIN_SUM, _STEP, _LONG, _BLOCK = np.int64(PLAIN), np.int64(STEP), np.int64(SUM_TERMS), np.int64(BLOCK_ROWS)

# By the codes of layout.ACTIVATIONS. The derivatives of those after sigmoid follow the tile, row by row.
DELTA = (PLAIN, DELTA_RELU, DELTA_TANH, DELTA_SIGMOID, PLAIN, PLAIN, PLAIN)


def _strip(registers, lanes=None):
    """A jitted function that runs the tiles of one strip of columns, `registers` wide, over all rows."""
    block, single = tile(TILE_ROWS, registers, lanes), tile(1, registers, lanes)

    @jit
    def run(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor):
        whole = rows - rows % TILE_ROWS
        for i in range(0, whole, TILE_ROWS):
            a, z = shifted(A, i * a_row), shifted(init, i * init_row)
            c, e = shifted(C, i * c_row), shifted(E, i * e_row)
            block(a, a_row, a_step, B, b_step, depth, z, init_row, c, c_row, e, e_row, epilogue, factor)
        for i in range(whole, rows):
            a, z = shifted(A, i * a_row), shifted(init, i * init_row)
            c, e = shifted(C, i * c_row), shifted(E, i * e_row)
            single(a, a_row, a_step, B, b_step, depth, z, init_row, c, c_row, e, e_row, epilogue, factor)

    return run


def _tall_strip(registers, height):
    """The same for a narrow strip, whose tiles are taller: enough sums that none waits for the one before it."""
    tall, rest = tile(height, registers), _strip(registers)
    excess = height % TILE_ROWS

    @jit
    def run(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor):
        whole = rows - rows % height
        if excess and whole > 0 and excess <= rows - whole < TILE_ROWS:
            whole -= height  # 6 + 2 rows are 4 + 4
        for i in range(0, whole, height):
            a, z = shifted(A, i * a_row), shifted(init, i * init_row)
            c, e = shifted(C, i * c_row), shifted(E, i * e_row)
            tall(a, a_row, a_step, B, b_step, depth, z, init_row, c, c_row, e, e_row, epilogue, factor)
        if whole < rows:
            a, z = shifted(A, whole * a_row), shifted(init, whole * init_row)
            c, e = shifted(C, whole * c_row), shifted(E, whole * e_row)
            rest(rows - whole, a, a_row, a_step, B, b_step, depth, z, init_row, c, c_row, e, e_row, epilogue, factor)

    return run


_strip_1, _strip_2 = _tall_strip(1, 2 * TILE_ROWS), _tall_strip(2, TALL_ROWS)
_strip_3, _strip_4 = _strip(3), _strip(4)
_strip_lane = _strip(1, lanes=1)


@jit
def _run_strip(
    registers, rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor
):  # fmt: skip
    """The tiles of one strip of columns, which is `registers` wide, a single column if 0."""
    if registers == 4:
        _strip_4(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor)
    elif registers == 3:
        _strip_3(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor)
    elif registers == 2:
        _strip_2(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor)
    elif registers == 1:
        _strip_1(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor)
    else:
        _strip_lane(rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor)


@inlined
def _strip_in_pieces(
    registers, rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor
):  # fmt: skip
    """One strip of columns, of sums that run in one accumulator: so many terms at a time that B's stay in cache."""
    # Between two pieces the sums wait in C, exactly as they are. A step, with its weights there, has one piece.
    pieces = UNIT
    if depth > _SHALLOW and epilogue != STEP:
        deepest = PIECE_BYTES // (max(registers, UNIT) * REGISTER_BYTES)
        pieces = (depth + deepest - 1) // deepest
    first = ZERO
    for piece in range(1, pieces):
        stop = depth * piece // pieces
        p, q = shifted(A, first * a_step), shifted(B, first * b_step)
        _run_strip(
            registers, rows, p, a_row, a_step, q, b_step, stop - first, init, init_row, C, c_row, E, e_row, PLAIN_SUM,
            factor,
        )  # fmt: skip
        init, init_row, first = C, c_row, stop
    p, q = shifted(A, first * a_step), shifted(B, first * b_step)
    _run_strip(
        registers, rows, p, a_row, a_step, q, b_step, depth - first, init, init_row, C, c_row, E, e_row, epilogue,
        factor,
    )  # fmt: skip


@intrinsic
def _room_aside(typing, start):
    """Memory on the stack for ROWS_ASIDE rows of a strip, behind a row of zeros."""

    def codegen(context, builder, signature, arguments):
        v = Vector(builder, context.get_value_type(signature.args[0].dtype))
        room = cgutils.alloca_once(builder, v.type, size=(1 + ROWS_ASIDE) * TILE_REGISTERS)
        start = builder.bitcast(room, arguments[0].type)
        for r in range(TILE_REGISTERS):
            v.store(v.constant(0.0), start, INDEX(r * v.lanes))
        return start

    return start(start), codegen


@jit
def _long_strip(
    registers, rows, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor
):  # fmt: skip
    """The same for more than SUM_TERMS terms: the first of them in one accumulator, the others in blocks."""
    zeros = _room_aside(C)
    aside = shifted(zeros, TILE_REGISTERS * lanes_of(C))
    height = min(ROWS_ASIDE, rows) if epilogue == STEP else rows
    for i in range(0, rows, height):
        count = min(height, rows - i)
        a, c, e = shifted(A, i * a_row), shifted(C, i * c_row), shifted(E, i * e_row)
        total, t_row = (aside, max(registers * lanes_of(C), UNIT)) if epilogue == STEP else (c, c_row)
        _strip_in_pieces(
            registers, count, a, a_row, a_step, B, b_step, _LONG, shifted(init, i * init_row), init_row, total, t_row,
            e, e_row, PLAIN_SUM, factor,
        )  # fmt: skip
        for first in range(_LONG, depth, _BLOCK):
            p, q, terms = shifted(a, first * a_step), shifted(B, first * b_step), min(_BLOCK, depth - first)
            # The step of plain SGD at the rate -1 adds the block's sum to the total.
            _run_strip(
                registers, count, p, a_row, a_step, q, b_step, terms, zeros, ZERO, total, t_row, e, e_row, _STEP, -1.0
            )  # fmt: skip
        _run_strip(
            registers, count, a, a_row, a_step, B, b_step, ZERO, total, t_row, c, c_row, e, e_row, epilogue, factor
        )  # fmt: skip


@unit
def multiply(rows, columns, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor):
    """C (rows, columns) = epilogue(init + A @ B), so many columns and terms at a time that a piece of B stays in cache.

    A, B, init, C, E   pointers of one float type;  C[i, j] stands at i * c_row + j, and is neither of A, B
    a_row, a_step      strides of A along its rows and along the sum;  b_step: from one row of B to the next
    depth              number of terms of each sum
    init, init_row     where the sums start: init[i * init_row + j]; may be C
    E, e_row           the outputs for a delta, the epilogue's second matrix
    factor             float64: rate / samples for a step; what the outputs of a delta are multiplied by, 1 if nothing
                       was dropped from them; otherwise unused
    """
    lanes, j = lanes_of(C), ZERO
    while j < columns:
        registers = min((columns - j) // lanes, TILE_REGISTERS)
        b, z, c, e = shifted(B, j), shifted(init, j), shifted(C, j), shifted(E, j)
        if depth <= SUM_TERMS:
            _strip_in_pieces(
                registers, rows, A, a_row, a_step, b, b_step, depth, z, init_row, c, c_row, e, e_row, epilogue, factor
            )  # fmt: skip
        else:
            _long_strip(
                registers, rows, A, a_row, a_step, b, b_step, depth, z, init_row, c, c_row, e, e_row, epilogue, factor
            )  # fmt: skip
        j += max(registers * lanes, UNIT)


@inlined
def affine_block(rows, columns, A, a_row, a_step, W, w_row, depth, b, activation, out, out_row):
    """out = f(A @ W + b) for pointers; all but relu follow while the block is in cache: keep `rows` small."""
    epilogue = AFFINE_RELU if activation == RELU else PLAIN
    multiply(rows, columns, A, a_row, a_step, W, w_row, depth, b, ZERO, out, out_row, out, out_row, epilogue, 1.0)
    if activation > RELU:
        for i in range(rows):
            row = shifted(out, i * out_row)
            activate_row(row, row, columns, activation)


@inlined
def delta_block(rows, columns, D, d_row, d_step, WT, w_row, depth, zeros, A, a_row, factor, activation, out, out_row):
    """out = (D @ WT) * f'(factor * A) for pointers, with the transposed weights."""
    epilogue = DELTA[activation]
    multiply(rows, columns, D, d_row, d_step, WT, w_row, depth, zeros, ZERO, out, out_row, A, a_row, epilogue, factor)
    if activation > SIGMOID:
        for i in range(rows):
            slope_row(shifted(out, i * out_row), shifted(A, i * a_row), factor, columns, activation)


@inlined
def update_block(rows, columns, A, a_row, a_step, D, d_row, depth, zeros, W, w_row, factor):
    """Plain SGD's step, W (rows, columns) -= factor * A @ D, for pointers; A[i, k] is input i of sample k."""
    multiply(rows, columns, A, a_row, a_step, D, d_row, depth, zeros, ZERO, W, w_row, W, w_row, _STEP, factor)


@inlined
def sum_block(rows, columns, A, a_row, a_step, D, d_row, depth, zeros, out, out_row):
    """out (rows, columns) = A @ D for pointers: sums of the gradient over the samples."""
    multiply(rows, columns, A, a_row, a_step, D, d_row, depth, zeros, ZERO, out, out_row, out, out_row, PLAIN_SUM, 1.0)


@counting
def affine(A, W, b, activation, out):
    """out = f(A @ W + b), (rows, fan_out). Returns out."""
    item = A.itemsize
    affine_block(
        A.shape[0], W.shape[1], pointer(A), A.strides[0] // item, A.strides[1] // item, pointer(W), row_stride(W),
        W.shape[0], pointer(b), activation, pointer(out), row_stride(out),
    )  # fmt: skip
    return out


@counting
def delta(D, W, A, activation, out):
    """out = (D @ W.T) * f'(A), (rows, fan_in): one step of the chain rule, back through a layer with outputs A."""
    item = D.itemsize
    transposed = W.T.copy()
    zeros = np.zeros(W.shape[0], W.dtype)
    delta_block(
        D.shape[0], W.shape[0], pointer(D), D.strides[0] // item, D.strides[1] // item,
        pointer(transposed), W.shape[0], W.shape[1], pointer(zeros), pointer(A), row_stride(A), 1.0, activation,
        pointer(out), row_stride(out),
    )  # fmt: skip
    keep(transposed)
    keep(zeros)
    return out


@counting
def gradient(A, D, W_out, b_out):
    """W_out = A.T @ D / rows and b_out = mean of D over the rows: the gradient averaged over the batch."""
    item = A.itemsize
    zeros, one = np.zeros(D.shape[1], D.dtype), np.ones(1, D.dtype)
    sum_block(
        A.shape[1], D.shape[1], pointer(A), A.strides[1] // item, A.strides[0] // item, pointer(D), row_stride(D),
        A.shape[0], pointer(zeros), pointer(W_out), row_stride(W_out),
    )  # fmt: skip
    sum_block(
        UNIT, D.shape[1], pointer(one), ZERO, ZERO, pointer(D), row_stride(D), A.shape[0], pointer(zeros),
        pointer(b_out), ZERO,
    )  # fmt: skip
    keep(zeros)
    keep(one)
    W_out /= A.shape[0]
    b_out /= A.shape[0]
    return W_out, b_out


@counting
def update(A, D, W, b, rate):
    """One step of plain SGD on one layer, in place, from its inputs A and its delta D; see the reference."""
    item = A.itemsize
    zeros, one = np.zeros(D.shape[1], D.dtype), np.ones(1, D.dtype)
    factor = rate / A.shape[0]
    update_block(
        A.shape[1], D.shape[1], pointer(A), A.strides[1] // item, A.strides[0] // item, pointer(D), row_stride(D),
        A.shape[0], pointer(zeros), pointer(W), row_stride(W), factor,
    )  # fmt: skip
    update_block(
        UNIT, D.shape[1], pointer(one), ZERO, ZERO, pointer(D), row_stride(D), A.shape[0], pointer(zeros), pointer(b),
        ZERO, factor,
    )  # fmt: skip
    keep(zeros)
    keep(one)
