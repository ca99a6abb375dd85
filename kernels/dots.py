"""Products of rows whose terms stand in the lanes: sums over samples, of which a register has one partial sum each.

The partial sums are those of a cache line's places, whatever the width of a register, and are added in pairs: a sum has
the same bits on every CPU. They stay apart, a line for each product, until `fold` adds them up.
"""

import itertools

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import BELOW_COLUMNS, DOT_ROWS, REGISTER_BYTES
from .dense import DELTA
from .jit import inlined, jit
from .layout import LINE
from .registers import INDEX, INT32, UNIT, Vector, as_index, emit_switch, lanes_of, load, shifted, store
from .tile import Tile

# Rows and columns of a tile of products: its sums, a row of A and an element of D fill the registers.
HIGH, WIDE = DOT_ROWS, 4
# The same where the sums of `below_one` stand beside them, for two rows more.
BELOW_HIGH, BELOW_WIDE = 4, BELOW_COLUMNS
PARTS = LINE // REGISTER_BYTES  # registers of a line: a tile sums up one after the other of them


def _along(v, stop, part):
    """A loop over one register of each line up to `stop`, and its offset."""
    first = INDEX(part * v.lanes)
    return cgutils.for_range_slice(v.b, first, v.b.add(stop, first), INDEX(PARTS * v.lanes), intp=INDEX)


def _zeros(v, rows, columns):
    """Cells for sums, a register each."""
    cells = [[cgutils.alloca_once(v.b, v.type) for _ in range(columns)] for _ in range(rows)]
    for cell in itertools.chain(*cells):
        v.b.store(v.constant(0.0), cell)
    return cells


def _add_products(v, sums, A, D, row, at):
    """Add the products of rows of A and D to sums[row of A][row of D]."""
    b = v.b
    left = [v.load(A, b.add(b.mul(INDEX(i), row), at)) for i in range(len(sums))]
    for j in range(len(sums[0])):
        right = v.load(D, b.add(b.mul(INDEX(j), row), at))
        for a, cells in zip(left, sums, strict=True):
            b.store(v.fma(a, right, b.load(cells[j])), cells[j])


def _tile(high, wide):
    """The intrinsic that adds the products of `high` rows of A and `wide` rows of D."""

    @intrinsic
    def run(typing, A, D, row, stop, init, init_row, init_column, S, s_row):
        def codegen(context, builder, signature, arguments):
            A, D, row, stop, init, init_row, init_column, S, s_row = as_index(context, builder, signature, arguments)
            b, v = builder, Vector(builder, context.get_value_type(signature.args[7].dtype))
            for part in range(PARTS):
                place = INDEX(part * v.lanes)
                sums = [[cgutils.alloca_once(b, v.type) for _ in range(wide)] for _ in range(high)]
                for i in range(high):
                    for j in range(wide):
                        at = b.add(b.mul(INDEX(i), init_row), b.mul(INDEX(j), init_column))
                        b.store(v.load(init, b.add(at, place)), sums[i][j])
                with _along(v, stop, part) as (at, _):
                    _add_products(v, sums, A, D, row, at)
                for i in range(high):
                    for j in range(wide):
                        at = b.add(b.mul(INDEX(i), s_row), INDEX((j * PARTS + part) * v.lanes))
                        v.store(b.load(sums[i][j]), S, at)
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


def _emit_fold(v, rows):
    """The sums of registers, at most as many as they have lanes, in a register of as many; a power of two."""
    b, count = v.b, len(rows)
    block = 1
    while len(rows) > 1:
        rows = [b.fadd(*v.swap_blocks(upper, lower, block)) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
        block *= 2
    total = rows[0]
    while total.type.count > count:  # blocks of a sum of each: two neighbours are added
        lanes = [j for j in range(total.type.count) if not j & count]
        kind = ir.VectorType(INT32, len(lanes))
        even, odd = (b.shuffle_vector(total, total, ir.Constant(kind, [j + k for j in lanes])) for k in (0, count))
        total = b.fadd(even, odd)
    return total


def _emit_folds(v, sums):
    """The sums of all cells in registers of v.lanes of them, the last one may be shorter."""
    rows = [v.b.load(cell) for cells in sums for cell in cells]
    return [_emit_fold(v, rows[first : first + v.lanes]) for first in range(0, len(rows), v.lanes)]


def _emit_lines(v, parts):
    """The sums of lines from the ones of their registers, one after the other, by pairs."""
    while len(parts) > 1:
        parts = [
            [v.b.fadd(*pair) for pair in zip(*parts_of_two, strict=True)]
            for parts_of_two in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _emit_rows(v, sums, wide):
    """Vectors of `wide` sums each."""
    b, rows = v.b, []
    while sums[0].type.count < wide:  # float64 in registers of 16 bytes
        lanes = list(range(2 * sums[0].type.count))
        both = ir.Constant(ir.VectorType(INT32, len(lanes)), lanes)
        sums = [b.shuffle_vector(left, right, both) for left, right in zip(sums[::2], sums[1::2], strict=True)]
    for register in sums:
        for place in range(0, register.type.count, wide):
            lanes = ir.Constant(ir.VectorType(INT32, wide), [place + j for j in range(wide)])
            rows.append(b.shuffle_vector(register, register, lanes))
    return rows


@intrinsic
def _fold(typing, S, out):
    """out[l] = the sum of line l of S, for as many lines as a line has elements."""

    def codegen(context, builder, signature, arguments):
        element = context.get_value_type(signature.args[0].dtype)
        # Registers of a whole line, which LLVM makes of several where they are narrower.
        v = Vector(builder, element, LINE * 8 // (32 if isinstance(element, ir.FloatType) else 64))
        lines = [v.load(arguments[0], INDEX(i * v.lanes)) for i in range(v.lanes)]
        v.store(_emit_fold(v, lines), arguments[1], INDEX(0))
        return context.get_dummy_value()

    return types.void(S, out), codegen


def _folded_tile(high, wide):
    """The intrinsic that stores sums of products of `high` rows of A and `wide` rows of D; None: as many as lanes."""

    @intrinsic
    def run(typing, A, D, row, stop, C, c_row):
        def codegen(context, builder, signature, arguments):
            A, D, row, stop, C, c_row = as_index(context, builder, signature, arguments)
            b, v = builder, Vector(builder, context.get_value_type(signature.args[4].dtype))
            rows, columns, parts = high or v.lanes, wide or v.lanes, []
            for part in range(PARTS):
                sums = _zeros(v, rows, columns)
                with _along(v, stop, part) as (at, _):
                    _add_products(v, sums, A, D, row, at)
                parts.append(_emit_folds(v, sums))
            piece = Vector(b, v.element, columns)
            for i, total in enumerate(_emit_rows(v, _emit_lines(v, parts), columns)):
                piece.store(total, C, b.mul(INDEX(i), c_row))
            return context.get_dummy_value()

        return types.void(A, D, row, stop, C, c_row), codegen

    return run


_folded_block, _folded_rest = _folded_tile(HIGH, WIDE), _folded_tile(1, WIDE)
_folded_row, _folded_column = _folded_tile(1, None), _folded_tile(None, 1)
_folded_below = _folded_block if (BELOW_HIGH, BELOW_WIDE) == (HIGH, WIDE) else _folded_tile(BELOW_HIGH, BELOW_WIDE)


@jit
def dots_of_line(rows, columns, A, D, row, stop, C, c_row):
    """C[i, j] = the sum of the products of A[i, :stop] and D[j, :stop] for all i and j; columns: a multiple of WIDE.

    The sums are those of `add_dots` and `fold`, and never leave the registers.
    """
    lanes = lanes_of(C)
    whole = rows - rows % HIGH
    for i in range(0, whole, HIGH):
        for j in range(0, columns, WIDE):
            _folded_block(shifted(A, i * row), shifted(D, j * row), row, stop, shifted(C, i * c_row + j), c_row)
    for i in range(whole, rows):
        a, c = shifted(A, i * row), shifted(C, i * c_row)
        end = columns - columns % lanes
        for j in range(0, end, lanes):
            _folded_row(a, shifted(D, j * row), row, stop, shifted(c, j), c_row)
        for j in range(end, columns, WIDE):
            _folded_rest(a, shifted(D, j * row), row, stop, shifted(c, j), c_row)


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
def _relu_block(typing, A, H, E, W, w_step, D, row, stop, C, c_row, b_row, U, u_step):
    """The tile of `below_one`: BELOW_HIGH rows of A, BELOW_WIDE units."""

    def codegen(context, builder, signature, arguments):
        A, H, E, W, w_step, D, row, stop, C, c_row, b_row, U, u_step = as_index(context, builder, signature, arguments)
        b, v = builder, Vector(builder, context.get_value_type(signature.args[8].dtype))
        zero, units, parts = v.constant(0.0), [INDEX(j) for j in range(BELOW_WIDE)], []
        weights = [b.gep(W, [b.mul(j, w_step)]) for j in units]
        for part in range(PARTS):
            # Of rows of A, of one that is ones everywhere, and of the delta above.
            *of_inputs, of_ones, of_above = sums = _zeros(v, BELOW_HIGH + 2, BELOW_WIDE)
            with _along(v, stop, part) as (at, _):
                above, deltas = v.load(E, at), []
                for j, ones_cell, above_cell in zip(units, of_ones, of_above, strict=True):
                    place = b.add(b.mul(j, row), at)
                    output = v.load(H, place)
                    delta = b.fmul(v.splat(b.load(weights[j.constant])), above)
                    delta = b.select(b.fcmp_ordered(">", output, zero), delta, zero)
                    v.store(delta, D, place)
                    b.store(v.fma(output, above, b.load(above_cell)), above_cell)
                    b.store(b.fadd(b.load(ones_cell), delta), ones_cell)
                    deltas.append(delta)
                for i, cells in enumerate(of_inputs):
                    input_ = v.load(A, b.add(b.mul(INDEX(i), row), at))
                    for cell, delta in zip(cells, deltas, strict=True):
                        b.store(v.fma(input_, delta, b.load(cell)), cell)
            parts.append(_emit_folds(v, sums))
        *rows, above = _emit_rows(v, _emit_lines(v, parts), BELOW_WIDE)
        places = [b.gep(C, [b.mul(INDEX(i), c_row)]) for i in range(BELOW_HIGH)] + [b.gep(C, [b_row])]
        piece = Vector(b, v.element, BELOW_WIDE)
        for place, total in zip(places, rows, strict=True):
            piece.store(total, place, INDEX(0))
        for j in units:
            b.store(b.extract_element(above, INT32(j.constant)), b.gep(U, [b.mul(j, u_step)]))
        return context.get_dummy_value()

    return types.void(A, H, E, W, w_step, D, row, stop, C, c_row, b_row, U, u_step), codegen


@jit
def below_one(inputs, columns, A, H, E, W, w_step, D, row, stop, C, c_row, U, u_step):
    """Everything below a single unit that some relu units feed: their delta, and the gradients on both sides of them.

    D = W[j] * E where H > 0;  C[i, j] = the sum of A[i] * D[j], of ones * D[j] for i = inputs - 1;  U[j] = H[j] * E

    A, H, E    the inputs of these units, their outputs, the delta above; C, U: as `dots_of_line` has it
    W, U       with `w_step` and `u_step` from one unit to the next
    columns    a multiple of BELOW_WIDE;  `inputs` - 1: of BELOW_HIGH
    """
    for j in range(0, columns, BELOW_WIDE):
        h, d, c = shifted(H, j * row), shifted(D, j * row), shifted(C, j)
        w, u = shifted(W, j * w_step), shifted(U, j * u_step)
        b_row = (inputs - 1) * c_row
        _relu_block(A, h, E, w, w_step, d, row, stop, c, c_row, b_row, u, u_step)
        for i in range(BELOW_HIGH, inputs - 1, BELOW_HIGH):
            _folded_below(shifted(A, i * row), d, row, stop, shifted(c, i * c_row), c_row)


@jit
def dots_of_one(rows, A, D, row, stop, C, c_row, room):
    """The same for j = 0 alone; `room` for a register, and as many rows behind A's as it has lanes may be read."""
    lanes = lanes_of(C)
    whole = rows - rows % lanes
    for i in range(0, whole, lanes):
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


@inlined
def fold_rows(rows, across, S, C, c_row):
    """C[i, j] = the sum of line i * across + j of S; room for `across` * rows elements, rounded up to lines, behind S.

    across: elements of a line, or fewer
    """
    line = LINE // REGISTER_BYTES * lanes_of(S)
    if across == line:
        for i in range(rows):
            fold(line, shifted(S, i * line * line), shifted(C, i * c_row))
    else:
        folded = shifted(S, (rows * across + line - 1) // line * line * line)
        fold(rows * across, S, folded)
        for i in range(rows):
            for j in range(across):
                store(C, i * c_row + j, load(folded, i * across + j))
