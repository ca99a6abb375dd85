"""Products of rows whose terms stand in the lanes: sums over samples, of which a register has one partial sum each.

The partial sums are those of a cache line's places, whatever the width of a register, and are added in pairs: a sum has
the same bits on every CPU. They stay apart, a line for each product, until `fold` adds them up.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import REGISTER_BYTES, REGISTER_COUNT
from .dense import DELTA
from .jit import jit
from .layout import LINE
from .registers import INDEX, INT32, UNIT, Vector, as_index, emit_switch, lanes_of, load, shifted, store
from .tile import Tile

# Rows and columns of a tile of products: its sums fill half of the registers at most.
HIGH, WIDE = {2048: (4, 4), 512: (2, 2)}.get(REGISTER_BYTES * REGISTER_COUNT, (1, 2))
# Whether the sums of a tile are as many as the lines that are folded together.
FOLDS_TILES = HIGH * WIDE == 16


def _line(builder, element):
    """Registers of a whole cache line, which LLVM makes of several where they are narrower."""
    return Vector(builder, element, LINE * 8 // (32 if isinstance(element, ir.FloatType) else 64))


def _tile(high, wide):
    """The intrinsic that adds the products of `high` rows of A and `wide` rows of D."""

    @intrinsic
    def run(typing, A, D, row, stop, init, init_row, init_column, S, s_row):
        def codegen(context, builder, signature, arguments):
            A, D, row, stop, init, init_row, init_column, S, s_row = as_index(context, builder, signature, arguments)
            b, v = builder, _line(builder, context.get_value_type(signature.args[7].dtype))
            sums = [[cgutils.alloca_once(b, v.type) for _ in range(wide)] for _ in range(high)]
            for i in range(high):
                for j in range(wide):
                    at = b.add(b.mul(INDEX(i), init_row), b.mul(INDEX(j), init_column))
                    b.store(v.load(init, at), sums[i][j])
            with cgutils.for_range_slice(b, INDEX(0), stop, INDEX(v.lanes), intp=INDEX) as (at, _):
                right = [v.load(D, b.add(b.mul(INDEX(j), row), at)) for j in range(wide)]
                for i in range(high):
                    left = v.load(A, b.add(b.mul(INDEX(i), row), at))
                    for j in range(wide):
                        b.store(v.fma(left, right[j], b.load(sums[i][j])), sums[i][j])
            for i in range(high):
                for j in range(wide):
                    v.store(b.load(sums[i][j]), S, b.add(b.mul(INDEX(i), s_row), INDEX(j * v.lanes)))
            return context.get_dummy_value()

        return types.void(A, D, row, stop, init, init_row, init_column, S, s_row), codegen

    return run


_block, _beside, _below, _one = _tile(HIGH, WIDE), _tile(HIGH, 1), _tile(1, WIDE), _tile(1, 1)


@jit
def add_dots(rows, columns, A, D, row, stop, init, is_added, S, across):
    """S[i, j] = init[i, j] + the products of A[i, :stop] and D[j, :stop] by places of a line, for all i and j.

    A, D   pointers to matrices whose rows are `row` elements apart;  stop: whole lines
    S      pointer to (rows, columns) lines, `across` from one row to the next
    init   S where it is added to, else a line of zeros
    """
    line = LINE // REGISTER_BYTES * lanes_of(S)
    s_row, step = across * line, line if is_added else 0
    z_row = across * step
    for i in range(0, rows - rows % HIGH, HIGH):
        a = shifted(A, i * row)
        for j in range(0, columns - columns % WIDE, WIDE):
            s, z, d = shifted(S, i * s_row + j * line), shifted(init, i * z_row + j * step), shifted(D, j * row)
            _block(a, d, row, stop, z, z_row, step, s, s_row)
        for j in range(columns - columns % WIDE, columns):
            s, z, d = shifted(S, i * s_row + j * line), shifted(init, i * z_row + j * step), shifted(D, j * row)
            _beside(a, d, row, stop, z, z_row, step, s, s_row)
    for i in range(rows - rows % HIGH, rows):
        a = shifted(A, i * row)
        for j in range(0, columns - columns % WIDE, WIDE):
            s, z, d = shifted(S, i * s_row + j * line), shifted(init, i * z_row + j * step), shifted(D, j * row)
            _below(a, d, row, stop, z, z_row, step, s, s_row)
        for j in range(columns - columns % WIDE, columns):
            s, z, d = shifted(S, i * s_row + j * line), shifted(init, i * z_row + j * step), shifted(D, j * row)
            _one(a, d, row, stop, z, z_row, step, s, s_row)


def _emit_fold(v, lines):
    """A line of the sums of as many lines as it has elements."""
    block = 1
    while len(lines) > 1:
        lines = [
            v.b.fadd(*v.swap_blocks(upper, lower, block)) for upper, lower in zip(lines[::2], lines[1::2], strict=True)
        ]
        block *= 2
    return lines[0]


@intrinsic
def _fold(typing, S, out):
    """out[l] = the sum of line l of S, for as many lines as a line has elements."""

    def codegen(context, builder, signature, arguments):
        v = _line(builder, context.get_value_type(signature.args[0].dtype))
        lines = [v.load(arguments[0], INDEX(i * v.lanes)) for i in range(v.lanes)]
        v.store(_emit_fold(v, lines), arguments[1], INDEX(0))
        return context.get_dummy_value()

    return types.void(S, out), codegen


def _folded_tile(high, wide):
    """The intrinsic that stores the sums of the products of `high` rows of A and `wide` rows of D; None: a line's."""

    @intrinsic
    def run(typing, A, D, row, stop, C, c_row):
        def codegen(context, builder, signature, arguments):
            A, D, row, stop, C, c_row = as_index(context, builder, signature, arguments)
            b, v = builder, _line(builder, context.get_value_type(signature.args[4].dtype))
            rows, columns = high or v.lanes, wide or v.lanes
            sums = [[cgutils.alloca_once_value(b, v.constant(0.0)) for _ in range(columns)] for _ in range(rows)]
            with cgutils.for_range_slice(b, INDEX(0), stop, INDEX(v.lanes), intp=INDEX) as (at, _):
                left = [v.load(A, b.add(b.mul(INDEX(i), row), at)) for i in range(rows)]
                for j in range(columns):
                    right = v.load(D, b.add(b.mul(INDEX(j), row), at))
                    for i in range(rows):
                        b.store(v.fma(left[i], right, b.load(sums[i][j])), sums[i][j])
            lines, part = [b.load(cell) for cells in sums for cell in cells], Vector(b, v.element, columns)
            for first in range(0, len(lines), v.lanes):
                folded = _emit_fold(v, lines[first : first + v.lanes])
                for place in range(0, v.lanes, columns):
                    lanes = ir.Constant(ir.VectorType(INT32, columns), [place + j for j in range(columns)])
                    of_row = b.shuffle_vector(folded, folded, lanes)
                    part.store(of_row, C, b.mul(INDEX((first + place) // columns), c_row))
            return context.get_dummy_value()

        return types.void(A, D, row, stop, C, c_row), codegen

    return run


_folded_block, _folded_row, _folded_column = _folded_tile(HIGH, WIDE), _folded_tile(1, None), _folded_tile(None, 1)


@jit
def dots_of_line(rows, A, D, row, stop, C, c_row):
    """C[i, j] = the sum of the products of A[i, :stop] and D[j, :stop] for all i, and as many j as a line has elements.

    The sums are those of `add_dots` and `fold`, and never leave the registers: for a CPU with FOLDS_TILES.
    """
    line = LINE // REGISTER_BYTES * lanes_of(C)
    whole = rows - rows % HIGH
    for i in range(0, whole, HIGH):
        for j in range(0, line, WIDE):
            _folded_block(shifted(A, i * row), shifted(D, j * row), row, stop, shifted(C, i * c_row + j), c_row)
    for i in range(whole, rows):
        _folded_row(shifted(A, i * row), D, row, stop, shifted(C, i * c_row), c_row)


@intrinsic
def delta_of_one(typing, weight, wide, D, A, out, epilogue):
    """The row that one weight makes of a delta; as an epilogue of the dense tile has it."""

    def codegen(context, builder, signature, arguments):
        weight, wide, D, A, out, epilogue = as_index(context, builder, signature, arguments)
        one = Tile(builder, context.get_value_type(signature.args[4].dtype), 1, LINE // REGISTER_BYTES, None)
        v, step = one.v, INDEX(LINE // REGISTER_BYTES * one.v.lanes)
        weight, zero = v.splat(weight), v.constant(0.0)

        def along(code):
            with cgutils.for_range_slice(builder, INDEX(0), wide, step, intp=INDEX) as (at, _):
                d, a, c = (builder.gep(start, [at]) for start in (D, A, out))
                sums = [[v.fma(weight, v.load(d, column), zero) for column in one.columns()]]
                one.finish(sums, c, INDEX(0), a, INDEX(0), INDEX(code), v.element(1.0), [code])

        emit_switch(builder, epilogue, {code: lambda code=code: along(code) for code in sorted(set(DELTA))})
        return context.get_dummy_value()

    return types.void(weight, wide, D, A, out, epilogue), codegen


@intrinsic
def _relu_block(typing, A, H, E, W, w_step, D, row, stop, C, c_row, b_row, U):
    """The tile of `below_one`: HIGH rows of A, WIDE units."""

    def codegen(context, builder, signature, arguments):
        A, H, E, W, w_step, D, row, stop, C, c_row, b_row, U = as_index(context, builder, signature, arguments)
        b, v = builder, _line(builder, context.get_value_type(signature.args[8].dtype))
        zero, units = v.constant(0.0), [INDEX(j) for j in range(WIDE)]
        weights = [b.gep(W, [b.mul(j, w_step)]) for j in units]
        # Of HIGH rows of A, of one that is ones everywhere, and of the delta above: WIDE sums each.
        cells = [[cgutils.alloca_once_value(b, zero) for _ in units] for _ in range(HIGH + 2)]

        def add(cell, *product):
            total = b.load(cell)
            b.store(v.fma(*product, total) if len(product) == 2 else b.fadd(total, *product), cell)

        with cgutils.for_range_slice(b, INDEX(0), stop, INDEX(v.lanes), intp=INDEX) as (at, _):
            above, left = v.load(E, at), [v.load(A, b.add(b.mul(INDEX(i), row), at)) for i in range(HIGH)]
            for j in units:
                place = b.add(b.mul(j, row), at)
                output = v.load(H, place)
                of_unit = [row_cells[j.constant] for row_cells in cells]
                delta = b.fmul(v.splat(b.load(weights[j.constant])), above)
                delta = b.select(b.fcmp_ordered(">", output, zero), delta, zero)
                v.store(delta, D, place)
                for cell, input_ in zip(of_unit, left, strict=False):
                    add(cell, input_, delta)
                add(of_unit[HIGH], delta)
                add(of_unit[HIGH + 1], output, above)
        lines, part = [b.load(cell) for row_cells in cells for cell in row_cells], Vector(b, v.element, WIDE)
        places = [b.gep(C, [b.mul(INDEX(i), c_row)]) for i in range(HIGH)] + [b.gep(C, [b_row])]
        sums = []
        for first in range(0, len(lines), v.lanes):
            some = lines[first : first + v.lanes]
            folded = _emit_fold(v, some + [zero] * (v.lanes - len(some)))
            for place in range(0, len(some), WIDE):
                lanes = ir.Constant(ir.VectorType(INT32, WIDE), [place + j for j in range(WIDE)])
                sums.append(b.shuffle_vector(folded, folded, lanes))
        for place, total in zip(places, sums, strict=False):
            part.store(total, place, INDEX(0))
        for j in units:
            b.store(b.extract_element(sums[-1], INT32(j.constant)), b.gep(U, [b.mul(j, w_step)]))
        return context.get_dummy_value()

    return types.void(A, H, E, W, w_step, D, row, stop, C, c_row, b_row, U), codegen


@jit
def below_one(inputs, columns, A, H, E, W, w_step, D, row, stop, C, c_row, U):
    """Everything below a single unit that some relu units feed: their delta, and the gradients on both sides of them.

    D = W[j] * E where H > 0;  C[i, j] = the sum of A[i] * D[j], of ones * D[j] for i = inputs - 1;  U[j] = H[j] * E

    A, H, E    the inputs of these units, their outputs, the delta above; C, U: as `dots_of_line` has it
    W, U       with `w_step` from one unit to the next;  columns: a multiple of WIDE; `inputs` - 1: of HIGH
    """
    for j in range(0, columns, WIDE):
        h, d, c, at = shifted(H, j * row), shifted(D, j * row), shifted(C, j), j * w_step
        b_row = (inputs - 1) * c_row
        _relu_block(A, h, E, shifted(W, at), w_step, d, row, stop, c, c_row, b_row, shifted(U, at))
        for i in range(HIGH, inputs - 1, HIGH):
            _folded_block(shifted(A, i * row), d, row, stop, shifted(c, i * c_row), c_row)


@jit
def dots_of_one(rows, A, D, row, stop, C, c_row, room):
    """The same for j = 0 alone; `room` for a line, and rows that may be read, behind those of A, to a line's number."""
    line = LINE // REGISTER_BYTES * lanes_of(C)
    whole = rows - rows % line
    for i in range(0, whole, line):
        _folded_column(shifted(A, i * row), D, row, stop, shifted(C, i * c_row), c_row)
    if whole < rows:
        _folded_column(shifted(A, whole * row), D, row, stop, room, UNIT)
        for i in range(whole, rows):
            store(C, i * c_row, load(room, i - whole))


@jit
def fold(count, S, out):
    """out[l] = the sum of line l of S, for `count` lines, rounded up to as many as a line has elements; pointers."""
    line = LINE // REGISTER_BYTES * lanes_of(S)
    for first in range(0, count, line):
        _fold(shifted(S, first * line), shifted(out, first))
