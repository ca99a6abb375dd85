"""Dense inputs to compressed rows: what fraction of them is not zero, and the rows themselves."""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from . import thread_team
from .cpu import PACKS_LANES, REGISTER_BYTES
from .gather import address, pointer_to
from .jit import entry, jit
from .layout import BLOCK_ROWS
from .registers import (
    INDEX,
    INT32,
    as_index,
    bits_set,
    emit_packed,
    emit_splat,
    lanes_of,
    load,
    lowest_bit,
    nonzero_lanes,
    pointer,
    shifted,
)
from .sparse_rows import PIXELS, Sparse, index_dtype
from .thread_team import enter, leave, partition

# Rows spread over the matrix that are enough to know its density to a few percent.
SAMPLED_ROWS = 512
# Entries of a dense matrix that are looked at in one call, some hundredths of a second: between calls Ctrl-C is felt.
ENTRIES_AT_A_TIME = 1 << 28


def measure_density(X):
    """The fraction of entries of a dense matrix that are not zero, 0 to 1, from a sample of its rows."""
    rows = X[:: max(1, len(X) // SAMPLED_ROWS)]
    return float(np.count_nonzero(rows) / rows.size)


class EntryBuffer:
    """Memory for the entries of one matrix after another: fresh memory takes longer to get than entries to fill in."""

    def __init__(self):
        self._indices, self._values = np.empty(0, np.uint16), np.empty(0, np.uint8)

    def take(self, entries, index_kind, value_kind):
        """Arrays (entries,) of two dtypes. What was taken before is overwritten."""
        if len(self._indices) < entries or (self._indices.dtype, self._values.dtype) != (index_kind, value_kind):
            spacious = entries + entries // 8  # so that a matrix of a few entries more needs no other
            self._indices, self._values = np.empty(spacious, index_kind), np.empty(spacious, value_kind)
        return self._indices[:entries], self._values[:entries]


def compress(X, dtype, threads=1, buffer=None):
    """A dense matrix (N, D) of uint8, float32 or float64 as `Sparse` rows for a network of `dtype`.

    threads  divide the rows; the result does not depend on how many they are
    buffer   an `EntryBuffer` whose memory the entries take, until it is given to another call; None gets fresh memory
    """
    sample = np.empty(0, X.dtype)
    indptr = np.zeros(len(X) + 1, np.int64)
    size = max(1, min(threads, len(X) // BLOCK_ROWS))
    step = max(1, ENTRIES_AT_A_TIME // X.shape[1])
    for start in range(0, len(X), step):
        rows = indptr[start : start + step + 1]
        thread_team.run(_count, size, *address(X[start : start + step]), sample, X.shape[1], rows)
    np.cumsum(indptr, out=indptr)
    values_dtype = np.dtype(np.uint8 if X.dtype == np.uint8 else dtype)
    if buffer is None:
        indices, values = np.empty(indptr[-1], index_dtype(X.shape[1])), np.empty(indptr[-1], values_dtype)
    else:
        indices, values = buffer.take(indptr[-1], index_dtype(X.shape[1]), values_dtype)
    for start in range(0, len(X), step):
        rows = indptr[start : start + step + 1]
        thread_team.run(_fill, size, *address(X[start : start + step]), sample, X.shape[1], rows, indices, values)
    return Sparse(indptr, indices, values, X.shape[1])


def entry_buffers(X, dtype, size):
    """Buffers for each of `size` threads to compress a block of rows of X: indptr, indices, values, and the pixels."""
    features = X.shape[1]
    indices = np.empty((size, BLOCK_ROWS * features), index_dtype(features))
    values = np.empty(indices.shape, X.dtype if X.dtype == np.uint8 else dtype)
    return np.zeros((size, BLOCK_ROWS + 1), np.int64), indices, values, PIXELS.astype(dtype)


@jit
def _append_each(row, column, mask, indices, values, at):
    """Append the elements of row[column : column + lanes] that `mask` has, and their columns; the next place."""
    while mask != 0:
        place = column + lowest_bit(mask)
        mask &= mask - np.uint64(1)
        indices[at] = place
        values[at] = load(row, place)
        at += 1
    return at


if PACKS_LANES:

    @intrinsic
    def _pack(typing, row, column, mask, indices, values, at):
        """As `_append_each`, for pointers to `indices` and `values`.

        Whole registers are written: what comes up to `lanes` places after `at` is overwritten.
        """
        lanes = REGISTER_BYTES * 8 // row.dtype.bitwidth

        def codegen(context, builder, signature, arguments):
            row, column, mask, indices, values, at = as_index(context, builder, signature, arguments)
            source, number, value = (signature.args[i].dtype for i in (0, 3, 4))
            chosen = builder.bitcast(builder.trunc(mask, ir.IntType(lanes)), ir.VectorType(ir.IntType(1), lanes))

            def append(target, at, kind, elements):
                """Write what `elements(first, count)` has in the chosen lanes, one register at a time."""
                count = min(lanes, REGISTER_BYTES * 8 // kind.bitwidth)
                for first in range(0, lanes, count):
                    lane = ir.Constant(ir.VectorType(INT32, count), list(range(first, first + count)))
                    part, register = builder.shuffle_vector(chosen, chosen, lane), elements(first, count)
                    where = builder.bitcast(builder.gep(target, [at]), register.type.as_pointer())
                    builder.store(emit_packed(builder, register, part), where, align=kind.bitwidth // 8)
                    at = builder.add(at, builder.zext(builder.ctpop(builder.bitcast(part, ir.IntType(count))), INDEX))
                return at

            def numbers(first, count):
                """The columns of these lanes."""
                element = context.get_data_type(number)
                lowest = builder.trunc(builder.add(column, INDEX(first)), element)
                steps = ir.Constant(ir.VectorType(element, count), list(range(count)))
                return builder.add(emit_splat(builder, lowest, count), steps)

            def values_of(first, count):
                """What stands in these lanes, in the type of `values`."""
                kind = ir.VectorType(context.get_data_type(source), count)
                where = builder.bitcast(builder.gep(row, [builder.add(column, INDEX(first))]), kind.as_pointer())
                found = builder.load(where, align=source.bitwidth // 8)
                if value.bitwidth == source.bitwidth:
                    return found
                convert = builder.fpext if value.bitwidth > source.bitwidth else builder.fptrunc
                return convert(found, ir.VectorType(context.get_data_type(value), count))

            append(indices, at, number, numbers)
            return append(values, at, value, values_of)

        return types.int64(row, column, mask, indices, values, at), codegen

    @jit
    def _append(row, column, mask, indices, values, at, limit):
        """As `_append_each`, by whole registers where these end before `limit`."""
        if at + lanes_of(row) <= limit:
            return _pack(row, column, mask, pointer(indices), pointer(values), at)
        return _append_each(row, column, mask, indices, values, at)

else:

    @jit
    def _append(row, column, mask, indices, values, at, limit):
        """As `_append_each`."""
        return _append_each(row, column, mask, indices, values, at)


@jit
def compress_block(source, rows, first, count, features, compressed):
    """The rows rows[first : first + count] of a dense source, compressed: they become rows 0 to count."""
    location, x_row, sample = source
    indptr, indices, values, _ = compressed
    X = pointer_to(location, sample)
    for i in range(count):
        row = shifted(X, rows[first + i] * x_row)
        indptr[i + 1] = compress_row(row, features, indices, values, indptr[i], len(indices))


@jit
def compress_row(row, features, indices, values, at, limit):
    """Append the entries of a row that are not zero to `indices` and `values` from place `at` on; returns the next.

    row    pointer to `features` elements. A register is looked at as a whole, for most of them are all zero
    limit  the place from which on nothing may be written; what lies before it may be, even behind the entries
    """
    lanes = lanes_of(row)
    whole = features - features % lanes
    for c in range(0, whole, lanes):
        mask = nonzero_lanes(row, c)
        if mask != 0:
            at = _append(row, c, mask, indices, values, at, limit)
    for c in range(whole, features):
        if load(row, c) != 0:
            indices[at] = c
            values[at] = load(row, c)
            at += 1
    return at


def _count_rows(me, size, state, location, x_row, sample, features, indptr):
    """indptr[i + 1] = number of entries of row i that are not zero, for thread `me`'s rows."""
    size = enter(state, me, size)
    if size == 0:
        return False
    X = pointer_to(location, sample)
    whole = features - features % lanes_of(X)
    first, last = partition(indptr.shape[0] - 1, me, size, BLOCK_ROWS)
    for i in range(first, last):
        row, found = shifted(X, i * x_row), 0
        for c in range(0, whole, lanes_of(X)):
            found += bits_set(nonzero_lanes(row, c))
        for c in range(whole, features):
            found += load(row, c) != 0
        indptr[i + 1] = found
    return leave(state, me, size)


def _fill_rows(me, size, state, location, x_row, sample, features, indptr, indices, values):
    """The entries of thread `me`'s rows, at the places that `indptr` gives them."""
    size = enter(state, me, size)
    if size == 0:
        return False
    X = pointer_to(location, sample)
    first, last = partition(indptr.shape[0] - 1, me, size, BLOCK_ROWS)
    for i in range(first, last):
        # Not a place beyond the last of these rows: what comes there is another thread's.
        compress_row(shifted(X, i * x_row), features, indices, values, indptr[i], indptr[last])
    return leave(state, me, size)


_count = entry("count_rows", _count_rows)
_fill = entry("fill_rows", _fill_rows)
