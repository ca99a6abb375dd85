"""The sum over runs of compressed entries, in registers: one row's, or two rows' that share columns.

Where the rows of a matrix come from the second cache, loading them takes as long as two fused multiply-adds with each:
two rows of the batch that run through their columns together get the second one for nothing.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .dense import AFFINE_RELU, PLAIN, Tile
from .jit import jit
from .registers import CPU_FEATURES, INDEX, as_index, emit_switch

# Registers of an output row that are summed at a time; more of them than the CPU can hold next to an input would spill.
WIDEST = 8
# Registers from which a pair gains more than its merging costs: with masked multiply-adds, in a file of 32 registers.
PAIR_NARROWEST = 6 if "avx512f" in CPU_FEATURES else WIDEST + 1
# Share of the columns between a row's first and last entry from which two rows are taken to have many in common.
PAIR_DENSITY = 1 / 8


class Entries:
    """Emits the sum over runs of entries, for one row of `width` registers: sums += number * row of a matrix."""

    def __init__(self, builder, element, width, kind, table):
        self.b, self.kind, self.table = builder, kind, table
        self.tile = Tile(builder, element, 1, width, None)
        self.sums = [cgutils.alloca_once(builder, self.tile.v.type) for _ in range(width)]

    def start(self, init):
        """Begin with the registers at `init`."""
        for cell, column in zip(self.sums, self.tile.columns(), strict=True):
            self.b.store(self.tile.v.load(init, column), cell)

    def number(self, values, k):
        """The number that values[k] stands for."""
        number = self.b.load(self.b.gep(values, [k]))
        if self.kind == types.uint8:
            number = self.b.load(self.b.gep(self.table, [self.b.zext(number, INDEX)]))
        return number

    def row(self, matrix, stride, key):
        """The registers of a row of the matrix."""
        at = self.b.mul(self.b.zext(key, INDEX), stride)
        return [self.tile.v.load(matrix, self.b.add(at, column)) for column in self.tile.columns()]

    def add_product(self, number, row, present=None):
        """sums += number * row, in those lanes whose bit of `present` is set."""
        factor = self.tile.v.splat(number)
        for cell, register in zip(self.sums, row, strict=True):
            before = self.b.load(cell)
            after = self.tile.v.fma(factor, register, before)
            self.b.store(after if present is None else self.b.select(present, after, before), cell)

    def add(self, keys, values, first, last, matrix, stride):
        """sums += values[k] * matrix[keys[k]] for k from first to last, in order."""
        with cgutils.for_range_slice(self.b, first, last, INDEX(1), intp=INDEX) as (k, _):
            key = self.b.load(self.b.gep(keys, [k]))
            self.add_product(self.number(values, k), self.row(matrix, stride, key))

    def finish(self, C, epilogue, factor, codes):
        totals = [[self.b.load(cell) for cell in self.sums]]
        self.tile.finish(totals, C, INDEX(0), C, INDEX(0), epilogue, factor, codes)


def _add_pair(pair, keys, values, runs, matrix, stride):
    """Two runs of ascending keys, merged as they are read: a row of the matrix that both need is loaded once.

    A run that lacks a key of the other leaves its sums alone: lanes under a mask, for a branch would be mispredicted.
    """
    b, lanes = pair[0].b, pair[0].tile.v.lanes
    mask_type = ir.VectorType(ir.IntType(1), lanes)
    cells = [cgutils.alloca_once_value(b, first) for first, _ in runs]
    merge, both, rest = (b.append_basic_block(name) for name in ("merge", "both", "rest"))
    b.branch(merge)
    b.position_at_end(merge)
    places = [b.load(cell) for cell in cells]
    inside = [b.icmp_signed("<", place, last) for place, (_, last) in zip(places, runs, strict=True)]
    b.cbranch(b.and_(*inside), both, rest)
    b.position_at_end(both)
    left, right = (b.load(b.gep(keys, [place])) for place in places)
    is_next = b.icmp_unsigned("<=", left, right), b.icmp_unsigned("<=", right, left)
    row = pair[0].row(matrix, stride, b.select(is_next[0], left, right))
    for entries, place, cell, bit in zip(pair, places, cells, is_next, strict=True):
        present = b.bitcast(b.sext(bit, ir.IntType(lanes)), mask_type)
        entries.add_product(entries.number(values, place), row, present)
        b.store(b.add(place, b.zext(bit, INDEX)), cell)
    b.branch(merge)
    b.position_at_end(rest)
    for entries, cell, (_, last) in zip(pair, cells, runs, strict=True):
        entries.add(keys, values, b.load(cell), last, matrix, stride)


@intrinsic
def pair_sum(typing, width, indices, values, runs, table, W, w_row, init, out, out_row, epilogue):
    """Two rows of out = epilogue(init + sum of values[k] * W[indices[k]]) for two runs of k, `width` registers of them.

    runs: (first, last of the one, first, last of the other)
    """

    def codegen(context, builder, signature, arguments):
        width, indices, values, runs, table, W, w_row, init, out, out_row, epilogue = as_index(
            context, builder, signature, arguments
        )
        result, stored = signature.args[8].dtype, signature.args[2].dtype
        element, nothing = context.get_value_type(result), context.get_constant(result, 0)
        a, b, c, d = cgutils.unpack_tuple(builder, runs)

        def emit(registers):
            pair = [Entries(builder, element, registers, stored, table) for _ in range(2)]
            for entries in pair:
                entries.start(init)
            _add_pair(pair, indices, values, ((a, b), (c, d)), W, w_row)
            for entries, place in zip(pair, (out, builder.gep(out, [out_row])), strict=True):
                entries.finish(place, epilogue, nothing, (PLAIN, AFFINE_RELU))

        emit_switch(builder, width, {n: lambda n=n: emit(n) for n in range(PAIR_NARROWEST, WIDEST + 1)})
        return context.get_dummy_value()

    return types.void(width, indices, values, runs, table, W, w_row, init, out, out_row, epilogue), codegen


@jit
def overlap(indices, runs):
    """Whether two rows are full enough to have many columns in common, as pictures are, judged by their ends."""
    a, b, c, d = runs
    if a == b or c == d:
        return False
    span = np.int64(indices[b - 1]) - indices[a] + indices[d - 1] - indices[c]
    return b - a + d - c >= PAIR_DENSITY * span
