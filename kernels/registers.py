"""The SIMD vocabulary: typed pointers, and LLVM vector IR for whole registers.

Kernels see memory as typed pointers (`types.CPointer(float32)`) with strides counted in elements: nothing is
reference-counted, nothing depends on an array's layout, and one source serves float32 and float64. Loads and stores of
registers promise the alignment of one element only, so any view is legal.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import HAS_FMA, PACKS_LANES, REGISTER_BYTES, UnsupportedInstruction, instruction
from .jit import jit

# Constant arguments of kernels: numba compiles a callee anew for every literal, once for these.
ZERO, UNIT = np.int64(0), np.int64(1)

INDEX = ir.IntType(64)
INT32 = ir.IntType(32)

# By the name of the x86 instruction, which all versions of LLVM know: the general one is new in LLVM 19.
_COMPRESS = instruction("llvm.x86.avx512.mask.compress") if PACKS_LANES else None


class Vector:
    """IR for registers of `lanes` elements of one float type. One lane serves the columns after the last register."""

    def __init__(self, builder, element, lanes=None):
        self.b = builder
        self.element = element
        self.bits = 32 if isinstance(element, ir.FloatType) else 64
        self.lanes = lanes or REGISTER_BYTES * 8 // self.bits
        self.type = ir.VectorType(element, self.lanes)
        self.int_type = ir.VectorType(ir.IntType(self.bits), self.lanes)
        self.exponent_bits = 0xFF << 23 if self.bits == 32 else 0x7FF << 52

    def constant(self, value):
        """A register with `value` in every lane, rounded to the element type."""
        return ir.Constant(self.type, [value] * self.lanes)

    def int_constant(self, value):
        return ir.Constant(self.int_type, [value] * self.lanes)

    def splat(self, scalar):
        """A register with the run-time `scalar` in every lane."""
        return emit_splat(self.b, scalar, self.lanes)

    def load(self, pointer, offset):
        """The register at `pointer + offset` elements."""
        at = self.b.bitcast(self.b.gep(pointer, [offset]), self.type.as_pointer())
        return self.b.load(at, align=self.bits // 8)

    def store(self, value, pointer, offset):
        at = self.b.bitcast(self.b.gep(pointer, [offset]), self.type.as_pointer())
        self.b.store(value, at, align=self.bits // 8)

    def _call(self, name, *arguments):
        full = f"llvm.{name}.v{self.lanes}f{self.bits}"
        kind = ir.FunctionType(self.type, [self.type] * len(arguments))
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, full), arguments)

    def fma(self, x, y, z):
        """x * y + z, rounded once, whatever the CPU: this is what makes results the same everywhere.

        Without the instruction, LLVM calls the C library's `fma` for each lane of float64.
        """
        if HAS_FMA or self.bits == 64:
            return self._call("fma", x, y, z)
        return emit_fma_by_doubles(self.b, self.type, x, y, z)

    def magnitude(self, x):
        return self._call("fabs", x)

    def square_root(self, x):
        return self._call("sqrt", x)

    def copy_sign(self, magnitude, sign):
        return self._call("copysign", magnitude, sign)

    def with_sign(self, magnitude, sign):
        """The same for a magnitude that has no sign itself, in one operation less."""
        b, sign_bit = self.b, self.int_constant(1 << (self.bits - 1))
        bits = b.or_(b.bitcast(magnitude, self.int_type), b.and_(b.bitcast(sign, self.int_type), sign_bit))
        return b.bitcast(bits, self.type)

    def swap_blocks(self, upper, lower, block):
        """The two rows with the odd blocks of `upper` and the even blocks of `lower` exchanged."""

        def shuffled(lanes):
            mask = ir.Constant(ir.VectorType(INT32, self.lanes), lanes)
            return self.b.shuffle_vector(upper, lower, mask)

        every = range(self.lanes)
        return (
            shuffled([j if not j & block else self.lanes + j - block for j in every]),
            shuffled([j + block if not j & block else self.lanes + j for j in every]),
        )

    def transposed(self, rows):
        """The transpose of a square of as many registers as one has lanes."""
        # Swap the off-diagonal blocks of size 1, then 2, 4 ...: lane j of row i goes to lane i of row j.
        rows, block = list(rows), 1
        while block < self.lanes:
            for i in range(self.lanes):
                if not i & block:
                    rows[i], rows[i + block] = self.swap_blocks(rows[i], rows[i + block], block)
            block *= 2
        return rows

    def at_least_zero(self, x):
        """max(x, 0) that keeps a nan."""
        zero = self.constant(0.0)
        return self.b.select(self.b.fcmp_ordered("<", x, zero), zero, x)


def array_pointer(context, builder, kind, value):
    """The data pointer of an array argument inside an intrinsic."""
    return context.make_array(kind)(context, builder, value).data


def as_index(context, builder, signature, arguments):
    """The arguments of an intrinsic, every integer widened to an index."""
    return [
        context.cast(builder, value, kind, types.int64) if isinstance(kind, types.Integer) else value
        for value, kind in zip(arguments, signature.args, strict=True)
    ]


def emit_splat(builder, scalar, lanes):
    """A register of `lanes` elements with the run-time integer or float `scalar` in every lane."""
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, scalar, INT32(0))
    zeros = ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(first, undefined, zeros)


def emit_packed(builder, register, chosen):
    """The lanes of an integer or float register that `chosen` (as many bits) has, moved to its front.

    Only for a CPU with PACKS_LANES: on others the module that calls it has to define something else.
    """
    if _COMPRESS is None:
        raise UnsupportedInstruction("this CPU cannot pack the lanes of a register; test PACKS_LANES before")
    kind, element = register.type, register.type.element
    bits = element.width if isinstance(element, ir.IntType) else 32 if isinstance(element, ir.FloatType) else 64
    letter = "i" if isinstance(element, ir.IntType) else "f"
    name = f"{_COMPRESS}.v{kind.count}{letter}{bits}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind, kind, chosen.type]), name)
    return builder.call(function, [register, ir.Constant(kind, ir.Undefined), chosen])


def emit_fma_by_doubles(b, single, x, y, z):
    """x * y + z for registers of float32, rounded once, without an fma.

    In float64 the product is exact. Its sum with z is rounded to odd: towards zero, and the last bit is set where the
    sum is not exact, by D. Knuth's error of a sum (The Art of Computer Programming, vol. 2, 4.2.2, theorem B).
    What is rounded to odd with at least two bits more than float32 has may be rounded again: S. Boldo, G. Melquiond,
    "Emulation of a FMA and correctly rounded sums", IEEE Transactions on Computers 57 (2008).
    """
    lanes = single.count
    double, bits = ir.VectorType(ir.DoubleType(), lanes), ir.VectorType(INDEX, lanes)
    product = b.fmul(b.fpext(x, double), b.fpext(y, double))
    addend = b.fpext(z, double)
    total = b.fadd(product, addend)
    part = b.fsub(total, product)
    error = b.fadd(b.fsub(product, b.fsub(total, part)), b.fsub(addend, part))
    # Ordered, so that nothing moves where a number is infinite or nan.
    is_inexact = b.zext(b.fcmp_ordered("!=", error, ir.Constant(double, [0.0] * lanes)), bits)
    pattern = b.bitcast(total, bits)
    signs_differ = b.lshr(b.xor(b.bitcast(error, bits), pattern), ir.Constant(bits, [63] * lanes))
    odd = b.or_(b.sub(pattern, b.and_(signs_differ, is_inexact)), is_inexact)
    return b.fptrunc(b.bitcast(odd, double), single)


def emit_switch(builder, value, cases):
    """Run the emitter that `cases` has for the run-time integer `value`; a value without one is undefined."""
    impossible, done = builder.append_basic_block("impossible"), builder.append_basic_block("done")
    switch = builder.switch(value, impossible)
    builder.position_at_end(impossible)
    builder.unreachable()
    for code, emit in cases.items():
        block = builder.append_basic_block(f"case{code}")
        switch.add_case(INDEX(code), block)
        builder.position_at_end(block)
        emit()
        builder.branch(done)
    builder.position_at_end(done)


@intrinsic
def pointer(typing, array):
    """Typed pointer to an array's first element. The caller keeps the array alive: see `keep`."""

    def codegen(context, builder, signature, arguments):
        return array_pointer(context, builder, signature.args[0], arguments[0])

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def keep(typing, array):
    """Keep an array alive up to here: numba frees what a function made after its last use, and counts no pointers."""

    def codegen(context, builder, signature, arguments):
        return context.get_dummy_value()

    return types.void(array), codegen


@intrinsic
def shifted(typing, start, elements):
    """The pointer `elements` elements after `start`."""

    def codegen(context, builder, signature, arguments):
        return builder.gep(arguments[0], [context.cast(builder, arguments[1], signature.args[1], types.int64)])

    return start(start, elements), codegen


@intrinsic
def load(typing, start, offset):
    """The element `offset` elements after `start`."""

    def codegen(context, builder, signature, arguments):
        at = context.cast(builder, arguments[1], signature.args[1], types.int64)
        return builder.load(builder.gep(arguments[0], [at]))

    return start.dtype(start, offset), codegen


@intrinsic
def store(typing, start, offset, value):
    """Write `value`, converted to the pointer's type, `offset` elements after `start`."""

    def codegen(context, builder, signature, arguments):
        at = context.cast(builder, arguments[1], signature.args[1], types.int64)
        converted = context.cast(builder, arguments[2], signature.args[2], signature.args[0].dtype)
        builder.store(converted, builder.gep(arguments[0], [at]))
        return context.get_dummy_value()

    return types.void(start, offset, value), codegen


@intrinsic
def nonzero_lanes(typing, start, offset):
    """A bit for each element of the register at `offset` that is not zero, the first element in the lowest bit."""
    lanes = REGISTER_BYTES * 8 // start.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        element = context.get_data_type(signature.args[0].dtype)
        kind = ir.VectorType(element, lanes)
        at = context.cast(builder, arguments[1], signature.args[1], types.int64)
        where = builder.bitcast(builder.gep(arguments[0], [at]), kind.as_pointer())
        register = builder.load(where, align=signature.args[0].dtype.bitwidth // 8)
        zeros = ir.Constant(kind, [0.0 if isinstance(signature.args[0].dtype, types.Float) else 0] * lanes)
        is_float = isinstance(signature.args[0].dtype, types.Float)
        compare = builder.fcmp_unordered if is_float else builder.icmp_unsigned
        mask = builder.bitcast(compare("!=", register, zeros), ir.IntType(lanes))
        return builder.zext(mask, INDEX) if lanes < 64 else mask

    return types.uint64(start, offset), codegen


@intrinsic
def lowest_bit(typing, mask):
    """The position of the lowest bit of a mask that has one."""

    def codegen(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), codegen


@intrinsic
def bits_set(typing, mask):
    """How many bits of a mask are set."""

    def codegen(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), codegen


def emit_prefetch(builder, start, offset, writes=0):
    """Ask for the cache line that holds the element `offset` elements after `start`, which need not exist.

    writes: 1 to take it from other cores, for writing
    """
    byte = builder.bitcast(builder.gep(start, [offset]), ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [byte.type, INT32, INT32, INT32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    builder.call(function, [byte, INT32(writes), INT32(3), INT32(1)])  # 3: into all caches; 1: data


def _prefetching(writes):
    @intrinsic
    def run(typing, start, offset):
        def codegen(context, builder, signature, arguments):
            at = context.cast(builder, arguments[1], signature.args[1], types.int64)
            emit_prefetch(builder, arguments[0], at, writes)
            return context.get_dummy_value()

        return types.void(start, offset), codegen

    return run


# Ask for a cache line as `emit_prefetch` does: to be read; to be written.
prefetch, prefetch_written = _prefetching(0), _prefetching(1)


@intrinsic
def lanes_of(typing, start):
    """Elements of the pointer's type in one register, a compile-time constant."""
    lanes = REGISTER_BYTES * 8 // start.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        return INDEX(lanes)

    return types.int64(start), codegen


@intrinsic
def transpose_square(typing, source, source_row, target, target_row):
    """target[j, i] = source[i, j] for one square of as many rows and columns as a register has lanes."""

    def codegen(context, builder, signature, arguments):
        source, source_row, target, target_row = as_index(context, builder, signature, arguments)
        v = Vector(builder, context.get_value_type(signature.args[0].dtype))
        rows = v.transposed([v.load(source, builder.mul(INDEX(i), source_row)) for i in range(v.lanes)])
        for i, row in enumerate(rows):
            v.store(row, target, builder.mul(INDEX(i), target_row))
        return context.get_dummy_value()

    return types.void(source, source_row, target, target_row), codegen


@jit
def transpose_block(rows, columns, source, source_row, target, target_row):
    """target[j, i] = source[i, j] for whole registers of rows and of columns."""
    lanes = lanes_of(source)
    for i in range(0, rows, lanes):
        for j in range(0, columns, lanes):
            square, into = shifted(source, i * source_row + j), shifted(target, j * target_row + i)
            transpose_square(square, source_row, into, target_row)


@jit
def row_stride(matrix):
    """Elements from one row of a matrix to the next. ValueError unless each row is contiguous."""
    if matrix.strides[1] != matrix.itemsize and matrix.shape[1] > 1:
        raise ValueError("expected a matrix with contiguous rows; pass a copy in C order")
    return matrix.strides[0] // matrix.itemsize


def register_map(emit):
    """An intrinsic pair (whole register, one lane): target[offset ...] = emit(vector, source[offset ...])."""
    return _elementwise(emit, None), _elementwise(emit, 1)


def _elementwise(emit, lanes):
    @intrinsic
    def apply(typing, source, target, offset):
        def codegen(context, builder, signature, arguments):
            vector = Vector(builder, context.get_value_type(signature.args[1].dtype), lanes)
            at = context.cast(builder, arguments[2], signature.args[2], types.int64)
            vector.store(emit(vector, vector.load(arguments[0], at)), arguments[1], at)
            return context.get_dummy_value()

        return types.void(source, target, offset), codegen

    return apply


def register_update(emit):
    """An intrinsic pair: target[offset ...] = emit(vector, target[offset ...], factor * beside[offset ...])."""
    return _update(emit, None), _update(emit, 1)


def _update(emit, lanes):
    @intrinsic
    def apply(typing, target, beside, offset, factor):
        def codegen(context, builder, signature, arguments):
            kind = signature.args[0].dtype
            vector = Vector(builder, context.get_value_type(kind), lanes)
            at = context.cast(builder, arguments[2], signature.args[2], types.int64)
            factor = vector.splat(context.cast(builder, arguments[3], signature.args[3], kind))
            scaled = builder.fmul(factor, vector.load(arguments[1], at))
            vector.store(emit(vector, vector.load(arguments[0], at), scaled), arguments[0], at)
            return context.get_dummy_value()

        return types.void(target, beside, offset, factor), codegen

    return apply
