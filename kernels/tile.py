"""The register tile that sums products for a few rows and registers of columns, and what it does with the sums.

It computes C[i, j] = epilogue(init[j] + sum over k of A[i, k] * B[k, j]). Its accumulators are registers, B is streamed
row by row, A is broadcast.
"""

from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import REGISTER_COUNT
from .registers import INDEX, Vector, as_index, emit_prefetch, emit_switch

# What the tile does with a sum before it stores it.
PLAIN, AFFINE_RELU, DELTA_RELU, DELTA_TANH, DELTA_SIGMOID, STEP = EPILOGUES = range(6)


def _delta_relu(v, total, output):
    return v.b.select(v.b.fcmp_ordered(">", output, v.constant(0.0)), total, v.constant(0.0))


def _delta_tanh(v, total, output):
    return v.b.fmul(total, v.fma(v.b.fneg(output), output, v.constant(1.0)))


def _delta_sigmoid(v, total, output):
    return v.b.fmul(total, v.fma(v.b.fneg(output), output, output))


class Tile:
    """Emits the code of one tile; holds what its epilogues share."""

    def __init__(self, builder, element, rows, registers, lanes):
        self.b = builder
        self.v = Vector(builder, element, lanes)
        self.rows, self.registers = rows, registers

    def columns(self):
        return [INDEX(r * self.v.lanes) for r in range(self.registers)]

    def accumulate(self, A, a_row, a_step, B, b_step, depth, init, init_row):
        """The sums of the tile, [row][register]; depth is the number of terms, init where those of its rows start."""
        b, v = self.b, self.v
        sums = [[cgutils.alloca_once(b, v.type) for _ in range(self.registers)] for _ in range(self.rows)]
        for m, row in enumerate(sums):
            for r, column in enumerate(self.columns()):
                b.store(v.load(init, b.add(b.mul(INDEX(m), init_row), column)), row[r])
        row_offsets = [b.mul(INDEX(m), a_row) for m in range(self.rows)]
        with cgutils.for_range_slice(b, INDEX(0), depth, INDEX(1), intp=INDEX) as (k, _):
            along = b.mul(k, a_step)
            left = [b.gep(A, [b.add(offset, along)]) for offset in row_offsets]
            right = [b.add(b.mul(k, b_step), column) for column in self.columns()]
            if self.rows * self.registers + self.rows + 1 > REGISTER_COUNT:
                # One row of A at a time: together they would not fit beside the sums.
                ws = [v.load(B, at) for at in right]
                for place, row in zip(left, sums, strict=True):
                    a = v.splat(b.load(place))
                    for w, cell in zip(ws, row, strict=True):
                        b.store(v.fma(a, w, b.load(cell)), cell)
            else:
                As = [v.splat(b.load(place)) for place in left]
                for r, at in enumerate(right):
                    w = v.load(B, at)
                    for a, row in zip(As, sums, strict=True):
                        b.store(v.fma(a, w, b.load(row[r])), row[r])
        return [[b.load(cell) for cell in row] for row in sums]

    def ask_for(self, C, c_row):
        """Have the tile of C fetched while the sums are computed."""
        for m in range(self.rows):
            for column in self.columns():
                emit_prefetch(self.b, C, self.b.add(self.b.mul(INDEX(m), c_row), column))

    def finish(self, sums, C, c_row, E, e_row, epilogue, factor, codes=EPILOGUES):
        """Store epilogue(sums) to C: a switch over those of `codes`, outside the loop over k."""
        b, v = self.b, self.v

        def each(emit):
            for m, row in enumerate(sums):
                for r, column in enumerate(self.columns()):
                    at = b.add(b.mul(INDEX(m), c_row), column)
                    beside = b.add(b.mul(INDEX(m), e_row), column)
                    emit(row[r], at, beside)

        def stored(function):
            return lambda total, at, beside: v.store(function(total), C, at)

        factor = v.splat(factor)

        def times_derivative(function):
            def emit(total, at, beside):
                v.store(function(v, total, b.fmul(factor, v.load(E, beside))), C, at)

            return emit

        def step(total, at, beside):
            v.store(v.fma(b.fneg(factor), total, v.load(C, at)), C, at)

        emitters = {
            PLAIN: stored(lambda total: total),
            AFFINE_RELU: stored(v.at_least_zero),
            DELTA_RELU: times_derivative(_delta_relu),
            DELTA_TANH: times_derivative(_delta_tanh),
            DELTA_SIGMOID: times_derivative(_delta_sigmoid),
            STEP: step,
        }
        emit_switch(b, epilogue, {code: lambda code=code: each(emitters[code]) for code in codes})


def tile(rows, registers, lanes=None):
    """The intrinsic of one tile. All matrices are pointers to the tile's first element, with strides in elements."""

    @intrinsic
    def run(typing, A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor):
        def codegen(context, builder, signature, arguments):
            element = context.get_value_type(signature.args[8].dtype)
            A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor = as_index(
                context, builder, signature, arguments
            )
            one = Tile(builder, element, rows, registers, lanes)
            with builder.if_then(builder.icmp_signed("==", epilogue, INDEX(STEP))):
                one.ask_for(C, c_row)
            sums = one.accumulate(A, a_row, a_step, B, b_step, depth, init, init_row)
            factor = context.cast(builder, factor, types.float64, signature.args[8].dtype)
            one.finish(sums, C, c_row, E, e_row, epilogue, factor)
            return context.get_dummy_value()

        signature = types.void(A, a_row, a_step, B, b_step, depth, init, init_row, C, c_row, E, e_row, epilogue, factor)
        return signature, codegen

    return run
