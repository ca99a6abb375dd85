"""Sorting a block's entries by column, so that each row of the weights is read and written once for the block.

Columns are sorted in groups: single ones, or pairs of neighbours where these mostly have entries in the same rows, as
pixels do, and sorting pairs costs no more. A *term* of a group is a row in which one of its columns is not zero, with
the numbers of all of them.

Two passes over the entries count the terms, then place them. Pixels of few columns are sorted without counting, through
a small dense picture of the block: the entries of up to 64 rows are scattered into a grid of 64 bytes per column. The
lines of a group are then read as registers, and one instruction moves what is not zero to the front (AVX-512 VBMI2).
What costs is a store per entry and some ten instructions per group, whatever it holds. With AVX2 eight bytes at a time
are moved, by a table of the positions of each mask: some eighty instructions per column.
"""

import functools
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import PACKS_LANES, SHUFFLES_BYTES, instruction
from .jit import inlined, jit
from .layout import BLOCK_ROWS, aligned_zeros
from .registers import INDEX, INT32, UNIT, ZERO, as_index, emit_packed, emit_switch, load, pointer, shifted, store

# Columns of the largest group: to sort pairs without packing lanes takes as much longer as their sums take less.
TOGETHER = 2 if PACKS_LANES else 1
# Share of entries that stand beside another one of their group, a half at most, from which groups gain more by loading
# a delta once than their zeros cost.
SHARED_BY_PAIRS = 0.3
# Entries that are enough to estimate how they are spread over the columns.
SAMPLED_ENTRIES = 1 << 16
# The grid of a block is 64 bytes per column: so many are an eighth of a second cache of 1 MiB.
GRID_COLUMNS = 2048 if PACKS_LANES or SHUFFLES_BYTES else 0
# Entries of a column, on average, from which the grid is faster than counting.
GRID_ENTRIES = 1 if PACKS_LANES else 6
LINE_BYTES = ir.VectorType(ir.IntType(8), BLOCK_ROWS)


class Buckets(NamedTuple):
    """The entries of a batch sorted by groups of columns, and the sums of its gradient.

    Each block has a row in the first arrays, the blocks of one thread after those of another:
    starts, ends   (blocks, groups) int32: where a group's terms begin and end within the block's
    touched        (blocks, most entries of a block + 1) int32: the groups that have any
    counts         (blocks, 8) int64: number of touched groups, first row in the batch, whether the grid sorted it
    rows           (blocks, most entries of a block) uint8: of each term, the row within the block
    numbers        (blocks, together * most): of each term, the value of the group's first column, then all seconds
    and all threads together have
    owned          (size + 1,) int64: thread t steps the columns from owned[t] to owned[t + 1]
    last_block     (size, groups) int32: where thread t takes the step of a group's columns; -1: nowhere
    is_summed      (size, groups) uint8: whether thread t has begun to sum a group's columns
    sums           the gradient of a batch of several blocks, as the weights it is of
    grid           (size, bytes) uint8: zero between blocks; empty where the grid is not used
    together       columns of a group, 1 or 2; the last group may have fewer
    features       columns
    """

    starts: np.ndarray
    ends: np.ndarray
    touched: np.ndarray
    counts: np.ndarray
    rows: np.ndarray
    numbers: np.ndarray
    owned: np.ndarray
    last_block: np.ndarray
    is_summed: np.ndarray
    sums: np.ndarray
    grid: np.ndarray
    together: int
    features: int


def new_buckets(X, blocks, size, sums):
    """`Buckets` for `size` threads with `blocks` blocks each."""
    # The grid writes whole registers, and sums read two keys behind the last one.
    most = BLOCK_ROWS * int(np.diff(X.indptr).max()) + BLOCK_ROWS
    has_grid = X.values.dtype == np.uint8 and X.features <= GRID_COLUMNS
    # Counting the terms of pairs takes as much longer as their sums take less.
    together = _group_size(X) if has_grid else 1
    groups = -(-X.features // together)
    blocks *= size
    starts, ends = np.zeros((2, blocks, groups), np.int32)
    line = groups * together * BLOCK_ROWS * has_grid
    return Buckets(
        starts, ends, np.empty((blocks, min(most, groups) + 1), np.int32), np.zeros((blocks, 8), np.int64),
        np.empty((blocks, most), np.uint8), np.empty((blocks, together * most), X.values.dtype),
        _owners(X, size, together), np.full((size, groups), -1, np.int32), np.zeros((size, groups), np.uint8), sums,
        aligned_zeros(size * line, np.uint8).reshape(size, line), together, X.features,
    )  # fmt: skip


def _group_size(X):
    """Columns that are worth summing together, estimated from a sample of the entries."""
    columns = X.indices[:SAMPLED_ENTRIES]
    shared = (columns[1:] ^ columns[:-1]) == 1
    return TOGETHER if len(shared) and shared.mean() > SHARED_BY_PAIRS else 1


def _owners(X, size, together):
    """Bounds of `size` ranges of columns with about the same number of entries each, estimated from a sample."""
    counts = np.bincount(X.indices[:SAMPLED_ENTRIES] // together, minlength=-(-X.features // together))
    up_to = np.cumsum(counts)
    bounds = together * np.searchsorted(up_to, up_to[-1] * np.arange(1, size) / size, "right")
    return np.concatenate(([0], np.minimum(bounds, X.features), [X.features])).astype(np.int64)


@jit
def regroup(block, source, order, start, at, count, buckets):
    """Sort the entries of rows order[start + at :][:count] by column, into the part of `buckets` of one block.

    Two passes over the entries: count, then place; a column that is not touched costs nothing, so there may be
    millions of them.
    """
    indptr = source[0]
    clear(block, buckets)
    starts, ends, touched, counts, together = (
        buckets.starts, buckets.ends, buckets.touched, buckets.counts, buckets.together
    )  # fmt: skip
    apart = buckets.rows.shape[1]
    start_of = shifted(pointer(starts), block * starts.shape[1])
    end_of = shifted(pointer(ends), block * starts.shape[1])
    seen = shifted(pointer(touched), block * touched.shape[1])
    row_at = shifted(pointer(buckets.rows), block * buckets.rows.shape[1])
    number_at = shifted(pointer(buckets.numbers), block * buckets.numbers.shape[1])
    entries = ZERO
    for i in range(start + at, start + at + count):
        entries += indptr[order[i] + 1] - indptr[order[i]]
    counts[block, 1] = at
    if buckets.grid.shape[1] > 0 and entries >= GRID_ENTRIES * buckets.features:
        line = shifted(
            pointer(buckets.grid), block * (buckets.owned.shape[0] - 1) // starts.shape[0] * buckets.grid.shape[1]
        )
        counts[block, 0] = _sort_by_grid(
            source, order, start + at, count, starts.shape[1], together, line, start_of, end_of, seen, row_at,
            number_at, apart,
        )  # fmt: skip
        counts[block, 2] = 1
        return
    if counts[block, 2] == 1:
        ends[block, :] = 0
        counts[block, 2] = 0
    # Twice, with constants: of single columns nothing is to be told apart.
    if together == 1:
        counts[block, 0] = _sort_by_counting(
            source, order, start + at, count, ZERO, start_of, end_of, seen, row_at, number_at, apart
        )
    else:
        counts[block, 0] = _sort_by_counting(
            source, order, start + at, count, UNIT, start_of, end_of, seen, row_at, number_at, apart
        )


@inlined
def _sort_by_counting(source, order, first, count, within, start_of, end_of, seen, rows, numbers, apart):
    """Sort the entries of rows order[first:][:count] by column, in two passes; returns how many groups occur.

    within: the bit of a column's number that is its place in a pair, 1, or none, 0; the others as in `regroup`
    """
    indptr, indices, values, _ = source
    column_of, number_of = pointer(indices), pointer(values)
    found = ZERO
    for i in range(count):
        row, before = order[first + i], np.int64(-1)
        for k in range(indptr[row], indptr[row + 1]):
            group = np.int64(load(column_of, k)) >> within
            terms = load(end_of, group)
            # Without a branch, which would be mispredicted: what is written too much is overwritten.
            store(seen, found, group)
            found += terms == 0
            store(end_of, group, terms + 1 - (within & (group == before)))
            before = group
    place = ZERO
    for n in range(found):
        group = load(seen, n)
        terms = load(end_of, group)
        store(start_of, group, place)
        store(end_of, group, place)
        place += terms
    if within:
        for n in range(place):
            store(numbers, n, 0)
            store(numbers, apart + n, 0)
    for i in range(count):
        row, before = order[first + i], np.int64(-1)
        for k in range(indptr[row], indptr[row + 1]):
            column = np.int64(load(column_of, k))
            group = column >> within
            place = np.int64(load(end_of, group)) - (within & (group == before))
            store(rows, place, i)
            store(numbers, (column & within) * apart + place, load(number_of, k))
            store(end_of, group, place + 1)
            before = group
    return found


@jit
def clear(block, buckets):
    """Empty the part of `buckets` of one block."""
    counts = buckets.counts
    if counts[block, 2] == 0:
        for n in range(counts[block, 0]):
            buckets.starts[block, buckets.touched[block, n]] = 0
            buckets.ends[block, buckets.touched[block, n]] = 0
    counts[block, 0] = 0


if PACKS_LANES:

    @intrinsic
    def _take_lines(typing, together, lines, rows, numbers, apart, place):
        """Append the terms of a group from its lines of the grid; clear them; returns the number of terms.

        What is written beyond them, up to a whole register, is for the next group to overwrite.
        """

        def codegen(context, builder, signature, arguments):
            together, lines, rows, numbers, apart, place = as_index(context, builder, signature, arguments)
            found, line = cgutils.alloca_once(builder, INDEX), LINE_BYTES.as_pointer()
            zeros = ir.Constant(LINE_BYTES, [0] * BLOCK_ROWS)
            positions = ir.Constant(LINE_BYTES, list(range(BLOCK_ROWS)))

            def append(target, register, chosen):
                at = builder.bitcast(builder.gep(target, [place]), line)
                builder.store(emit_packed(builder, register, chosen), at, align=1)

            def emit(columns):
                where = [builder.bitcast(builder.gep(lines, [INDEX(c * BLOCK_ROWS)]), line) for c in range(columns)]
                registers = [builder.load(at, align=1) for at in where]
                present = builder.icmp_unsigned("!=", functools.reduce(builder.or_, registers), zeros)
                mask = builder.bitcast(present, INDEX)
                with builder.if_then(builder.icmp_unsigned("!=", mask, INDEX(0))):
                    append(rows, positions, present)
                    for c, (at, register) in enumerate(zip(where, registers, strict=True)):
                        builder.store(zeros, at, align=1)
                        append(builder.gep(numbers, [builder.mul(INDEX(c), apart)]), register, present)
                builder.store(builder.ctpop(mask), found)

            emit_switch(builder, together, {n: lambda n=n: emit(n) for n in (1, TOGETHER)})
            return builder.load(found)

        return types.int64(together, lines, rows, numbers, apart, place), codegen

elif SHUFFLES_BYTES:
    _SHUFFLE = instruction("llvm.x86.ssse3.pshuf.b.128")
    BYTES, EIGHT = ir.VectorType(ir.IntType(8), 16), ir.IntType(64)
    # Of each mask of 8 bits the positions of those that are set, one in a byte, from the lowest byte on.
    _POSITIONS = [
        sum(bit << 8 * place for place, bit in enumerate(bit for bit in range(8) if mask >> bit & 1))
        for mask in range(256)
    ]

    @intrinsic
    def _take_lines(typing, together, lines, rows, numbers, apart, place):
        """Append the terms of a column from its line of the grid; clear it; returns the number of terms.

        What is written beyond them, up to eight bytes, is for the next column to overwrite.
        """

        def codegen(context, builder, signature, arguments):
            _, line, rows, numbers, _, place = as_index(context, builder, signature, arguments)
            table = ir.Constant(ir.ArrayType(INDEX, 256), _POSITIONS)
            table = cgutils.global_constant(builder, "positions", table)
            kind = ir.FunctionType(BYTES, [BYTES, BYTES])
            shuffle = cgutils.get_or_insert_function(builder.module, kind, _SHUFFLE)
            found, zeros = cgutils.alloca_once(builder, INDEX), ir.Constant(LINE_BYTES, [0] * BLOCK_ROWS)
            where = builder.bitcast(line, LINE_BYTES.as_pointer())
            register = builder.load(where, align=1)
            mask = builder.bitcast(builder.icmp_unsigned("!=", register, zeros), INDEX)
            builder.store(INDEX(0), found)
            with builder.if_then(builder.icmp_unsigned("!=", mask, INDEX(0))):
                at = place
                for first in range(0, BLOCK_ROWS, 8):
                    part = builder.and_(builder.lshr(mask, INDEX(first)), INDEX(255))
                    positions = builder.load(builder.gep(table, [INDEX(0), part]))
                    here = builder.bitcast(builder.gep(line, [INDEX(first)]), INDEX.as_pointer())
                    none = ir.Constant(ir.VectorType(INDEX, 2), ir.Undefined)
                    eight = builder.insert_element(none, builder.load(here, align=1), INT32(0))
                    chosen = builder.insert_element(none, positions, INT32(0))
                    packed = builder.call(shuffle, [builder.bitcast(eight, BYTES), builder.bitcast(chosen, BYTES)])
                    packed = builder.extract_element(builder.bitcast(packed, none.type), INT32(0))
                    # No byte overflows into the next one.
                    own = builder.add(positions, INDEX(first * 0x0101010101010101))
                    for target, eight in ((rows, own), (numbers, packed)):
                        target = builder.bitcast(builder.gep(target, [at]), INDEX.as_pointer())
                        builder.store(eight, target, align=1)
                    at = builder.add(at, builder.ctpop(part))
                builder.store(zeros, where, align=1)
                builder.store(builder.sub(at, place), found)
            return builder.load(found)

        return types.int64(together, lines, rows, numbers, apart, place), codegen

else:

    @jit
    def _take_lines(together, lines, rows, numbers, apart, place):
        """Never run, for there is no grid: taking lines bit by bit was no faster than counting."""
        return ZERO


@jit
def _sort_by_grid(source, order, first, count, groups, together, grid, start_of, end_of, seen, rows, numbers, apart):
    """Sort the entries of rows order[first:][:count] by column, columns ascending; returns how many groups occur.

    grid: pointer to 64 zero bytes per column, which it is again afterwards; the others as in `regroup`
    """
    indptr, indices, values, _ = source
    column_of, number_of = pointer(indices), pointer(values)
    for i in range(count):
        row = order[first + i]
        byte = shifted(grid, i)
        for k in range(indptr[row], indptr[row + 1]):
            store(byte, load(column_of, k) * BLOCK_ROWS, load(number_of, k))
    found, place = 0, 0
    for group in range(groups):
        lines = shifted(grid, group * together * BLOCK_ROWS)
        terms = _take_lines(together, lines, rows, numbers, apart, place)
        store(seen, found, group)
        found += terms > 0
        store(start_of, group, place)
        place += terms
        store(end_of, group, place)
    return found
