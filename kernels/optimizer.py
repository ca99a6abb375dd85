"""The optimisers' steps on whole rows of weights, from gradients that are in memory; norms, and limits to them.

The gradient of a few rows of weights is summed into a small buffer and stepped from at once, so that it never leaves
the core's own cache (`step_general.py`). Plain SGD is quicker still: it is an epilogue of the dense tile.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import REGISTER_BYTES
from .jit import jit
from .layout import BLOCK_ROWS, LINE, MOST_LANES, SUM_TERMS
from .registers import (
    INDEX,
    UNIT,
    ZERO,
    Vector,
    as_index,
    emit_switch,
    lanes_of,
    load,
    pointer,
    row_stride,
    shifted,
    store,
)
from .update_rule import ADAM, GRADIENT, MOMENTUM, PLAIN, RATE, RMSPROP, ROOT_SCALE, STEP_SIZE

# Registers whose sums of rows are added up together.
ADDED_AT_ONCE = 4


class _Step:
    """Emits one register's step. To add an optimiser: a method, and its line in EMITTERS."""

    def __init__(self, v, numbers):
        self.b, self.v = v.b, v
        (
            self.scale, self.size, self.root_scale, self.shrink, self.momentum, self.fresh, self.past, self.direct,
            self.beta2, self.rest2, self.epsilon, self.l1, self.l2,
        ) = (v.splat(number) for number in numbers)  # fmt: skip

    def keep(self, value, state, at):
        """Store a state; returns it as it is stored: zero if it is below the smallest normal number.

        The state of a weight without gradients, as of a dead unit, decays until rounding holds it at a denormal number.
        The division and the root then take five times as long, and on some CPUs all operations do.
        """
        b, v = self.b, self.v
        exponent = b.and_(b.bitcast(value, v.int_type), v.int_constant(v.exponent_bits))
        value = b.select(b.icmp_unsigned("==", exponent, v.int_constant(0)), v.constant(0.0), value)
        v.store(value, state, at)
        return value

    def penalised(self, w, total):
        """(w after its decoupled decay, its gradient with the penalties)."""
        b, v = self.b, self.v
        zero = v.constant(0.0)
        sign = b.select(b.fcmp_ordered("==", w, zero), zero, v.copy_sign(v.constant(1.0), w))
        g = v.fma(self.l1, sign, v.fma(self.l2, w, b.fmul(self.scale, total)))
        return b.fmul(self.shrink, w), g

    def moved(self, w, direction):
        return self.v.fma(self.b.fneg(self.size), direction, w)

    def second_moment(self, second, at, g):
        """The state v, renewed by g^2; its square root times the correction of its bias, plus epsilon."""
        b, v = self.b, self.v
        mean = self.keep(v.fma(self.beta2, v.load(second, at), b.fmul(self.rest2, b.fmul(g, g))), second, at)
        return v.fma(v.square_root(mean), self.root_scale, self.epsilon)

    def plain(self, w, g, at, first, second):
        return self.moved(w, g)

    def with_momentum(self, w, g, at, first, second):
        b, v = self.b, self.v
        m = self.keep(v.fma(self.momentum, v.load(first, at), b.fmul(self.fresh, g)), first, at)
        return self.moved(w, v.fma(self.past, m, b.fmul(self.direct, g)))

    def adam(self, w, g, at, first, second):
        b, v = self.b, self.v
        m = self.keep(v.fma(self.momentum, v.load(first, at), b.fmul(self.fresh, g)), first, at)
        return self.moved(w, b.fdiv(m, self.second_moment(second, at, g)))

    def rmsprop(self, w, g, at, first, second):
        b, v = self.b, self.v
        m = self.keep(v.fma(self.momentum, v.load(first, at), b.fdiv(g, self.second_moment(second, at, g))), first, at)
        return self.moved(w, m)

    def gradient(self, w, g, at, first, second):
        self.v.store(g, first, at)
        return w


EMITTERS = {
    PLAIN: _Step.plain,
    MOMENTUM: _Step.with_momentum,
    ADAM: _Step.adam,
    RMSPROP: _Step.rmsprop,
    GRADIENT: _Step.gradient,
}


def _step_row(lanes):
    """The intrinsic that steps the elements from `start` to `stop` of a row, a register of `lanes` at a time."""

    @intrinsic
    def run(typing, optimiser, has_penalties, start, stop, G, W, first, second, numbers):
        def codegen(context, builder, signature, arguments):
            optimiser, has_penalties, start, stop, G, W, first, second, numbers = as_index(
                context, builder, signature, arguments
            )
            kind = signature.args[5].dtype
            numbers = [context.cast(builder, x, types.float64, kind) for x in cgutils.unpack_tuple(builder, numbers)]
            v = Vector(builder, context.get_value_type(kind), lanes)

            def along(emit, is_penalised):
                step = _Step(v, numbers)
                with cgutils.for_range_slice(builder, start, stop, INDEX(v.lanes), intp=INDEX) as (at, _):
                    w, g = v.load(W, at), v.load(G, at)
                    w, g = step.penalised(w, g) if is_penalised else (w, builder.fmul(step.scale, g))
                    v.store(emit(step, w, g, at, first, second), W, at)

            def choose(emit):
                with builder.if_else(has_penalties) as (then, otherwise):
                    with then:
                        along(emit, True)
                    with otherwise:
                        along(emit, False)

            emit_switch(builder, optimiser, {code: lambda emit=emit: choose(emit) for code, emit in EMITTERS.items()})
            return context.get_dummy_value()

        return types.void(optimiser, has_penalties, start, stop, G, W, first, second, numbers), codegen

    return run


_step_registers, _step_lanes = _step_row(None), _step_row(1)


@jit
def step_rows(rows, columns, G, g_row, W, w_row, first, second, rule, coefs, scale, penalised):
    """The step of `rule` on W (rows, columns) with its states `first` and `second`, all pointers; the states as W.

    G      sums over the batch's samples, not yet divided: they are multiplied by `scale`
    coefs  a row of `update_rule.step_schedule`;  penalised: False for biases, which l1, l2 and decay leave alone
    """
    weight = 1.0 if penalised else 0.0
    # What the state m gets of the new gradient, and what the step takes of m and of g itself.
    fresh = 1.0 - (rule.momentum if rule.optimizer == ADAM else rule.dampening)
    past = rule.momentum if rule.nesterov != 0 else 1.0
    numbers = (
        scale, coefs[STEP_SIZE], coefs[ROOT_SCALE], 1.0 - weight * coefs[RATE] * rule.decay, rule.momentum, fresh, past,
        rule.nesterov, rule.beta2, 1.0 - rule.beta2, rule.epsilon, weight * rule.l1, weight * rule.l2,
    )  # fmt: skip
    if columns == w_row == g_row:
        rows, columns = UNIT, rows * columns  # one after the other without a gap: a single long row
    whole = columns - columns % lanes_of(W)
    has_penalties = penalised and (rule.l1 != 0 or rule.l2 != 0 or rule.decay != 0)
    for i in range(rows):
        g, w = shifted(G, i * g_row), shifted(W, i * w_row)
        m, v = shifted(first, i * w_row), shifted(second, i * w_row)
        _step_registers(rule.optimizer, has_penalties, 0, whole, g, w, m, v, numbers)
        _step_lanes(rule.optimizer, has_penalties, whole, columns, g, w, m, v, numbers)


@jit
def step_column(decayed, rows, G, W, w_row, first, second, rule, coefs, scale, room):
    """The same for a single column, of whose G there are no gaps; `decayed`: rows that are no biases, the first ones.

    room    for three times `rows` elements, each rounded up to whole registers, of MOST_LANES at most
    """
    apart = (rows + MOST_LANES - 1) // MOST_LANES * MOST_LANES
    w, m, v = room, shifted(room, apart), shifted(room, 2 * apart)
    for i in range(rows):
        store(w, i, load(W, i * w_row))
        store(m, i, load(first, i * w_row))
        store(v, i, load(second, i * w_row))
    step_rows(UNIT, decayed, G, ZERO, w, ZERO, m, v, rule, coefs, scale, True)
    for i in range(decayed, rows):
        g, b = shifted(G, i), shifted(w, i)
        step_rows(UNIT, UNIT, g, ZERO, b, ZERO, shifted(m, i), shifted(v, i), rule, coefs, scale, False)
    for i in range(rows):
        store(second, i * w_row, load(v, i))
        store(first, i * w_row, load(m, i))
        store(W, i * w_row, load(w, i))


@jit
def step(W, G, first, second, rule, coefs, scale, penalised):
    """The step of `rule` on a matrix W from its summed gradient G, in place; see the reference."""
    step_rows(
        W.shape[0], W.shape[1], pointer(G), row_stride(G), pointer(W), row_stride(W), pointer(first), pointer(second),
        rule, coefs, scale, penalised,
    )  # fmt: skip


@intrinsic
def add_rows(typing, rows, source, row, target, columns):
    """target[j] = source[j] + source[row + j] + ..., one after the other, of whole registers of columns."""

    def codegen(context, builder, signature, arguments):
        rows, source, row, target, columns = as_index(context, builder, signature, arguments)
        v = Vector(builder, context.get_value_type(signature.args[3].dtype))
        totals = [cgutils.alloca_once(builder, v.type) for _ in range(ADDED_AT_ONCE)]

        def add(count, first, stop):
            cells = [(INDEX(r * v.lanes), total) for r, total in enumerate(totals[:count])]
            with cgutils.for_range_slice(builder, first, stop, INDEX(count * v.lanes), intp=INDEX) as (at, _):
                for place, total in cells:
                    builder.store(v.load(source, builder.add(at, place)), total)
                with cgutils.for_range_slice(builder, INDEX(1), rows, INDEX(1), intp=INDEX) as (i, _):
                    along = builder.add(builder.mul(i, row), at)
                    for place, total in cells:
                        more = v.load(source, builder.add(along, place))
                        builder.store(builder.fadd(builder.load(total), more), total)
                for place, total in cells:
                    v.store(builder.load(total), target, builder.add(at, place))

        most = INDEX(ADDED_AT_ONCE * v.lanes)
        whole = builder.sub(columns, builder.srem(columns, most))
        add(ADDED_AT_ONCE, INDEX(0), whole)
        add(1, whole, columns)
        return context.get_dummy_value()

    return types.void(rows, source, row, target, columns), codegen


@intrinsic
def _squares_by_place(typing, row, columns, target):
    """target[p] += sum of the squares of row[p], row[p + LINE], ... for each place p of a cache line."""

    def codegen(context, builder, signature, arguments):
        row, columns, target = as_index(context, builder, signature, arguments)
        element = context.get_value_type(signature.args[0].dtype)
        # A cache line and not a register: the order of the sum must not depend on the CPU.
        v = Vector(builder, element, LINE * 8 // (32 if isinstance(element, ir.FloatType) else 64))
        cell = cgutils.alloca_once_value(builder, v.constant(0.0))
        with cgutils.for_range_slice(builder, INDEX(0), columns, INDEX(v.lanes), intp=INDEX) as (at, _):
            x = v.load(row, at)
            builder.store(v.fma(x, x, builder.load(cell)), cell)
        v.store(builder.load(cell), target, INDEX(0))
        return context.get_dummy_value()

    return types.void(row, columns, target), codegen


@jit
def sum_of_squares(row, columns, scratch):
    """The sum over `columns` elements, whole cache lines, as float64; scratch: pointer to one more cache line."""
    _squares_by_place(row, columns, scratch)
    total = 0.0
    for p in range(LINE // REGISTER_BYTES * lanes_of(row)):
        total += load(scratch, p)
    return total


@intrinsic
def _limit_columns(typing, W, w_row, rows, limit):
    """Scale each column of one register's width down to a norm of at most `limit`."""

    def codegen(context, builder, signature, arguments):
        W, w_row, rows, limit = as_index(context, builder, signature, arguments)
        kind = signature.args[0].dtype
        v = Vector(builder, context.get_value_type(kind))
        limit = v.splat(context.cast(builder, limit, types.float64, kind))
        total, part = (cgutils.alloca_once_value(builder, v.constant(0.0)) for _ in range(2))

        def add(cell, first, stop):
            stop = builder.select(builder.icmp_signed("<", stop, rows), stop, rows)
            with cgutils.for_range_slice(builder, first, stop, INDEX(1), intp=INDEX) as (i, _):
                w = v.load(W, builder.mul(i, w_row))
                builder.store(v.fma(w, w, builder.load(cell)), cell)

        add(total, INDEX(0), INDEX(SUM_TERMS))
        block = INDEX(BLOCK_ROWS)
        with cgutils.for_range_slice(builder, INDEX(SUM_TERMS), rows, block, intp=INDEX) as (first, _):
            builder.store(v.constant(0.0), part)
            add(part, first, builder.add(first, block))
            builder.store(builder.fadd(builder.load(total), builder.load(part)), total)
        squared = builder.load(total)
        too_long = builder.fcmp_ordered(">", squared, builder.fmul(limit, limit))
        ratio = builder.fdiv(limit, v.square_root(squared))
        factor = builder.select(too_long, ratio, v.constant(1.0))
        with cgutils.for_range_slice(builder, INDEX(0), rows, INDEX(1), intp=INDEX) as (i, _):
            at = builder.mul(i, w_row)
            v.store(builder.fmul(factor, v.load(W, at)), W, at)
        return context.get_dummy_value()

    return types.void(W, w_row, rows, limit), codegen


@jit
def limit_columns(W, w_row, rows, left, right, limit):
    """Scale the columns left to right of W, whole registers of them, down to a norm of at most `limit`; W a pointer."""
    for j in range(left, right, lanes_of(W)):
        _limit_columns(shifted(W, j), w_row, rows, limit)


@jit
def limit_norms(W, limit):
    """Scale each column of W, the weights into one unit, down to a norm of at most `limit`, in place.

    W: whole registers of columns with contiguous rows
    """
    limit_columns(pointer(W), row_stride(W), W.shape[0], ZERO, W.shape[1], limit)


@jit
def copy_network(me, place, parameters, marked):
    """Copy parameters and their states, as they are after a step, to copies[place], unless that is negative.

    marked: (states, copies). Thread 0 does it, for which the others wait before they take the next step.
    """
    states, copies = marked
    if me == 0 and place >= 0:
        apart, target = copies.shape[1] * copies.shape[2], pointer(copies)
        add_rows(UNIT, pointer(parameters), ZERO, shifted(target, place * apart), parameters.shape[0])
        rest = shifted(target, place * apart + copies.shape[2])
        add_rows(UNIT, pointer(states), ZERO, rest, states.shape[0] * states.shape[1])
