"""The sum over a run of compressed entries, in registers, and how far a run goes at a time; the same for a dense row.

Loading a row of W from the second cache takes about twice as long as the fused multiply-adds with it, and an entry
needs nothing else. So the rows of a block run through the same stretch of W together, while it is in the first cache.
"""

import itertools

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .activations import activate_row
from .cpu import REGISTER_BYTES, REGISTER_COUNT, ROWS_AHEAD
from .jit import jit
from .layout import BLOCK_ROWS, LINE, RELU, SUM_TERMS
from .registers import INDEX, ZERO, as_index, emit_switch, lanes_of, shifted
from .tile import AFFINE_RELU, PLAIN, Tile

# Registers in a cache line, of which there are whole ones in any row.
LINE_REGISTERS = LINE // REGISTER_BYTES
# Registers by which the widths of strips differ: half a line, or one that is wider.
GRAIN_REGISTERS = max(1, LINE_REGISTERS // 2)
# Registers of an output row that are summed at a time: up to 8 lines of them, beside a number and a row of the matrix.
# All 112 columns at once take 2 cycles less per entry, with 16 registers of AVX2, than two strips.
WIDEST = min(8, (REGISTER_COUNT - 2) // LINE_REGISTERS) * LINE_REGISTERS
# Of W in a stretch. More than a first cache of 32 KB, for there are columns that no row of a block needs.
STRETCH_BYTES = 48 << 10
# Uses of a row of W by a block, and entries of a row in a stretch, from which stretches gain more than they cost.
STRETCH_USES, STRETCH_ENTRIES = 2, 12
ALL_COLUMNS = np.int64(2**62)
# The stride of a single row.
NO_ROWS = INDEX(0)


def switch_on_width(builder, width, emit, widest=WIDEST):
    """Run emit(registers) for the run-time number of registers of a strip."""
    widths = range(GRAIN_REGISTERS, widest + 1, GRAIN_REGISTERS)
    emit_switch(builder, width, {registers: lambda registers=registers: emit(registers) for registers in widths})


@jit
def strip_of(registers, widest):
    """Registers of the next strip of an output row of so many: strips are about equally wide, of whole grains."""
    grains = registers // GRAIN_REGISTERS
    strips = (registers + widest - 1) // widest
    return (grains + strips - 1) // strips * GRAIN_REGISTERS


class Entries:
    """Emits the sums over runs of entries, `width` registers each: sums += number * row of a matrix.

    There are `rows` sums, each with a number of its own for every row of the matrix, which is loaded once for all.
    """

    def __init__(self, builder, element, width, kind, table, rows=1):
        self.b, self.kind, self.table = builder, kind, table
        self.tile = Tile(builder, element, rows, width, None)
        self.sums = [[cgutils.alloca_once(builder, self.tile.v.type) for _ in range(width)] for _ in range(rows)]

    def start(self, init, init_row=NO_ROWS):
        """Begin with the registers at `init`, and at so many elements after it for each further sum."""
        for m, cells in enumerate(self.sums):
            for cell, column in zip(cells, self.tile.columns(), strict=True):
                at = self.b.add(self.b.mul(INDEX(m), init_row), column)
                self.b.store(self.tile.v.load(init, at), cell)

    def clear(self):
        """Begin with zeros."""
        for cell in itertools.chain(*self.sums):
            self.b.store(self.tile.v.constant(0.0), cell)

    def add_sums(self, others):
        """sums += those of others."""
        for cell, other in zip(itertools.chain(*self.sums), itertools.chain(*others.sums), strict=True):
            self.b.store(self.b.fadd(self.b.load(cell), self.b.load(other)), cell)

    def number(self, values, k):
        """The number that values[k] represents."""
        number = self.b.load(self.b.gep(values, [k]))
        if self.kind == types.uint8:
            number = self.b.load(self.b.gep(self.table, [self.b.zext(number, INDEX)]))
        return number

    def place(self, stride, key):
        """Where the row `key` of a matrix begins, computed where this is said and not where it is used."""
        at = self.b.mul(self.b.zext(key, INDEX), stride)
        # No instruction, but one for LLVM, which would put off the load of the key until the row is loaded.
        return self.b.asm(ir.FunctionType(INDEX, [INDEX]), "", "=r,0", [at], False)

    def row(self, matrix, at):
        """The registers of the row of the matrix that begins at a place."""
        return [self.tile.v.load(matrix, self.b.add(at, column)) for column in self.tile.columns()]

    def add_product(self, numbers, row):
        """sums += number * row, for the number of each sum."""
        factors = [self.tile.v.splat(number) for number in numbers]
        for r, register in enumerate(row):
            for factor, cells in zip(factors, self.sums, strict=True):
                self.b.store(self.tile.v.fma(factor, register, self.b.load(cells[r])), cells[r])

    def add(self, keys, values, apart, first, last, matrix, stride):
        """sums += values[k] * matrix[keys[k]] for k from first to last, in order; each sum's values after `apart`.

        keys[last] and the key after it are read too.
        """
        b = self.b
        offsets = [b.mul(INDEX(m), apart) for m in range(len(self.sums))]

        def place(k):
            return self.place(stride, b.load(b.gep(keys, [k])))

        before, body, behind = b.block, b.append_basic_block("body"), b.append_basic_block("behind")
        begin = first, place(first), place(b.add(first, INDEX(1)))
        b.cbranch(b.icmp_signed("<", first, last), body, behind)
        b.position_at_end(body)
        k, at, ahead = phis = [b.phi(INDEX) for _ in range(3)]
        following = b.add(k, INDEX(1))
        numbers = [self.number(values, b.add(offset, k)) for offset in offsets]
        self.add_product(numbers, self.row(matrix, at))
        then = following, ahead, place(b.add(k, INDEX(2)))
        for phi, value, again in zip(phis, begin, then, strict=True):
            phi.add_incoming(value, before)
            phi.add_incoming(again, b.block)
        b.cbranch(b.icmp_signed("<", following, last), body, behind)
        b.position_at_end(behind)

    def add_below(self, limit, keys, values, first, last, matrix, stride, part):
        """sum += values[k] * matrix[keys[k]] for k up to the first key that is not below the limit; that k, or last.

        From the key SUM_TERMS on, where a limit is a multiple of BLOCK_ROWS, in blocks of so many keys, from zero in
        `part` each.
        """
        b, inner = self.b, cgutils.alloca_once(self.b, INDEX)
        is_short = b.icmp_signed("<", limit, INDEX(SUM_TERMS))
        below = b.select(is_short, limit, INDEX(SUM_TERMS))
        b.store(self.add_while_below(below, keys, values, first, last, matrix, stride), inner)
        head, check, body, behind = (b.append_basic_block(name) for name in ("head", "check", "body", "behind"))
        b.branch(head)
        b.position_at_end(head)
        k = b.load(inner)
        b.cbranch(b.icmp_signed("<", k, last), check, behind)
        b.position_at_end(check)
        key = b.zext(b.load(b.gep(keys, [k])), INDEX)
        b.cbranch(b.icmp_signed("<", key, limit), body, behind)
        b.position_at_end(body)
        end = b.add(b.or_(key, INDEX(BLOCK_ROWS - 1)), INDEX(1))
        part.clear()
        b.store(part.add_while_below(end, keys, values, k, last, matrix, stride), inner)
        self.add_sums(part)
        b.branch(head)
        b.position_at_end(behind)
        return b.load(inner)

    def add_while_below(self, limit, keys, values, first, last, matrix, stride):
        """sums += values[k] * matrix[keys[k]] for k from first while keys[k] < limit; returns the next k, or last."""
        b, before = self.b, self.b.block
        start, head, body, behind = (b.append_basic_block(name) for name in ("start", "head", "body", "behind"))
        b.cbranch(b.icmp_signed("<", first, last), start, behind)
        b.position_at_end(start)

        def look(k):
            """The key k, or the last one, and the place of its row."""
            if ROWS_AHEAD:
                k = b.select(b.icmp_signed("<", k, last), k, b.sub(last, INDEX(1)))
            key = b.zext(b.load(b.gep(keys, [k])), INDEX)
            return key, self.place(stride, key)

        begin = [first, *itertools.chain(*(look(b.add(first, INDEX(n))) for n in range(ROWS_AHEAD)))]
        b.branch(head)
        b.position_at_end(head)
        k, *seen = phis = [b.phi(INDEX) for _ in begin]
        key, at = seen[:2] or look(k)
        b.cbranch(b.icmp_signed("<", key, limit), body, behind)
        b.position_at_end(body)
        following = b.add(k, INDEX(1))
        self.add_product([self.number(values, k)], self.row(matrix, at))
        then = [following, *seen[2:], *(look(b.add(k, INDEX(ROWS_AHEAD))) if seen else ())]
        for phi, value, again in zip(phis, begin, then, strict=True):
            phi.add_incoming(value, start)
            phi.add_incoming(again, body)
        b.cbranch(b.icmp_signed("<", following, last), head, behind)
        b.position_at_end(behind)
        reached = b.phi(INDEX)
        for value, block in ((first, before), (k, head), (following, body)):
            reached.add_incoming(value, block)
        return reached

    def finish(self, C, epilogue, factor, codes, c_row=NO_ROWS, beside=None):
        totals = [[self.b.load(cell) for cell in cells] for cells in self.sums]
        self.tile.finish(totals, C, c_row, beside or C, c_row, epilogue, factor, codes)


@jit
def stretch_of(source, order, first, count, width):
    """Columns of the inputs that a block of rows runs through at a time, for outputs of `width` registers.

    All of them where stretches would gain less than it costs to put every row's sums away and take them up again.
    """
    indptr, indices, _, _ = source
    entries, columns = ZERO, ZERO
    for i in range(count):
        begin, end = indptr[order[first + i]], indptr[order[first + i] + 1]
        entries += end - begin
        if begin < end:
            columns = max(columns, np.int64(indices[end - 1]) + 1)
    fitting = STRETCH_BYTES // (max(width, 1) * REGISTER_BYTES)
    if entries >= STRETCH_USES * columns and entries * fitting >= STRETCH_ENTRIES * columns * count:
        return np.int64(fitting)
    return ALL_COLUMNS


@intrinsic
def row_scratch(typing):
    """Memory on the stack for a number of each row of a block."""

    def codegen(context, builder, signature, arguments):
        return cgutils.alloca_once(builder, INDEX, size=BLOCK_ROWS)

    return types.CPointer(types.int64)(), codegen


@intrinsic
def _row_sum_skipping(typing, width, A, W, w_row, fan_in, init, out, epilogue):
    """out = epilogue(init + sum of A[k] * W[k] for the k at which A is not zero), `width` registers of it."""

    def codegen(context, builder, signature, arguments):
        width, A, W, w_row, fan_in, init, out, epilogue = as_index(context, builder, signature, arguments)
        kind = signature.args[6].dtype
        zero = context.get_constant(kind, 0)

        def emit(registers):
            element = context.get_value_type(kind)
            entries, part = (Entries(builder, element, registers, kind, None) for _ in range(2))

            def add(sums, first, stop):
                with cgutils.for_range_slice(builder, first, stop, INDEX(1), intp=INDEX) as (k, _):
                    number = sums.number(A, k)
                    with builder.if_then(builder.fcmp_unordered("!=", number, zero)):
                        sums.add_product([number], sums.row(W, sums.place(w_row, k)))

            def least(x, y):
                return builder.select(builder.icmp_signed("<", x, y), x, y)

            entries.start(init)
            add(entries, INDEX(0), least(fan_in, INDEX(SUM_TERMS)))
            block = INDEX(BLOCK_ROWS)
            with cgutils.for_range_slice(builder, INDEX(SUM_TERMS), fan_in, block, intp=INDEX) as (first, _):
                part.clear()
                add(part, first, least(fan_in, builder.add(first, block)))
                entries.add_sums(part)
            entries.finish(out, epilogue, zero, (PLAIN, AFFINE_RELU))

        switch_on_width(builder, width, emit)
        return context.get_dummy_value()

    return types.void(width, A, W, w_row, fan_in, init, out, epilogue), codegen


@jit
def affine_row(columns, A, W, w_row, fan_in, b, activation, out):
    """out = f(A @ W + b) for a single row A, of pointers: where it is zero, as in most of an image, W is not read."""
    epilogue = np.int64(AFFINE_RELU if activation == RELU else PLAIN)
    lanes = lanes_of(out)
    j = ZERO
    while j < columns:
        width = strip_of((columns - j) // lanes, WIDEST)
        _row_sum_skipping(width, A, shifted(W, j), w_row, fan_in, shifted(b, j), shifted(out, j), epilogue)
        j += width * lanes
    if activation > RELU:
        activate_row(out, out, columns, activation)
