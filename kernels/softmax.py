"""Softmax and cross entropy: loss, hits and delta of as many rows at a time as a register has lanes.

The rows are transposed: a register then holds one class of each row, and the sums over the classes run in order.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .activations import exp
from .jit import counting, jit
from .registers import INDEX, INT32, Vector, as_index, keep, lanes_of, load, pointer, row_stride, shifted, store

# Terms of the series for atanh in `log`: the first left out is 2 * 0.1716^25 / 25, below 1e-20.
SERIES_TERMS = 12
# Terms of a sum over classes that are added up one by one, in the type of the logits: whole registers of any CPU. More
# of them are added up so many at a time, and what these come to in float64. Of values from 0 the sum's relative error
# is then at most (SUM_TERMS - 1) u, u being the unit roundoff, however many there are (N. J. Higham, Accuracy and
# stability of numerical algorithms, 2002, section 4.2, for each block; float64 adds less than one u up to 10^11
# float32).
SUM_TERMS = 1024
SQRT_2 = 1.4142135623730951
LOG_2 = 0.6931471805599453


def emit_log(v, x):
    """ln x of float64 from 1 on; inf and nan stay. The C library's last bit differs between CPUs.

    x = 2^e m with m in [1/sqrt 2, sqrt 2];  ln m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1).
    """
    b, one = v.b, v.constant(1.0)
    pattern = b.bitcast(x, v.int_type)
    mantissa = b.and_(pattern, v.int_constant((1 << 52) - 1))
    m = b.bitcast(b.or_(mantissa, v.int_constant(1023 << 52)), v.type)
    # A whole number in the low bits of 2^52 is that number once 2^52 is taken off.
    exponent = b.bitcast(b.or_(b.lshr(pattern, v.int_constant(52)), v.int_constant(1075 << 52)), v.type)
    e = b.fsub(exponent, v.constant(2.0**52 + 1023))
    is_large = b.fcmp_ordered(">", m, v.constant(SQRT_2))
    m = b.select(is_large, b.fmul(m, v.constant(0.5)), m)
    e = b.select(is_large, b.fadd(e, one), e)
    s = b.fdiv(b.fsub(m, one), b.fadd(m, one))
    square, series = b.fmul(s, s), v.constant(1.0 / (2 * SERIES_TERMS - 1))
    for n in range(SERIES_TERMS - 1, 0, -1):
        series = b.fadd(b.fmul(series, square), v.constant(1.0 / (2 * n - 1)))
    result = b.fadd(b.fmul(e, v.constant(LOG_2)), b.fmul(b.fmul(v.constant(2.0), s), series))
    return b.select(b.fcmp_ordered("<", x, v.constant(float("inf"))), result, x)


@intrinsic
def log(typing, x):
    """ln x of one float64 from 1 on."""

    def codegen(context, builder, signature, arguments):
        v = Vector(builder, ir.DoubleType(), 1)
        return builder.extract_element(emit_log(v, v.splat(arguments[0])), INT32(0))

    return types.float64(types.float64), codegen


class _Softmax:
    """Emits the softmax of rows that stand in the lanes of registers; holds what is known of each row."""

    def __init__(self, builder, element):
        self.b = b = builder
        self.v = v = Vector(builder, element)
        self.wide = Vector(builder, ir.DoubleType(), v.lanes)
        self.top, self.part = cgutils.alloca_once(b, v.type), cgutils.alloca_once(b, v.type)
        self.best, self.total = cgutils.alloca_once(b, v.int_type), cgutils.alloca_once(b, self.wide.type)
        b.store(v.constant(0.0), self.part)
        b.store(self.wide.constant(0.0), self.total)

    def widened(self, x):
        return x if self.v.bits == 64 else self.b.fpext(x, self.wide.type)

    def find_largest(self, source, row, first, count):
        """Go on with the classes first to first + count, which stand at `source`: a register each, `row` apart."""
        b, v = self.b, self.v
        with cgutils.for_range_slice(b, INDEX(0), count, INDEX(1), intp=INDEX) as (k, _):
            x, c = v.load(source, b.mul(k, row)), b.add(first, k)
            is_first = v.splat(b.icmp_signed("==", c, INDEX(0)))
            is_larger = b.or_(is_first, b.fcmp_ordered(">", x, b.load(self.top)))
            b.store(b.select(is_larger, x, b.load(self.top)), self.top)
            number = v.splat(b.trunc(c, v.int_type.element) if v.bits == 32 else c)
            b.store(b.select(is_larger, number, b.load(self.best)), self.best)

    def exponentiate(self, source, target, row, count):
        """exp(z - max z) of `count` classes from `source` to `target`, and its sum."""
        b, v = self.b, self.v
        with cgutils.for_range_slice(b, INDEX(0), count, INDEX(1), intp=INDEX) as (k, _):
            at = b.mul(k, row)
            e = exp(v, b.fsub(v.load(source, at), b.load(self.top)))
            v.store(e, target, at)
            b.store(b.fadd(b.load(self.part), e), self.part)

    def add_part(self):
        """Put what the last classes come to, at most SUM_TERMS of them, to the total."""
        self.b.store(self.b.fadd(self.b.load(self.total), self.widened(self.b.load(self.part))), self.total)
        self.b.store(self.v.constant(0.0), self.part)

    def divisor(self):
        total = self.b.load(self.total)
        return total if self.v.bits == 64 else self.b.fptrunc(total, self.v.type)

    def report(self, found):
        """found (3, lanes) float64 = max z, ln of the sum, position of the first maximum."""
        b, wide = self.b, self.wide
        wide.store(self.widened(b.load(self.top)), found, INDEX(0))
        wide.store(emit_log(wide, b.load(self.total)), found, INDEX(wide.lanes))
        wide.store(b.sitofp(b.load(self.best), wide.type), found, INDEX(2 * wide.lanes))


@intrinsic
def softmax_rows(typing, rows, classes, columns, Z, z_row, out, out_row, found):
    """out = softmax(Z) for `rows` rows, at most as many as a register has lanes; all are pointers. `out` may be Z.

    classes, columns   elements of a row that count, and whole registers of them; the others become 0
    found              (3, lanes) float64 gets of each row max z, ln of the sum of exp(z - max z), and the position of
                       the first maximum
    """

    def codegen(context, builder, signature, arguments):
        b = builder
        rows, classes, columns, Z, z_row, out, out_row, found = as_index(context, builder, signature, arguments)
        one = _Softmax(builder, context.get_value_type(signature.args[3].dtype))
        v, lanes = one.v, INDEX(one.v.lanes)
        square = b.bitcast(cgutils.alloca_once(b, v.type, size=v.lanes), Z.type)
        # The last row takes the place of those that there are not.
        last = b.sub(rows, INDEX(1))
        places = [b.select(b.icmp_signed("<", INDEX(i), last), INDEX(i), last) for i in range(v.lanes)]

        def along(stop):
            return cgutils.for_range_slice(b, INDEX(0), stop, lanes, intp=INDEX)

        def count_from(c):
            left = b.sub(classes, c)
            count = b.select(b.icmp_signed("<", left, lanes), left, lanes)
            return b.select(b.icmp_signed(">", count, INDEX(0)), count, INDEX(0))

        def take(c):
            registers = v.transposed([v.load(Z, b.add(b.mul(place, z_row), c)) for place in places])
            for k, register in enumerate(registers):
                v.store(register, square, INDEX(k * v.lanes))

        with along(classes) as (c, _):
            take(c)
            one.find_largest(square, lanes, c, count_from(c))
        is_taken = b.icmp_signed("<=", classes, lanes)
        with along(columns) as (c, _):
            with b.if_then(b.not_(is_taken)):
                take(c)
            count = count_from(c)
            one.exponentiate(square, square, lanes, count)
            with cgutils.for_range_slice(b, count, lanes, INDEX(1), intp=INDEX) as (k, _):
                v.store(v.constant(0.0), square, b.mul(k, lanes))
            with b.if_then(b.icmp_signed("==", b.urem(b.add(c, lanes), INDEX(SUM_TERMS)), INDEX(0))):
                one.add_part()
            registers = v.transposed([v.load(square, INDEX(k * v.lanes)) for k in range(v.lanes)])
            for place, register in zip(places, registers, strict=True):
                v.store(register, out, b.add(b.mul(place, out_row), c))
        one.add_part()
        v.store(one.divisor(), square, INDEX(0))
        with cgutils.for_range_slice(b, INDEX(0), rows, INDEX(1), intp=INDEX) as (i, _):
            divisor = v.splat(b.load(b.gep(square, [i])))
            with along(columns) as (c, _):
                at = b.add(b.mul(i, out_row), c)
                v.store(b.fdiv(v.load(out, at), divisor), out, at)
        one.report(found)
        return context.get_dummy_value()

    return types.void(rows, classes, columns, Z, z_row, out, out_row, found), codegen


@intrinsic
def room_for_found(typing, start):
    """Memory on the stack for what `softmax_rows` finds of a group of rows."""

    def codegen(context, builder, signature, arguments):
        v = Vector(builder, context.get_value_type(signature.args[0].dtype))
        return cgutils.alloca_once(builder, ir.DoubleType(), size=3 * v.lanes)

    return types.CPointer(types.float64)(start), codegen


@jit
def cross_entropy_block(rows, classes, columns, Z, z_row, labels, label_at, out, out_row, losses, loss_at):
    """`cross_entropy` on pointers Z and out; labels and losses are arrays, read and written from the given places."""
    hits, lanes, found = 0, lanes_of(Z), room_for_found(Z)
    for first in range(0, rows, lanes):
        count = min(lanes, rows - first)
        z, delta = shifted(Z, first * z_row), shifted(out, first * out_row)
        softmax_rows(count, classes, columns, z, z_row, delta, out_row, found)
        for i in range(count):
            label, at = labels[label_at + first + i], i * out_row
            # In float64, where the difference of two finite float32 is finite.
            own = np.float64(load(z, i * z_row + label)) - load(found, i)
            losses[loss_at + first + i] = load(found, lanes + i) - own
            store(delta, at + label, load(delta, at + label) - 1)
            hits += load(found, 2 * lanes + i) == label
    return hits


@jit
def softmax_block(rows, classes, columns, Z, z_row, out, out_row):
    """Row-wise probabilities of `rows` rows of logits, of pointers; `out` may be Z."""
    lanes, found = lanes_of(Z), room_for_found(Z)
    for i in range(0, rows, lanes):
        z, p = shifted(Z, i * z_row), shifted(out, i * out_row)
        softmax_rows(min(lanes, rows - i), classes, columns, z, z_row, p, out_row, found)


@counting
def _padded(Z):
    """A copy of a matrix with whole registers of columns."""
    lanes = lanes_of(pointer(Z))
    copy = np.zeros((Z.shape[0], (Z.shape[1] + lanes - 1) // lanes * lanes), Z.dtype)
    copy[:, : Z.shape[1]] = Z
    return copy


@counting
def cross_entropy(Z, labels, out, losses):
    """Softmax and cross entropy of the logits Z (rows, classes) with integer labels (rows,), in one pass.

    out (rows, classes) gets the delta, softmax(Z) - onehot(labels); losses (rows,) float64 gets each row's
    log sum exp(z) - z[label]. Returns the number of rows whose first largest logit is the label's.
    """
    padded = _padded(Z)
    delta, row = np.empty_like(padded), row_stride(padded)
    hits = cross_entropy_block(
        Z.shape[0], Z.shape[1], row, pointer(padded), row, labels, 0, pointer(delta), row, losses, 0
    )
    keep(padded)
    out[...] = delta[:, : Z.shape[1]]
    return hits


@counting
def softmax(Z, out):
    """Row-wise probabilities of the logits Z (rows, classes). Returns out."""
    padded = _padded(Z)
    row = row_stride(padded)
    softmax_block(Z.shape[0], Z.shape[1], row, pointer(padded), row, pointer(padded), row)
    out[...] = padded[:, : Z.shape[1]]
    return out
