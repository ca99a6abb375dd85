"""Sorting a block's pixels by column without counting them: through a small dense picture of the block.

The entries of up to 64 rows are scattered into a grid of 64 bytes per column, byte i for row i. A column's line is then
read as one register, and one instruction moves the bytes that are not zero to the front (AVX-512 VBMI2). What costs is
a store per entry and some ten instructions per column, whatever the column holds.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .cpu import PACKS_LANES
from .jit import jit
from .layout import BLOCK_ROWS
from .registers import INDEX, ZERO, as_index, emit_packed, load, pointer, shifted, store

# The grid of a block is 64 bytes per column: so many are an eighth of a second cache of 1 MiB.
GRID_COLUMNS = 2048 if PACKS_LANES else 0
BYTES = ir.VectorType(ir.IntType(8), BLOCK_ROWS)


if PACKS_LANES:

    @intrinsic
    def _take_line(typing, line, rows, numbers, place):
        """Append the non-zero bytes of a line of the grid, and their positions; clear it; returns their number.

        What is written beyond them, up to a whole register, is for the next line to overwrite.
        """

        def codegen(context, builder, signature, arguments):
            line, rows, numbers, place = as_index(context, builder, signature, arguments)
            zeros = ir.Constant(BYTES, [0] * BLOCK_ROWS)
            positions = ir.Constant(BYTES, list(range(BLOCK_ROWS)))
            where = builder.bitcast(line, BYTES.as_pointer())
            found = builder.load(where, align=1)
            present = builder.icmp_unsigned("!=", found, zeros)
            mask = builder.bitcast(present, INDEX)
            with builder.if_then(builder.icmp_unsigned("!=", mask, INDEX(0))):
                builder.store(zeros, where, align=1)
                for source, target in ((positions, rows), (found, numbers)):
                    at = builder.bitcast(builder.gep(target, [place]), BYTES.as_pointer())
                    builder.store(emit_packed(builder, source, present), at, align=1)
            return builder.ctpop(mask)

        return types.int64(line, rows, numbers, place), codegen

else:

    @jit
    def _take_line(line, rows, numbers, place):
        """Never run, for there is no grid: taking a line bit by bit was no faster than counting."""
        return ZERO


@jit
def sort_by_grid(source, order, first, count, columns, grid, start_of, end_of, seen, rows, numbers):
    """Sort the entries of rows order[first:][:count] by column, columns ascending; returns how many columns occur.

    grid: pointer to 64 zero bytes per column, which it is again afterwards; the others as in `sparse.regroup`
    """
    indptr, indices, values, _ = source
    column_of, number_of = pointer(indices), pointer(values)
    for i in range(count):
        row = order[first + i]
        byte = shifted(grid, i)
        for k in range(indptr[row], indptr[row + 1]):
            store(byte, load(column_of, k) * BLOCK_ROWS, load(number_of, k))
    found, place = 0, 0
    for column in range(columns):
        entries = _take_line(shifted(grid, column * BLOCK_ROWS), rows, numbers, place)
        store(seen, found, column)
        found += entries > 0
        store(start_of, column, place)
        place += entries
        store(end_of, column, place)
    return found
