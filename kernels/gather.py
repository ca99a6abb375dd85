"""Rows of the stored inputs become the numbers that the first layer sees."""

from numba.core import types
from numba.extending import intrinsic

from .jit import inlined, jit
from .registers import load, shifted, store


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


@jit
def gather(X, x_row, rows, first, count, features, out, out_row):
    """out[i, :features] = inputs of row rows[first + i] of X, for `count` rows; X and out are pointers."""
    for i in range(count):
        source, target = shifted(X, rows[first + i] * x_row), shifted(out, i * out_row)
        for c in range(features):
            store(target, c, _input(source, c, target))


@inlined
def gather_columns(X, x_row, rows, first, count, features, out, out_row):
    """out[c, i] = input c of row rows[first + i] of X, for `count` rows; X, rows and out are pointers."""
    for i in range(count):
        source, target = shifted(X, load(rows, first + i) * x_row), shifted(out, i)
        for c in range(features):
            store(target, c * out_row, _input(source, c, target))
