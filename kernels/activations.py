"""The activations, their derivatives and exp on registers.

exp follows Cody and Waite: x = k ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^k (1 + p(r)), p the Taylor polynomial of
exp(r) - 1. Its coefficients are 1/n! and its last degree is the first whose remainder is below a quarter of an ulp, so
there is no fitted constant to trust. tanh goes through expm1, which keeps small arguments exact to the last bits, and
sigmoid through exp of -|x|, which cannot overflow. Every step is one IEEE operation per lane: a value's result depends
on that value alone, never on the lanes beside it.

softplus is max(x, 0) + ln(1 + u) with u = exp(-|x|), ln(1 + u) = 2 atanh(u / (2 + u)), whose series has no constant to
trust either.

Derivatives need the output alone: relu' = [a > 0], tanh' = 1 - a^2, sigmoid' = a (1 - a), which are in `dense.py`;
leaky_relu' = 1 or its slope, elu' = 1 or a + 1, softplus' = 1 - exp(-a), which are here. The last one is taken as
-expm1(-a) and is as exact as the output: an error of the output of so many ulps becomes no larger one, because
a / (exp(a) - 1) is below 1.
"""

import math
from fractions import Fraction

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .jit import counting, jit, unit
from .layout import ELU, LEAK, LEAKY_RELU, RELU, SIGMOID, SOFTPLUS, TANH
from .registers import INT32, Vector, lanes_of, pointer, register_map, register_update, shifted

# Degree of the Taylor polynomial by the width of a float: (ln 2 / 2)^(n + 1) / (n + 1)! relative to 1 is 5e-9 for
# degree 7 and 4e-18 for degree 13.
DEGREE = {32: 7, 64: 13}
MANTISSA_BITS = {32: 23, 64: 52}
EXPONENT_BIAS = {32: 127, 64: 1023}
# From about here down exp is no normal number, and is taken as 0: ln of the smallest one is -87.33654 and -708.39641.
UNDERFLOW = {32: -87.3365, 64: -708.396}
# tanh(x) is 1 after rounding from here on: 2 exp(-2 x) is below a quarter of an ulp.
TANH_SATURATES = {32: 10.0, 64: 20.0}
# exp(x) - 1 is -1 after rounding up to here, and exp is infinite from here on: ln of the largest number is 88.72284 and
# 709.78272, and 2^k is no number yet where k ln 2 is 89.07 and 710.13.
EXPM1_SATURATES = {32: -20.0, 64: -40.0}
OVERFLOW = {32: 89.0, 64: 710.0}
# Terms of the series of atanh(s) / s for s up to 1/3: the first left out, 9^-n / (2 n + 1), is below 2^-26 and 2^-55.
ATANH_TERMS = {32: 7, 64: 16}


def _split_ln2(bits):
    """ln 2 as high + low; high is short enough that k * high is exact for every exponent k."""
    keep = MANTISSA_BITS[bits] - 12
    high = Fraction(round(Fraction(math.log(2)) * 2**keep), 2**keep)
    # ln 2 to 40 digits: OEIS A002162.
    exact = Fraction("0.6931471805599453094172321214581765680755")
    return float(high), float(exact - high)


def _expm1_and_scale(v, x):
    """(p, s) with exp(x) = s + p s: p = exp(r) - 1 and s = 2^k, for x within the normal range."""
    b, bits = v.b, v.bits
    # Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits: k, and the exponent's bias with it. No
    # x / ln 2 is halfway between two integers, so that none is rounded otherwise than without the bias.
    magic = v.constant(1.5 * 2 ** MANTISSA_BITS[bits] + EXPONENT_BIAS[bits])
    shifted_k = v.fma(x, v.constant(1 / math.log(2)), magic)
    k = b.fsub(shifted_k, magic)
    high, low = _split_ln2(bits)
    r = v.fma(k, v.constant(-low), v.fma(k, v.constant(-high), x))
    q = v.constant(1 / math.factorial(DEGREE[bits]))
    for n in range(DEGREE[bits] - 1, 1, -1):
        q = v.fma(q, r, v.constant(1 / math.factorial(n)))
    p = v.fma(b.fmul(q, r), r, r)
    exponent = b.shl(b.bitcast(shifted_k, v.int_type), v.int_constant(MANTISSA_BITS[bits]))
    return p, b.bitcast(exponent, v.type)


def exp(v, x):
    """exp(x) for x <= 0; 0 below UNDERFLOW; nan stays nan."""
    p, s = _expm1_and_scale(v, x)
    return v.b.select(v.b.fcmp_ordered("<", x, v.constant(UNDERFLOW[v.bits])), v.constant(0.0), v.fma(p, s, s))


def exp_anywhere(v, x):
    """exp(x) for any x; inf where it is above the largest number."""
    p, s = _expm1_and_scale(v, x)
    # 2^k may be infinite where the result is not.
    half = v.b.bitcast(v.b.sub(v.b.bitcast(s, v.int_type), v.int_constant(1 << MANTISSA_BITS[v.bits])), v.type)
    large = v.b.fmul(v.fma(p, half, half), v.constant(2.0))
    large = v.b.select(v.b.fcmp_ordered(">", x, v.constant(OVERFLOW[v.bits])), v.constant(math.inf), large)
    return v.b.select(v.b.fcmp_ordered(">", x, v.constant(0.0)), large, exp(v, x))


def expm1(v, x):
    """exp(x) - 1 for x <= 0, with the sign of x."""
    limit = v.constant(EXPM1_SATURATES[v.bits])
    p, s = _expm1_and_scale(v, v.b.select(v.b.fcmp_ordered("<", x, limit), limit, x))
    return v.copy_sign(v.fma(p, s, v.b.fsub(s, v.constant(1.0))), x)


def log1p(v, u):
    """ln(1 + u) for u from 0 to 1."""
    s = v.b.fdiv(u, v.b.fadd(u, v.constant(2.0)))
    square, twice = v.b.fmul(s, s), v.b.fadd(s, s)
    q = v.constant(1 / (2 * ATANH_TERMS[v.bits] - 1))
    for n in range(ATANH_TERMS[v.bits] - 2, 0, -1):
        q = v.fma(q, square, v.constant(1 / (2 * n + 1)))
    return v.fma(v.b.fmul(twice, square), q, twice)


def tanh(v, x):
    """tanh(x) = e / (e + 2) with e = exp(2 |x|) - 1, and the sign of x."""
    limit = v.constant(TANH_SATURATES[v.bits])
    size = v.magnitude(x)
    size = v.b.select(v.b.fcmp_ordered(">", size, limit), limit, size)
    p, s = _expm1_and_scale(v, v.b.fadd(size, size))
    e = v.fma(p, s, v.b.fsub(s, v.constant(1.0)))
    return v.with_sign(v.b.fdiv(e, v.b.fadd(e, v.constant(2.0))), x)


def sigmoid(v, x):
    """1 / (1 + exp(-x)), as z / (1 + z) with z = exp(x) where x is negative."""
    z = exp(v, v.b.fneg(v.magnitude(x)))
    above = v.b.select(v.b.fcmp_ordered("<", x, v.constant(0.0)), z, v.constant(1.0))
    return v.b.fdiv(above, v.b.fadd(z, v.constant(1.0)))


def relu(v, x):
    return v.at_least_zero(x)


def leaky_relu(v, x):
    return v.b.select(v.b.fcmp_ordered(">", x, v.constant(0.0)), x, v.b.fmul(x, v.constant(LEAK)))


def elu(v, x):
    """x, or exp(x) - 1 where that is negative."""
    return v.b.select(v.b.fcmp_ordered(">", x, v.constant(0.0)), x, expm1(v, x))


def softplus(v, x):
    """ln(1 + exp(x)); no overflow, and exact also where it is next to 0."""
    return v.b.fadd(v.at_least_zero(x), log1p(v, exp(v, v.b.fneg(v.magnitude(x)))))


def identity(v, x):
    return x


def _row_function(emit):
    """A jitted function (source, target, columns): target[:columns] = emit(source[:columns]), both pointers."""
    registers, lane = register_map(emit)

    @jit
    def apply(source, target, columns):
        lanes = lanes_of(source)
        whole = columns - columns % lanes
        for j in range(0, whole, lanes):
            registers(source, target, j)
        for j in range(whole, columns):
            lane(source, target, j)

    return apply


def _slope_row(emit):
    """A jitted function (D, A, factor, columns): D[:columns] = emit(D[:columns], factor * A[:columns]), of pointers."""
    registers, lane = register_update(emit)

    @jit
    def apply(D, A, factor, columns):
        lanes = lanes_of(D)
        whole = columns - columns % lanes
        for j in range(0, whole, lanes):
            registers(D, A, j, factor)
        for j in range(whole, columns):
            lane(D, A, j, factor)

    return apply


def _leaky_relu_slope(v, total, output):
    is_above = v.b.fcmp_ordered(">", output, v.constant(0.0))
    return v.b.select(is_above, total, v.b.fmul(total, v.constant(LEAK)))


def _elu_slope(v, total, output):
    one = v.constant(1.0)
    slope = v.b.select(v.b.fcmp_ordered(">", output, v.constant(0.0)), one, v.b.fadd(output, one))
    return v.b.fmul(total, slope)


def _softplus_slope(v, total, output):
    return v.b.fmul(v.b.fneg(total), expm1(v, v.b.fneg(output)))


exp_row = _row_function(exp)
relu_row = _row_function(relu)
tanh_row = _row_function(tanh)
sigmoid_row = _row_function(sigmoid)
copy_row = _row_function(identity)
exp_anywhere_row = _row_function(exp_anywhere)
leaky_relu_row = _row_function(leaky_relu)
elu_row = _row_function(elu)
softplus_row = _row_function(softplus)
_leaky_relu_slope_row = _slope_row(_leaky_relu_slope)
_elu_slope_row = _slope_row(_elu_slope)
_softplus_slope_row = _slope_row(_softplus_slope)


@unit
def activate_row(source, target, columns, activation):
    """target[:columns] = f(source[:columns]), both pointers, which may be equal."""
    if activation == RELU:
        relu_row(source, target, columns)
    elif activation == TANH:
        tanh_row(source, target, columns)
    elif activation == SIGMOID:
        sigmoid_row(source, target, columns)
    elif activation == LEAKY_RELU:
        leaky_relu_row(source, target, columns)
    elif activation == ELU:
        elu_row(source, target, columns)
    elif activation == SOFTPLUS:
        softplus_row(source, target, columns)
    else:
        copy_row(source, target, columns)


@jit
def slope_row(D, A, factor, columns, activation):
    """D[:columns] *= f'(factor * A[:columns]), both pointers, for the activations that are not in the tile."""
    if activation == LEAKY_RELU:
        _leaky_relu_slope_row(D, A, factor, columns)
    elif activation == ELU:
        _elu_slope_row(D, A, factor, columns)
    elif activation == SOFTPLUS:
        _softplus_slope_row(D, A, factor, columns)


@intrinsic
def exp_float64(typing, x):
    """exp(x) of one float64."""

    def codegen(context, builder, signature, arguments):
        v = Vector(builder, ir.DoubleType(), 1)
        one = builder.insert_element(ir.Constant(v.type, ir.Undefined), arguments[0], INT32(0))
        return builder.extract_element(exp_anywhere(v, one), INT32(0))

    return types.float64(types.float64), codegen


@counting
def activate(Z, activation, out):
    """out = f(Z), element by element, for matrices with contiguous rows; `out` may be Z. Returns out."""
    for i in range(Z.shape[0]):
        activate_row(
            shifted(pointer(Z), i * (Z.strides[0] // Z.itemsize)),
            shifted(pointer(out), i * (out.strides[0] // out.itemsize)),
            Z.shape[1],
            activation,
        )
    return out
