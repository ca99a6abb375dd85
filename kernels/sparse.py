"""The first layer for inputs that are mostly zero: it multiplies by what is there and skips the rest.

Inputs are compressed rows: row r has its columns in indices[indptr[r] : indptr[r + 1]], ascending, and its numbers in
values, at the same places. Pixels stay uint8 and go through a table of 256 floats. A skipped zero would have added
nothing to a sum that runs in order with an fma, so the results have the bits of the dense tile. Long sums are cut where
those of `dense.py` are: a block of columns, or of rows, has a sum of its own from the place SUM_TERMS on.

    affine   per row: the bias, plus value * W[column] for each entry; the row of the output stays in registers
    update   each block of rows regrouped by column (`column_sort.regroup`), block by block; then per column the sum of
             value * delta[row] over the rows where it is not zero, and plain SGD's step. Neighbouring pixels are
             lit in nearly the same rows: two columns are summed at once, which halves what is loaded. A block's
             deltas stay in the first cache while its columns pass by
"""

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from .activations import activate_row
from .column_sort import TOGETHER
from .cpu import REGISTER_BYTES, REGISTER_COUNT
from .jit import jit, unit
from .layout import BLOCK_ROWS, LINE, RELU, SUM_TERMS
from .registers import (
    INDEX,
    ZERO,
    as_index,
    emit_switch,
    lanes_of,
    load,
    pointer,
    prefetch,
    prefetch_written,
    shifted,
    store,
)
from .sparse_sums import WIDEST, Entries, row_scratch, stretch_of, strip_of, switch_on_width
from .tile import AFFINE_RELU, PLAIN, STEP

# Registers of the rows of two columns' sums that fit the CPU, beside a register of delta and one of each number.
WIDEST_TOGETHER = min(WIDEST, (REGISTER_COUNT - 1) // TOGETHER - 1)
# Typed, for calls with a constant: for a literal numba would compile the callee again.
_PLAIN, _STEP = np.int64(PLAIN), np.int64(STEP)


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
            element = context.get_value_type(result)
            entries, part = (Entries(builder, element, registers, stored, table) for _ in range(2))
            entries.start(init)
            k = entries.add_below(limit, indices, values, first, last, W, w_row, part)
            builder.store(k, reached)
            code = builder.select(builder.icmp_signed("==", k, last), epilogue, INDEX(PLAIN))
            entries.finish(out, code, nothing, (PLAIN, AFFINE_RELU))

        switch_on_width(builder, width, emit)
        return builder.load(reached)

    return types.int64(width, indices, values, first, last, limit, table, W, w_row, init, out, epilogue), codegen


@intrinsic
def _column_sums(
    typing, columns, width, rows, numbers, apart, first, last, table, D, d_row, init, init_row, out, out_row, factor,
    epilogue,
):  # fmt: skip
    """out = epilogue(init + sum of numbers[k] * D[rows[k]] for k from first to last), `width` registers of it.

    The same for each of `columns` columns of the inputs, at most TOGETHER: their numbers are `apart` elements apart,
    and their rows of init and out init_row and out_row.
    """

    def codegen(context, builder, signature, arguments):
        (
            columns,
            width,
            rows,
            numbers,
            apart,
            first,
            last,
            table,
            D,
            d_row,
            init,
            init_row,
            out,
            out_row,
            factor,
            epilogue,
        ) = as_index(context, builder, signature, arguments)
        result, stored = signature.args[12].dtype, signature.args[3].dtype
        factor = context.cast(builder, factor, types.float64, result)

        def emit(count, registers):
            entries = Entries(builder, context.get_value_type(result), registers, stored, table, count)
            with builder.if_then(builder.icmp_signed("==", epilogue, INDEX(STEP))):
                entries.tile.ask_for(out, out_row)
            entries.start(init, init_row)
            entries.add(rows, numbers, apart, first, last, D, d_row)
            entries.finish(out, epilogue, factor, (PLAIN, STEP), out_row)

        def choose_width(count):
            widest = WIDEST if count == 1 else WIDEST_TOGETHER
            switch_on_width(builder, width, lambda registers: emit(count, registers), widest)

        emit_switch(builder, columns, {n: lambda n=n: choose_width(n) for n in range(1, TOGETHER + 1)})
        return context.get_dummy_value()

    return types.void(
        columns,
        width,
        rows,
        numbers,
        apart,
        first,
        last,
        table,
        D,
        d_row,
        init,
        init_row,
        out,
        out_row,
        factor,
        epilogue,
    ), codegen


@unit
def affine_rows(source, order, first, count, left, right, W, w_row, b, activation, out, out_row):
    """out[i, left:right] = f(inputs of row order[first + i] @ W + b)[left:right] for `count` rows; W, b, out pointers.

    In strips of W's columns and stretches of its rows, so that what of W is in both stays in the first cache while all
    rows of the block pass by. Their sums wait in `out` meanwhile, which changes no bit of them.
    """
    indptr, indices, values, table = source
    epilogue = AFFINE_RELU if activation == RELU else PLAIN
    lanes = lanes_of(out)
    stretch = stretch_of(source, order, first, count, strip_of((right - left) // lanes, WIDEST))
    places = row_scratch()
    j = left
    while j < right:
        width = strip_of((right - j) // lanes, WIDEST)
        w, bias, limit, is_over = shifted(W, j), shifted(b, j), ZERO, False
        while not is_over:
            is_first, is_over = limit == 0, True
            limit += stretch
            if limit > SUM_TERMS:
                limit = (limit + BLOCK_ROWS - 1) // BLOCK_ROWS * BLOCK_ROWS
            for i in range(count):
                row, target = order[first + i], shifted(out, i * out_row + j)
                at, end, init = indptr[row], indptr[row + 1], bias
                if not is_first:
                    at, init = load(places, i), target
                if is_first or (at < end and indices[at] < limit):
                    at = _row_sum(
                        width, pointer(indices), pointer(values), at, end, limit, pointer(table), w, w_row, init,
                        target, epilogue,
                    )  # fmt: skip
                    store(places, i, at)
                is_over &= at == end
        j += width * lanes
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


@jit
def step_columns(me, blocks, first, last, buckets, table, zeros, left, right, D, d_row, W, w_row, factor):
    """Plain SGD's step for W[first:last, left:right], the part of the first layer that thread `me` owns.

    blocks: the range of blocks in the buckets that hold the batch.
    What the batch did not touch is left alone. The step is taken from the registers of the last block that touches a
    column; those before it leave their sums in memory.
    """
    for block in range(blocks[0], blocks[1]):
        for n in range(buckets.counts[block, 0]):
            buckets.last_block[me, buckets.touched[block, n]] = block
    _sum_blocks(
        me, blocks, first, last, buckets, table, zeros, left, right, D, d_row, pointer(buckets.sums), W, w_row, factor
    )


@jit
def sum_columns(blocks, first, last, buckets, table, zeros, left, right, D, d_row, G, g_row, W, w_row):
    """G = the gradient of W[first:last, left:right], summed over the batch; zero where no sample has an entry.

    first, last   bounds of whole groups of columns of the inputs
    G             pointer to its first element
    W             pointer to the same element of the weights: they are fetched meanwhile, as other cores have read them
    """
    starts, ends, together = buckets.starts, buckets.ends, buckets.together
    apart, lanes, j = buckets.rows.shape[1], lanes_of(G), left
    line = LINE // REGISTER_BYTES * lanes
    while j < right:
        width = _strip((right - j) // lanes, together)
        for block in range(blocks[0], blocks[1]):
            d = shifted(D, buckets.counts[block, 1] * d_row + j)
            rows, numbers = pointer(buckets.rows[block]), pointer(buckets.numbers[block])
            is_first, is_empty = block == blocks[0], buckets.counts[block, 0] == 0
            for group in range(first // together, (last + together - 1) // together):
                column, columns = _columns_of(group, buckets)
                g = shifted(G, (column - first) * g_row + j - left)
                init, init_row, epilogue = (zeros, ZERO, _PLAIN) if is_first else (g, g_row, _PLAIN)
                if not is_first and buckets.counts[block, 1] >= SUM_TERMS:
                    # A sum of its own, which a step at the rate -1 adds to the others.
                    init, init_row, epilogue = zeros, ZERO, _STEP
                begin = np.int64(starts[block, group])
                end = begin if is_empty else np.int64(ends[block, group])
                if is_first:
                    for i in range(column - first, column - first + columns):
                        for c in range(i * w_row + j - left, i * w_row + j - left + width * lanes, line):
                            prefetch_written(W, c)
                if is_first or begin < end:
                    _column_sums(
                        columns, width, rows, numbers, apart, begin, end, pointer(table), d, d_row, init, init_row, g,
                        g_row, -1.0, epilogue,
                    )  # fmt: skip
        j += width * lanes


@jit
def _strip(registers, together):
    """Registers of the next strip of an output row of so many."""
    return strip_of(registers, WIDEST if together == 1 else WIDEST_TOGETHER)


@jit
def _columns_of(group, buckets):
    """(first column of a group, number of its columns)."""
    column = group * buckets.together
    return column, min(buckets.together, buckets.features - column)


@jit
def _sum_blocks(
    me, blocks, first, last, buckets, table, zeros, left, right, D, d_row, G, W, w_row, factor
):  # fmt: skip
    """Sum the touched columns from first to last in G, block after block; in its `last_block` a column of W steps."""
    is_summed, apart, lanes, j = buckets.is_summed, buckets.rows.shape[1], lanes_of(W), left
    while j < right:
        width = _strip((right - j) // lanes, buckets.together)
        for block in range(blocks[0], blocks[1]):
            d = shifted(D, buckets.counts[block, 1] * d_row + j)
            rows, numbers = pointer(buckets.rows[block]), pointer(buckets.numbers[block])
            for n in range(buckets.counts[block, 0]):
                group = np.int64(buckets.touched[block, n])
                column, columns = _columns_of(group, buckets)
                if first <= column < last:
                    g = shifted(G, column * w_row + j)
                    init, init_row, out, epilogue, rate = g, w_row, g, _PLAIN, factor
                    begin, end = buckets.starts[block, group], buckets.ends[block, group]
                    is_last, is_apart = buckets.last_block[me, group] == block, False
                    if is_summed[me, group] == 0:
                        init, init_row = zeros, ZERO
                    elif buckets.counts[block, 1] >= SUM_TERMS:
                        # A sum of its own, which a step at the rate -1 adds to the others.
                        is_apart, init, init_row, epilogue, rate = True, zeros, ZERO, _STEP, -1.0
                    is_summed[me, group] = 1
                    while True:
                        if is_last and not is_apart:
                            out, epilogue, rate = shifted(W, column * w_row + j), _STEP, factor
                            is_summed[me, group] = 0
                        _column_sums(
                            columns, width, rows, numbers, apart, begin, end, pointer(table), d, d_row, init, init_row,
                            out, w_row, rate, epilogue,
                        )  # fmt: skip
                        if not (is_last and is_apart):
                            break
                        begin, init, init_row, is_apart = end, g, w_row, False
        j += width * lanes


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
            with cgutils.for_range_slice(builder, first, last, INDEX(1), intp=INDEX) as (count, _):
                k = builder.sub(builder.add(first, builder.sub(last, INDEX(1))), count)
                number = v.splat(entries.number(values, k))
                sums = [v.fma(number, d, v.constant(0.0)) for d in delta]
                at = builder.mul(builder.zext(builder.load(builder.gep(indices, [k])), INDEX), w_row)
                w = builder.gep(W, [at])
                entries.tile.finish([sums], w, INDEX(0), w, INDEX(0), INDEX(STEP), factor, (STEP,))

        switch_on_width(builder, width, emit)
        return context.get_dummy_value()

    return types.void(width, indices, values, first, last, table, D, W, w_row, factor), codegen


@jit
def step_row(source, row, columns, D, W, w_row, factor):
    """Plain SGD's step from a single sample, whose entries need no regrouping."""
    indptr, indices, values, table = source
    lanes = lanes_of(W)
    j = ZERO
    while j < columns:
        width = strip_of((columns - j) // lanes, WIDEST)
        _row_step(
            width, pointer(indices), pointer(values), indptr[row], indptr[row + 1], pointer(table), shifted(D, j),
            shifted(W, j), w_row, factor,
        )  # fmt: skip
        j += width * lanes
