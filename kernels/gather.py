"""Rows of the stored inputs become the numbers that the first layer sees."""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .jit import inlined, jit
from .layout import LINE
from .registers import INDEX, Vector, as_index, load, pointer, prefetch, shifted, store

# Cache lines that are asked for at the start of a row. Those that follow them the CPU fetches by itself.
LINES_AHEAD = 8
# Columns that are transposed together, of as many samples.
COLUMNS_AT_ONCE = 4


def address(X):
    """Where a matrix with contiguous rows starts, and its row stride in elements.

    Kernels take X this way, so that a view, a slice or a read-only array needs no machine code of its own.
    """
    return X.__array_interface__["data"][0], X.strides[0] // X.itemsize


@intrinsic
def pointer_to(typing, location, sample):
    """The integer `location` as a pointer to elements of the array `sample`'s type."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(sample.dtype)(types.uint64, sample), codegen


@intrinsic
def _input(typing, source, column, target):
    """The number that the network sees for source[column], in the type of `target`: uint8 is divided by 255."""

    def codegen(context, builder, signature, arguments):
        at = context.cast(builder, arguments[1], signature.args[1], types.int64)
        value = builder.load(builder.gep(arguments[0], [at]))
        value = context.cast(builder, value, signature.args[0].dtype, signature.return_type)
        if signature.args[0].dtype == types.uint8:
            value = builder.fdiv(value, context.get_constant(signature.return_type, 255.0))
        return value

    return target.dtype(source, column, target), codegen


@intrinsic
def _input_square(typing, X, x_row, rows, first, target, out_row):
    """target[k, i] = input k of row rows[first + i] of X, for COLUMNS_AT_ONCE of both."""

    def codegen(context, builder, signature, arguments):
        X, x_row, rows, first, target, out_row = as_index(context, builder, signature, arguments)
        stored, kind = signature.args[0].dtype, signature.args[4].dtype
        v = Vector(builder, context.get_value_type(kind), COLUMNS_AT_ONCE)
        source = ir.VectorType(context.get_value_type(stored), COLUMNS_AT_ONCE)
        registers = []
        for i in range(COLUMNS_AT_ONCE):
            row = builder.load(builder.gep(rows, [builder.add(first, INDEX(i))]))
            start = builder.gep(X, [builder.mul(row, x_row)])
            value = builder.load(builder.bitcast(start, source.as_pointer()), align=stored.bitwidth // 8)
            if stored == types.uint8:
                value = builder.fdiv(builder.uitofp(value, v.type), v.constant(255.0))
            elif stored.bitwidth != kind.bitwidth:
                value = (builder.fpext if stored.bitwidth < kind.bitwidth else builder.fptrunc)(value, v.type)
            registers.append(value)
        for k, column in enumerate(v.transposed(registers)):
            v.store(column, target, builder.mul(INDEX(k), out_row))
        return context.get_dummy_value()

    return types.void(X, x_row, rows, first, target, out_row), codegen


@jit
def gather(X, x_row, rows, first, count, features, out, out_row):
    """out[i, :features] = inputs of row rows[first + i] of X, for `count` rows; X and out are pointers."""
    for i in range(count):
        source, target = shifted(X, rows[first + i] * x_row), shifted(out, i * out_row)
        for c in range(features):
            store(target, c, _input(source, c, target))


@inlined
def prefetch_samples(source, y, rows, first, count, features):
    """Ask for rows[first : first + count] of a dense source and of the labels, as far as there are any.

    Shuffled rows stand anywhere in memory.
    """
    X, x_row, sample = source
    labels, step = pointer(y), LINE // sample.itemsize
    for i in range(first, min(first + count, rows.shape[0])):
        row = shifted(pointer_to(X, sample), rows[i] * x_row)
        prefetch(labels, rows[i])
        for c in range(0, min(features, LINES_AHEAD * step), step):
            prefetch(row, c)
        prefetch(row, features - 1)


@inlined
def dense_rows(source):
    """What `gather_dense` reads of a dense source: (pointer, row stride)."""
    X, x_row, sample = source
    return pointer_to(X, sample), x_row


@inlined
def sparse_rows(source):
    """What `gather_sparse` reads of a sparse source: pointers to indptr, indices and values."""
    return pointer(source[0]), pointer(source[1]), pointer(source[2])


@inlined
def gather_dense(X, rows, first, count, features, out, out_row):
    """out[c, i] = input c of row rows[first + i] of X, for `count` rows; rows and out are pointers."""
    # Some columns at a time: every one but the first finds its samples in the cache.
    whole, squares = features - features % COLUMNS_AT_ONCE, count - count % COLUMNS_AT_ONCE
    for c in range(0, whole, COLUMNS_AT_ONCE):
        columns, target = shifted(X[0], c), shifted(out, c * out_row)
        for i in range(0, squares, COLUMNS_AT_ONCE):
            _input_square(columns, X[1], rows, first + i, shifted(target, i), out_row)
        for i in range(squares, count):
            source = shifted(columns, load(rows, first + i) * X[1])
            for k in range(COLUMNS_AT_ONCE):
                store(target, k * out_row + i, _input(source, k, target))
    for c in range(whole, features):
        for i in range(count):
            source, target = shifted(X[0], load(rows, first + i) * X[1] + c), shifted(out, c * out_row + i)
            store(target, 0, _input(source, 0, target))


@inlined
def gather_sparse(X, rows, first, count, features, out, out_row):
    """The same for compressed rows."""
    indptr, indices, values = X
    for place in range(features * out_row):
        store(out, place, 0)
    for i in range(count):
        row, target = load(rows, first + i), shifted(out, i)
        for entry in range(load(indptr, row), load(indptr, row + 1)):
            store(target, np.int64(load(indices, entry)) * out_row, _input(values, entry, target))


@jit
def clear_rest(count, rows, wide, A, block):
    """Set what stands for samples that there are not, behind the last of a block, to zero."""
    if rows < wide:
        for i in range(count):
            for at in range(rows, wide):
                store(A, i * block + at, 0)
