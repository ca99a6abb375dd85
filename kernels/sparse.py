"""The first layer for inputs that are mostly zero: it multiplies by what is there and skips the rest.

Inputs are compressed rows: row r has its columns in indices[indptr[r] : indptr[r + 1]], ascending, and its numbers in
values, at the same places. Pixels stay uint8 and go through a table of 256 floats. A skipped zero would have added
nothing to a sum that runs in order with an fma, so the results have the bits of the dense tile.

    affine   per row: the bias, plus value * W[column] for each entry; the row of the output stays in registers
    update   each block of rows regrouped by column (`regroup`), block by block; then per column the sum of
             value * delta[row] over the rows where it is not zero, and the optimiser's step. A block's deltas stay in
             the first cache while its columns pass by
"""

import numpy as np
from numba import carray
from numba.core import cgutils, types
from numba.extending import intrinsic

from .activations import activate_row
from .column_sort import GRID_COLUMNS, sort_by_grid
from .dense import AFFINE_RELU, PLAIN, STEP
from .jit import jit
from .layout import BLOCK_ROWS, LINE, RELU, aligned_zeros
from .registers import INDEX, ZERO, as_index, emit_switch, lanes_of, load, pointer, prefetch, shifted, store
from .sparse_sums import WIDEST, Entries, row_scratch, stretch_of

# Entries that are enough to estimate how they are spread over the columns.
SAMPLED_ENTRIES = 1 << 16


def _emit_run(context, builder, width, kinds, init, table, run, finish):
    """finish(entries) after one run of entries was summed onto `init`, for whichever `width` there is at run time.

    kinds: types of the results and of the values;  run: (keys, values, first, last, matrix, stride) for `Entries.add`
    """
    result, stored = kinds

    def emit(registers):
        entries = Entries(builder, context.get_value_type(result), registers, stored, table)
        entries.start(init)
        entries.add(*run)
        finish(entries)

    emit_switch(builder, width, {n: lambda n=n: emit(n) for n in range(1, WIDEST + 1)})
    return context.get_dummy_value()


@intrinsic
def _row_sum(typing, width, indices, values, first, last, limit, table, W, w_row, init, out, epilogue):
    """out = init + sum of values[k] * W[indices[k]] for k from first while indices[k] < limit, `width` registers of it.

    Returns the k it came to; epilogue(out) where that is `last`, the end of the row.
    """

    def codegen(context, builder, signature, arguments):
        width, indices, values, first, last, limit, table, W, w_row, init, out, epilogue = as_index(
            context, builder, signature, arguments
        )
        result, stored = signature.args[10].dtype, signature.args[2].dtype
        nothing = context.get_constant(result, 0)
        reached = cgutils.alloca_once(builder, INDEX)

        def emit(registers):
            entries = Entries(builder, context.get_value_type(result), registers, stored, table)
            entries.start(init)
            k = entries.add_below(limit, indices, values, first, last, W, w_row)
            builder.store(k, reached)
            code = builder.select(builder.icmp_signed("==", k, last), epilogue, INDEX(PLAIN))
            entries.finish(out, code, nothing, (PLAIN, AFFINE_RELU))

        emit_switch(builder, width, {n: lambda n=n: emit(n) for n in range(1, WIDEST + 1)})
        return builder.load(reached)

    return types.int64(width, indices, values, first, last, limit, table, W, w_row, init, out, epilogue), codegen


@intrinsic
def _column_sum(typing, width, rows, values, first, last, table, D, d_row, G):
    """G += sum of values[k] * D[rows[k]] for k from first to last, `width` registers of it."""

    def codegen(context, builder, signature, arguments):
        width, rows, values, first, last, table, D, d_row, G = as_index(context, builder, signature, arguments)
        kinds = signature.args[8].dtype, signature.args[2].dtype
        nothing = context.get_constant(kinds[0], 0)
        run = rows, values, first, last, D, d_row

        def finish(entries):
            entries.finish(G, INDEX(PLAIN), nothing, (PLAIN,))

        return _emit_run(context, builder, width, kinds, G, table, run, finish)

    return types.void(width, rows, values, first, last, table, D, d_row, G), codegen


@intrinsic
def _column_step(typing, width, rows, values, first, last, table, D, d_row, G, W, factor):
    """W -= factor * (G + sum of values[k] * D[rows[k]] for k from first to last), `width` registers of it."""

    def codegen(context, builder, signature, arguments):
        width, rows, values, first, last, table, D, d_row, G, W, factor = as_index(
            context, builder, signature, arguments
        )
        kinds = signature.args[9].dtype, signature.args[2].dtype
        factor = context.cast(builder, factor, types.float64, kinds[0])
        run = rows, values, first, last, D, d_row

        def finish(entries):
            entries.finish(W, INDEX(STEP), factor, (STEP,))

        return _emit_run(context, builder, width, kinds, G, table, run, finish)

    return types.void(width, rows, values, first, last, table, D, d_row, G, W, factor), codegen


@jit
def affine_rows(source, order, first, count, left, right, W, w_row, b, activation, out, out_row):
    """out[i, left:right] = f(inputs of row order[first + i] @ W + b)[left:right] for `count` rows; W, b, out pointers.

    In strips of W's columns and stretches of its rows, so that what of W is in both stays in the first cache while all
    rows of the block pass by. Their sums wait in `out` meanwhile, which changes no bit of them.
    """
    indptr, indices, values, table = source
    epilogue = AFFINE_RELU if activation == RELU else PLAIN
    lanes = lanes_of(out)
    stretch = stretch_of(source, order, first, count, min(WIDEST, (right - left) // lanes))
    places = carray(row_scratch(), BLOCK_ROWS)
    for j in range(left, right, WIDEST * lanes):
        width = min(WIDEST, (right - j) // lanes)
        w, bias, limit, is_over = shifted(W, j), shifted(b, j), ZERO, False
        while not is_over:
            limit += stretch
            is_over = True
            for i in range(count):
                row, target = order[first + i], shifted(out, i * out_row + j)
                at, end, init = indptr[row], indptr[row + 1], bias
                if limit > stretch:
                    at, init = places[i], target
                if limit == stretch or (at < end and indices[at] < limit):
                    places[i] = at = _row_sum(
                        width, pointer(indices), pointer(values), at, end, limit, pointer(table), w, w_row, init,
                        target, epilogue,
                    )  # fmt: skip
                is_over &= at == end
    if activation > RELU:
        for i in range(count):
            row = shifted(out, i * out_row + left)
            activate_row(row, row, right - left, activation)


@jit
def prefetch_row(source, row):
    """Ask for the entries of a row ahead of time: shuffled rows stand anywhere in memory."""
    indptr, indices, values, _ = source
    for k in range(indptr[row], indptr[row + 1], LINE // indices.itemsize):
        prefetch(pointer(indices), k)
    for k in range(indptr[row], indptr[row + 1], LINE // values.itemsize):
        prefetch(pointer(values), k)


def new_buckets(X, blocks, size, sums):
    """Buffers for `size` threads to sort the entries of `blocks` blocks each by column, and to sum the gradient.

    Each block has a row in these arrays, the blocks of one thread after those of another:
    starts, ends   (blocks, features) int32: where a column's entries begin and end within the block's
    touched        (blocks, most entries of a block + 1) int32: the columns that have any
    counts         (blocks, 8) int64: number of touched columns, first row in the batch
    rows, numbers  (blocks, most entries of a block): the entries: row within the block, and value
    and all threads together have
    owned          (size + 1,) int64: thread t steps the columns from owned[t] to owned[t + 1]
    summed, is_summed  (size, features) int32, uint8: the columns that thread t has summed in a batch; whether it has
    sums           the gradient of a batch of several blocks, as the weights it is of; zero between batches
    """
    # The grid writes whole registers.
    most = BLOCK_ROWS * int(np.diff(X.indptr).max()) + BLOCK_ROWS
    has_grid = X.values.dtype == np.uint8 and X.features <= GRID_COLUMNS
    blocks *= size
    starts, ends = np.zeros((2, blocks, X.features), np.int32)
    return (
        starts, ends, np.empty((blocks, min(most, X.features) + 1), np.int32), np.zeros((blocks, 8), np.int64),
        np.empty((blocks, most), np.uint8), np.empty((blocks, most), X.values.dtype), _owners(X, size),
        np.empty((size, X.features), np.int32), np.zeros((size, X.features), np.uint8),
        sums,
        aligned_zeros(size * X.features * BLOCK_ROWS * has_grid, np.uint8).reshape(size, -1 if has_grid else 0),
    )  # fmt: skip


def _owners(X, size):
    """Bounds of `size` ranges of columns with about the same number of entries each, estimated from a sample."""
    counts = np.bincount(X.indices[:SAMPLED_ENTRIES], minlength=X.features)
    up_to = np.cumsum(counts)
    bounds = np.searchsorted(up_to, up_to[-1] * np.arange(1, size) / size, "right")
    return np.concatenate(([0], bounds, [X.features])).astype(np.int64)


@jit
def regroup(block, source, order, start, at, count, buckets):
    """Sort the entries of rows order[start + at :][:count] by column, into the part of `buckets` of one block.

    Two passes over the entries: count, then place; a column that is not touched costs nothing, so there may be
    millions of them.
    """
    indptr, indices, values, _ = source
    clear(block, buckets)
    starts, ends, touched, counts, rows, numbers, owned, _, _, _, grid = buckets
    column_of, number_of = pointer(indices), pointer(values)
    start_of = shifted(pointer(starts), block * starts.shape[1])
    end_of = shifted(pointer(ends), block * starts.shape[1])
    seen = shifted(pointer(touched), block * touched.shape[1])
    row_at = shifted(pointer(rows), block * rows.shape[1])
    number_at = shifted(pointer(numbers), block * rows.shape[1])
    found = ZERO
    entries = ZERO
    for i in range(start + at, start + at + count):
        entries += indptr[order[i] + 1] - indptr[order[i]]
    if grid.shape[1] > 0 and entries >= starts.shape[1]:
        line = shifted(pointer(grid), block * (owned.shape[0] - 1) // starts.shape[0] * grid.shape[1])
        counts[block, 0] = sort_by_grid(
            source, order, start + at, count, starts.shape[1], line, start_of, end_of, seen, row_at, number_at
        )
        counts[block, 1], counts[block, 2] = at, 1
        return
    if counts[block, 2] == 1:
        ends[block, :] = 0
        counts[block, 2] = 0
    for i in range(start + at, start + at + count):
        row = order[i]
        for k in range(indptr[row], indptr[row + 1]):
            column = load(column_of, k)
            entries = load(end_of, column)
            # Without a branch, which would be mispredicted: what is written too much is overwritten.
            store(seen, found, column)
            found += entries == 0
            store(end_of, column, entries + 1)
    place = ZERO
    for n in range(found):
        column = load(seen, n)
        entries = load(end_of, column)
        store(start_of, column, place)
        store(end_of, column, place)
        place += entries
    for i in range(count):
        row = order[start + at + i]
        for k in range(indptr[row], indptr[row + 1]):
            column = load(column_of, k)
            place = np.int64(load(end_of, column))
            store(row_at, place, i)
            store(number_at, place, load(number_of, k))
            store(end_of, column, place + 1)
    counts[block, 0], counts[block, 1] = found, at


@jit
def clear(block, buckets):
    """Empty the part of `buckets` of one block."""
    starts, ends, touched, counts, _, _, _, _, _, _, _ = buckets
    if counts[block, 2] == 0:
        for n in range(counts[block, 0]):
            starts[block, touched[block, n]] = 0
            ends[block, touched[block, n]] = 0
    counts[block, 0] = 0


@jit
def step_columns(me, blocks, first, last, buckets, table, zeros, left, right, D, d_row, W, w_row, factor):
    """Plain SGD's step for W[first:last, left:right], the part of the first layer that thread `me` owns.

    blocks: the range of blocks in the buckets that hold the batch.
    What the batch did not touch is left alone. A batch of one block takes the step from the sums in registers, a larger
    one from sums in memory.
    """
    counts = buckets[3]
    lanes = lanes_of(W)
    busy = ZERO
    for block in range(blocks[0], blocks[1]):
        busy += counts[block, 0] > 0
    for j in range(left, right, WIDEST * lanes):
        width = min(WIDEST, (right - j) // lanes)
        d, w = shifted(D, j), shifted(W, j)
        if busy == 1:
            _step_from_registers(width, blocks, first, last, buckets, table, zeros, d, d_row, w, w_row, factor)
        else:
            summed = _sum_blocks(me, width, blocks, j, first, last, buckets, table, d, d_row, w_row)
            for n in range(summed):
                _step_from_memory(width, j, np.int64(buckets[7][me, n]), buckets, table, zeros, w, w_row, factor)


@jit
def sum_columns(me, blocks, first, last, buckets, table, left, right, D, d_row, w_row):
    """Add the gradient of W[first:last, left:right] to the sums in memory; returns how many columns are touched."""
    lanes = lanes_of(D)
    summed = ZERO
    for j in range(left, right, WIDEST * lanes):
        width = min(WIDEST, (right - j) // lanes)
        summed = _sum_blocks(me, width, blocks, j, first, last, buckets, table, shifted(D, j), d_row, w_row)
    return summed


@jit
def clear_columns(me, summed, buckets, left, right, w_row):
    """The sums of the `summed` columns that thread `me` has touched are zero again."""
    for n in range(summed):
        g = shifted(pointer(buckets[9]), buckets[7][me, n] * w_row)
        for c in range(left, right):
            store(g, c, 0)


@jit
def _step_from_registers(width, blocks, first, last, buckets, table, zeros, D, d_row, W, w_row, factor):
    """The step of the touched columns of a single block."""
    starts, ends, touched, counts, rows, numbers, _, _, _, _, _ = buckets
    for block in range(blocks[0], blocks[1]):
        d = shifted(D, counts[block, 1] * d_row)
        row_at, number_at = pointer(rows[block]), pointer(numbers[block])
        for n in range(counts[block, 0]):
            column = touched[block, n]
            if first <= column < last:
                _column_step(
                    width, row_at, number_at, starts[block, column], ends[block, column], pointer(table), d, d_row,
                    zeros, shifted(W, column * w_row), factor,
                )  # fmt: skip


@jit
def _sum_blocks(me, width, blocks, j, first, last, buckets, table, D, d_row, g_row):
    """Sums of the touched columns from first to last over all blocks; returns how many columns thread `me` summed."""
    starts, ends, touched, counts, rows, numbers, _, summed, is_summed, sums, _ = buckets
    found = ZERO
    for block in range(blocks[0], blocks[1]):
        d = shifted(D, counts[block, 1] * d_row)
        row_at, number_at = pointer(rows[block]), pointer(numbers[block])
        for n in range(counts[block, 0]):
            column = touched[block, n]
            if first <= column < last:
                if is_summed[me, column] == 0:
                    is_summed[me, column] = 1
                    summed[me, found] = column
                    found += 1
                g = shifted(pointer(sums), column * g_row + j)
                _column_sum(
                    width, row_at, number_at, starts[block, column], ends[block, column], pointer(table), d, d_row, g
                )
    for n in range(found):
        is_summed[me, summed[me, n]] = 0
    return found


@jit
def _step_from_memory(width, j, column, buckets, table, zeros, W, w_row, factor):
    """The step of one column from its sum in memory, which is zero again afterwards."""
    rows, numbers, sums = buckets[4], buckets[5], buckets[9]
    g = shifted(pointer(sums), column * w_row + j)
    w = shifted(W, column * w_row)
    _column_step(width, pointer(rows), pointer(numbers), ZERO, ZERO, pointer(table), zeros, ZERO, g, w, factor)
    for c in range(width * lanes_of(W)):
        store(g, c, 0)


@intrinsic
def _row_step(typing, width, indices, values, first, last, table, D, W, w_row, factor):
    """W[indices[k]] -= factor * values[k] * D for k from first to last, `width` registers of it."""

    def codegen(context, builder, signature, arguments):
        width, indices, values, first, last, table, D, W, w_row, factor = as_index(
            context, builder, signature, arguments
        )
        kind = signature.args[6].dtype
        factor = context.cast(builder, factor, types.float64, kind)

        def emit(registers):
            entries = Entries(builder, context.get_value_type(kind), registers, signature.args[2].dtype, table)
            v, columns = entries.tile.v, entries.tile.columns()
            delta = [v.load(D, column) for column in columns]
            with cgutils.for_range_slice(builder, first, last, INDEX(1), intp=INDEX) as (k, _):
                number = v.splat(entries.number(values, k))
                sums = [v.fma(number, d, v.constant(0.0)) for d in delta]
                at = builder.mul(builder.zext(builder.load(builder.gep(indices, [k])), INDEX), w_row)
                w = builder.gep(W, [at])
                entries.tile.finish([sums], w, INDEX(0), w, INDEX(0), INDEX(STEP), factor, (STEP,))

        emit_switch(builder, width, {n: lambda n=n: emit(n) for n in range(1, WIDEST + 1)})
        return context.get_dummy_value()

    return types.void(width, indices, values, first, last, table, D, W, w_row, factor), codegen


@jit
def step_row(source, row, columns, D, W, w_row, factor):
    """Plain SGD's step from a single sample, whose entries need no regrouping."""
    indptr, indices, values, table = source
    lanes = lanes_of(W)
    for j in range(0, columns, WIDEST * lanes):
        width = min(WIDEST, (columns - j) // lanes)
        _row_step(
            width, pointer(indices), pointer(values), indptr[row], indptr[row + 1], pointer(table), shifted(D, j),
            shifted(W, j), w_row, factor,
        )  # fmt: skip
