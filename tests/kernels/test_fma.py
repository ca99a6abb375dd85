"""The fused multiply-add of CPUs without one, against exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import types
from numba.extending import intrinsic

from fastmlp.kernels import jit
from fastmlp.kernels.registers import Vector, as_index, emit_fma_by_doubles, pointer

LANES = 4


@intrinsic
def _fma_register(typing, x, y, z, out):
    def codegen(context, builder, signature, arguments):
        x, y, z, out = as_index(context, builder, signature, arguments)
        v = Vector(builder, context.get_value_type(types.float32), LANES)
        start = context.get_constant(types.int64, 0)
        result = emit_fma_by_doubles(builder, v.type, *(v.load(place, start) for place in (x, y, z)))
        v.store(result, out, start)
        return context.get_dummy_value()

    return types.void(x, y, z, out), codegen


@jit.jit
def _fma(x, y, z, out):
    _fma_register(pointer(x), pointer(y), pointer(z), pointer(out))


def fma(x, y, z):
    """The three numbers through each lane of a register."""
    out = np.empty(LANES, np.float32)
    _fma(*(np.full(LANES, number, np.float32) for number in (x, y, z)), out)
    assert len({number.tobytes() for number in out}) == 1
    return out[0]


def rounded(exact):
    """A fraction as the nearest float32, of two that are equally near the one whose last bit is 0."""
    near = np.float32(float(exact))  # rounded twice, so it may be the neighbour of the right one
    with np.errstate(over="ignore"):
        candidates = [near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))]
    finite = [c for c in candidates if np.isfinite(c)]
    return min(finite, key=lambda c: (abs(Fraction(float(c)) - exact), int(c.view(np.uint32)) & 1))


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
moderate = st.floats(-(2.0**40), 2.0**40, width=32)


@given(moderate, moderate, moderate)
@settings(max_examples=2000)
def test_the_sum_is_rounded_once(x, y, z):
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact:
        assert fma(x, y, z) == rounded(exact)
    else:
        assert fma(x, y, z) == 0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("addend", [1.0, 1 + 2.0**-23, 1 + 2.0**-22, 1.5])
def test_a_sum_just_beside_the_middle_of_two_numbers_goes_to_the_nearer(addend, sign):
    # The product is 2^-24 - 2^-70: half of the last place of the addend but for what a sum of doubles loses.
    x, y = np.float32(2.0**-12 * (1 + 2.0**-23)), np.float32(2.0**-12 * (1 - 2.0**-23))
    for a, c in ((x, addend), (-x, addend), (x, -addend), (-x, -addend)):
        a, c = np.float32(sign * a), np.float32(c)
        assert fma(a, y, c) == rounded(Fraction(float(a)) * Fraction(float(y)) + Fraction(float(c)))


@given(numbers, numbers, numbers)
@settings(max_examples=500)
def test_numbers_of_any_size_are_rounded_once_or_overflow(x, y, z):
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    largest = Fraction(float(np.finfo(np.float32).max)) + Fraction(2) ** 103
    if abs(exact) >= largest:
        assert fma(x, y, z) == np.copysign(np.float32(np.inf), np.float32(1 if exact > 0 else -1))
    elif exact and abs(float(exact)) > 0:
        assert fma(x, y, z) == rounded(exact)


@pytest.mark.parametrize(
    ("x", "y", "z", "expected"),
    [
        (np.inf, 1, 1, np.inf),
        (np.inf, 0, 1, np.nan),
        (np.inf, 1, -np.inf, np.nan),
        (1, 1, -np.inf, -np.inf),
        (np.nan, 1, 1, np.nan),
        (-0.0, 1, -0.0, -0.0),
        (0.0, 1, -0.0, 0.0),
        (1, 1, -1, 0.0),
    ],
)
def test_infinities_nan_and_signed_zeros_are_those_of_the_standard(x, y, z, expected):
    np.testing.assert_array_equal(fma(x, y, z), np.float32(expected))
    assert np.signbit(fma(x, y, z)) == np.signbit(np.float32(expected)) or np.isnan(expected)
