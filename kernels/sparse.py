"""The first layer for inputs that are mostly zero: it multiplies by what is there and skips the rest.

Inputs are compressed rows: row r has its columns in indices[indptr[r] : indptr[r + 1]], ascending, and its numbers in
values, at the same places. Pixels stay uint8 and go through a table of 256 floats. A skipped zero would have added
nothing to a sum that runs in order with an fma, so the results have the bits of the dense tile.

    affine   per row: the bias, plus value * W[column] for each entry; the row of the output stays in registers
    update   the batch regrouped by column first (`regroup`); then per column the sum of value * delta[row] over the
             rows where it is not zero, and the optimiser's step: each row of W is read and written once
"""

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from .activations import activate_row
from .dense import AFFINE_RELU, PLAIN, STEP_MOMENTUM, STEP_SGD, Tile
from .jit import inlined, jit
from .layout import RELU, SIGMOID, TANH
from .registers import INDEX, ZERO, as_index, emit_switch, lanes_of, pointer, shifted

# Registers of an output row that are summed at a time; more of them than the CPU can hold next to an input would spill.
WIDEST = 8
# Entries that tell well enough how the columns share them.
SAMPLED_ENTRIES = 1 << 16


class _Entries:
    """Emits the sum over runs of entries, for one row of `width` registers: sums += number * row of a matrix."""

    def __init__(self, builder, element, width, kind, table):
        self.b, self.kind, self.table = builder, kind, table
        self.tile = Tile(builder, element, 1, width, None)
        self.sums = [cgutils.alloca_once(builder, self.tile.v.type) for _ in range(width)]

    def start(self, init=None):
        """Begin with the registers at `init`, or with zeros."""
        v = self.tile.v
        for cell, column in zip(self.sums, self.tile.columns(), strict=True):
            self.b.store(v.constant(0.0) if init is None else v.load(init, column), cell)

    def add(self, keys, values, first, last, matrix, stride):
        """sums += values[k] * matrix[keys[k]] for k from first to last, in order."""
        b, v = self.b, self.tile.v
        with cgutils.for_range_slice(b, first, last, INDEX(1), intp=INDEX) as (k, _):
            key = b.load(b.gep(keys, [k]))
            number = b.load(b.gep(values, [k]))
            if self.kind == types.uint8:
                number = b.load(b.gep(self.table, [b.zext(number, INDEX)]))
            number = v.splat(number)
            at = b.mul(b.zext(key, INDEX), stride)
            for cell, column in zip(self.sums, self.tile.columns(), strict=True):
                b.store(v.fma(number, v.load(matrix, b.add(at, column)), b.load(cell)), cell)

    def finish(self, C, E, epilogue, step, codes):
        totals = [[self.b.load(cell) for cell in self.sums]]
        self.tile.finish(totals, C, INDEX(0), E, INDEX(0), epilogue, step, codes)


@intrinsic
def _row_sum(typing, width, indices, values, first, last, table, W, w_row, init, out, epilogue):
    """out = epilogue(init + sum of values[k] * W[indices[k]] for k from first to last), `width` registers of it."""

    def codegen(context, builder, signature, arguments):
        width, indices, values, first, last, table, W, w_row, init, out, epilogue = as_index(
            context, builder, signature, arguments
        )
        kind = signature.args[9].dtype
        no_step = [context.get_constant(kind, 0)] * 4

        def emit(registers):
            entries = _Entries(builder, context.get_value_type(kind), registers, signature.args[2].dtype, table)
            entries.start(init)
            entries.add(indices, values, first, last, W, w_row)
            entries.finish(out, out, epilogue, no_step, (PLAIN, AFFINE_RELU))

        emit_switch(builder, width, {n: lambda n=n: emit(n) for n in range(1, WIDEST + 1)})
        return context.get_dummy_value()

    return types.void(width, indices, values, first, last, table, W, w_row, init, out, epilogue), codegen


@intrinsic
def _column_step(typing, width, rows, values, starts, ends, bucket, apart, size, table, D, d_row, W, V, epilogue, step):
    """W takes the optimiser's step from the sum of number * D[row] over one column's entries, `width` registers of it.

    Thread t's entries for the column are rows[k], values[k] for k from starts[bucket + t * apart] to the end there.
    """

    def codegen(context, builder, signature, arguments):
        width, rows, values, starts, ends, bucket, apart, size, table, D, d_row, W, V, epilogue, step = as_index(
            context, builder, signature, arguments
        )
        kind = signature.args[11].dtype
        steps = [context.cast(builder, x, types.float64, kind) for x in cgutils.unpack_tuple(builder, step)]

        def emit(registers):
            entries = _Entries(builder, context.get_value_type(kind), registers, signature.args[2].dtype, table)
            entries.start()
            # The threads own ascending ranges of the batch's rows, so that thread after thread is row after row.
            with cgutils.for_range_slice(builder, INDEX(0), size, INDEX(1), intp=INDEX) as (thread, _):
                at = builder.add(builder.mul(thread, apart), bucket)
                first, last = (builder.load(builder.gep(table, [at])) for table in (starts, ends))
                entries.add(rows, values, first, last, D, d_row)
            entries.finish(W, V, epilogue, steps, (STEP_SGD, STEP_MOMENTUM))

        emit_switch(builder, width, {n: lambda n=n: emit(n) for n in range(1, WIDEST + 1)})
        return context.get_dummy_value()

    signature = types.void(
        width, rows, values, starts, ends, bucket, apart, size, table, D, d_row, W, V, epilogue, step
    )
    return signature, codegen


@jit
def affine_rows(indptr, indices, values, table, order, first, count, columns, W, w_row, b, activation, out, out_row):
    """out[i] = f(inputs of row order[first + i] @ W + b), for `count` rows: arrays of entries, pointers for the rest.

    Strip by strip, so that a strip of a wide W stays in the second cache while the rows pass by.
    """
    epilogue = AFFINE_RELU if activation == RELU else PLAIN
    lanes = lanes_of(out)
    for j in range(0, columns, WIDEST * lanes):
        width = min(WIDEST, (columns - j) // lanes)
        for i in range(count):
            row = order[first + i]
            _row_sum(
                width, pointer(indices), pointer(values), indptr[row], indptr[row + 1], pointer(table),
                shifted(W, j), w_row, shifted(b, j), shifted(out, i * out_row + j), epilogue,
            )  # fmt: skip
    if activation in (TANH, SIGMOID):
        for i in range(count):
            row = shifted(out, i * out_row)
            activate_row(row, row, columns, activation)


def new_buckets(X, order, batch_size, size):
    """Room for `size` threads to sort the entries of any batch by column; arrays with a row per thread.

    starts, ends       (size, features) int64: where a column's entries begin and end
    touched            (size, most entries) int32: the columns that have any, and how many in touched_count (size, 8)
    owned              (size + 1,) int64: thread t owns the columns from owned[t] to owned[t + 1]
    rows, numbers      (size * most entries,): the entries: row of the batch, and value
    """
    lengths = np.diff(X.indptr)[order]
    most = int(np.add.reduceat(lengths, np.arange(0, len(order), batch_size)).max())
    starts, ends = np.zeros((2, size, X.features), np.int64)
    touched = np.empty((size, min(most, X.features)), np.int32)
    return (
        starts, ends, touched, np.zeros((size, 8), np.int64), _owners(X, size),
        np.empty(size * most, np.uint32), np.empty(size * most, X.values.dtype),
    )  # fmt: skip


def _owners(X, size):
    """Bounds of `size` ranges of columns with about the same number of entries each, judged by a sample."""
    counts = np.bincount(X.indices[:SAMPLED_ENTRIES], minlength=X.features)
    up_to = np.cumsum(counts)
    bounds = np.searchsorted(up_to, up_to[-1] * np.arange(1, size) / size, "right")
    return np.concatenate(([0], bounds, [X.features])).astype(np.int64)


@jit
def regroup(me, source, order, start, first, last, buckets):
    """Sort the entries of the batch's rows first to last by column, into thread `me`'s part of `buckets`.

    The batch is order[start:]. Two passes over the entries: count, then place; a column that is not touched costs
    nothing, so there may be millions of them.
    """
    indptr, indices, values, _ = source
    starts, ends, touched, touched_count, _, rows, numbers = buckets
    found = ZERO
    for i in range(first, last):
        row = order[start + i]
        for k in range(indptr[row], indptr[row + 1]):
            column = indices[k]
            if ends[me, column] == 0:
                touched[me, found] = column
                found += 1
            ends[me, column] += 1
    at = me * (rows.shape[0] // starts.shape[0])
    for n in range(found):
        column = touched[me, n]
        starts[me, column] = at
        at += ends[me, column]
        ends[me, column] = starts[me, column]
    for i in range(first, last):
        row = order[start + i]
        for k in range(indptr[row], indptr[row + 1]):
            column = indices[k]
            place = ends[me, column]
            rows[place] = i
            numbers[place] = values[k]
            ends[me, column] = place + 1
    touched_count[me, 0] = found


@jit
def clear(me, buckets):
    """Empty thread `me`'s part of `buckets`."""
    starts, ends, touched, touched_count, _, _, _ = buckets
    for n in range(touched_count[me, 0]):
        starts[me, touched[me, n]] = 0
        ends[me, touched[me, n]] = 0


@jit
def step_columns(me, size, buckets, table, columns, D, d_row, W, V, w_row, depth, rule):
    """The optimiser's step for the rows of W whose columns of the input thread `me` owns.

    Plain SGD leaves alone what the batch did not touch; momentum and l2 move every weight.
    """
    starts, ends, touched, touched_count, owned, _, _ = buckets
    rate, momentum, l2 = rule
    step = (1 / depth, rate, momentum, l2)
    lanes = lanes_of(W)
    for j in range(0, columns, WIDEST * lanes):
        width = min(WIDEST, (columns - j) // lanes)
        d, w, v = shifted(D, j), shifted(W, j), shifted(V, j)
        if momentum == 0 and l2 == 0:
            for thread in range(size):
                for n in range(touched_count[thread, 0]):
                    column = touched[thread, n]
                    if owned[me] <= column < owned[me + 1] and not _met_before(column, thread, starts, ends):
                        _step(width, column, size, buckets, table, d, d_row, w, v, w_row, STEP_SGD, step)
        else:
            for column in range(owned[me], owned[me + 1]):
                _step(width, column, size, buckets, table, d, d_row, w, v, w_row, STEP_MOMENTUM, step)


@jit
def _met_before(column, thread, starts, ends):
    """Whether a thread before this one has entries for the column, so that its step is taken already."""
    found = False
    for earlier in range(thread):
        found |= ends[earlier, column] > starts[earlier, column]
    return found


@inlined
def _step(width, column, size, buckets, table, D, d_row, W, V, w_row, epilogue, step):
    """`_column_step` for a column of the inputs."""
    starts, ends, _, _, _, rows, numbers = buckets
    w, v = shifted(W, column * w_row), shifted(V, column * w_row)
    apart = starts.shape[1]
    _column_step(
        width, pointer(rows), pointer(numbers), pointer(starts), pointer(ends), column, apart, size, pointer(table),
        D, d_row, w, v, epilogue, step,
    )  # fmt: skip
