"""Random bits by counting: each number is a function of a key and of the place where it is used, and of nothing else.

No state is carried from number to number, so threads, blocks and lanes may produce them in any order. A sample's two
32-bit keys come from (seed, epoch, stream, position) through the finaliser of splitmix64 (Steele, Lea, Flood 2014);
element i of its stream is

    bits(i) = fmix32(fmix32(i * 0x9E3779B9 + k0) ^ k1)

with the finaliser of MurmurHash3 (Appleby 2008), modulo 2^32. For one pair of keys this is a bijection of i: the
numbers of a sample never repeat within 2^32 of them. Statistically sound for dropout and distortions, not for secrets.
"""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .jit import jit
from .registers import INT32, Vector, as_index, lanes_of

# 2^32 and 2^64 over the golden ratio, odd: consecutive counters land far apart.
GOLDEN_32, GOLDEN_64 = 0x9E3779B9, np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_27, _30, _31, _32 = (np.uint64(shift) for shift in (27, 30, 31, 32))


@jit
def sample_keys(seed, epoch, stream, position):
    """The keys (k0, k1), uint32, of one sample's numbers; the arguments are whole numbers from 0."""
    z = np.uint64(0)
    for word in (np.uint64(seed), np.uint64(epoch), np.uint64(stream), np.uint64(position)):
        z = (z ^ word) + GOLDEN_64
        z = (z ^ (z >> _30)) * _MIX_1
        z = (z ^ (z >> _27)) * _MIX_2
        z = z ^ (z >> _31)
    return np.uint32(z), np.uint32(z >> _32)


def splat_integer(builder, scalar, lanes):
    """A register with the run-time integer `scalar` in every lane."""
    first = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined), scalar, INT32(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes))


def emit_bits(v, k0, k1, offset):
    """The bits of the elements offset, offset + 1 ... in the lanes of an int32 register, one for each lane of `v`."""
    b, kind = v.b, ir.VectorType(INT32, v.lanes)

    def constant(value):
        return ir.Constant(kind, [value] * v.lanes)

    def mixed(x):
        for multiplier, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
            x = b.mul(b.xor(x, b.lshr(x, constant(shift))), constant(multiplier))
        return b.xor(x, b.lshr(x, constant(16)))

    start = b.add(b.mul(b.trunc(offset, INT32), INT32(GOLDEN_32)), k0)
    steps = ir.Constant(kind, [lane * GOLDEN_32 % 2**32 for lane in range(v.lanes)])
    return mixed(b.xor(mixed(b.add(splat_integer(b, start, v.lanes), steps)), splat_integer(b, k1, v.lanes)))


def _uniform(lanes):
    """The intrinsic that stores one register of uniform numbers."""

    @intrinsic
    def run(typing, k0, k1, offset, target):
        def codegen(context, builder, signature, arguments):
            k0, k1, target = arguments[0], arguments[1], arguments[3]
            offset = as_index(context, builder, signature, arguments)[2]
            v = Vector(builder, context.get_value_type(signature.args[3].dtype), lanes)
            top = builder.lshr(emit_bits(v, k0, k1, offset), ir.Constant(ir.VectorType(INT32, v.lanes), [8] * v.lanes))
            # 24 bits times 2^-23, less 1: every step is exact, in float32 as well.
            v.store(v.fma(builder.sitofp(top, v.type), v.constant(2.0**-23), v.constant(-1.0)), target, offset)
            return context.get_dummy_value()

        return types.void(types.uint32, types.uint32, offset, target), codegen

    return run


def _drop(lanes):
    """The intrinsic that keeps or drops one register of elements."""

    @intrinsic
    def run(typing, k0, k1, keep_threshold, scale, source, target, offset):
        def codegen(context, builder, signature, arguments):
            k0, k1, threshold, scale, source, target, _ = arguments
            offset = as_index(context, builder, signature, arguments)[6]
            v = Vector(builder, context.get_value_type(signature.args[5].dtype), lanes)
            scale = v.splat(context.cast(builder, scale, signature.args[3], signature.args[5].dtype))
            # 2^32 does not fit a lane: compare with the last number that is kept, unless none is.
            last = builder.trunc(builder.sub(threshold, threshold.type(1)), INT32)
            some = builder.icmp_unsigned("!=", threshold, threshold.type(0))
            below = builder.icmp_unsigned("<=", emit_bits(v, k0, k1, offset), splat_integer(builder, last, v.lanes))
            kept = builder.and_(below, splat_integer(builder, some, v.lanes))
            value = builder.select(kept, builder.fmul(v.load(source, offset), scale), v.constant(0.0))
            v.store(value, target, offset)
            return context.get_dummy_value()

        kinds = (types.uint32, types.uint32, types.uint64, scale, source, target, offset)
        return types.void(*kinds), codegen

    return run


_uniform_register, _uniform_lane = _uniform(None), _uniform(1)
_drop_register, _drop_lane = _drop(None), _drop(1)


@jit
def uniform_row(k0, k1, count, target):
    """target[:count] = uniform numbers in [-1, 1), multiples of 2^-23; `target` is a pointer."""
    lanes = lanes_of(target)
    whole = count - count % lanes
    for j in range(0, whole, lanes):
        _uniform_register(k0, k1, j, target)
    for j in range(whole, count):
        _uniform_lane(k0, k1, j, target)


@jit
def drop_row(k0, k1, keep_threshold, scale, source, target, columns):
    """target[j] = source[j] * scale where bits(j) < keep_threshold, else 0; pointers of one type, which may be equal.

    keep_threshold: probability to be kept, times 2^32; scale: 1 / probability keeps the mean
    """
    lanes = lanes_of(target)
    whole = columns - columns % lanes
    for j in range(0, whole, lanes):
        _drop_register(k0, k1, keep_threshold, scale, source, target, j)
    for j in range(whole, columns):
        _drop_lane(k0, k1, keep_threshold, scale, source, target, j)
