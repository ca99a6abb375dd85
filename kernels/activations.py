"""relu, tanh, sigmoid and exp on registers.

exp follows Cody and Waite: x = k ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^k (1 + p(r)), p the Taylor polynomial of
exp(r) - 1. Its coefficients are 1/n! and its last degree is the first whose remainder is below a quarter of an ulp, so
there is no fitted constant to trust. tanh goes through expm1, which keeps small arguments exact to the last bits, and
sigmoid through exp of -|x|, which cannot overflow. Every step is one IEEE operation per lane: a value's result depends
on that value alone, never on the lanes beside it.

Derivatives need the output alone: relu' = [a > 0], tanh' = 1 - a^2, sigmoid' = a (1 - a).
"""

import math
from fractions import Fraction

from .jit import jit
from .layout import RELU, SIGMOID, TANH
from .registers import lanes_of, pointer, register_map, shifted

# Degree of the Taylor polynomial by the width of a float: (ln 2 / 2)^(n + 1) / (n + 1)! relative to 1 is 5e-9 for
# degree 7 and 4e-18 for degree 13.
DEGREE = {32: 7, 64: 13}
MANTISSA_BITS = {32: 23, 64: 52}
EXPONENT_BIAS = {32: 127, 64: 1023}
# From about here down exp is no normal number, and is taken as 0: ln of the smallest one is -87.33654 and -708.39641.
UNDERFLOW = {32: -87.3365, 64: -708.396}
# tanh(x) is 1 after rounding from here on: 2 exp(-2 x) is below a quarter of an ulp.
TANH_SATURATES = {32: 10.0, 64: 20.0}


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
    # Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
    magic = v.constant(1.5 * 2 ** MANTISSA_BITS[bits])
    shifted_k = v.fma(x, v.constant(1 / math.log(2)), magic)
    k = b.fsub(shifted_k, magic)
    high, low = _split_ln2(bits)
    r = v.fma(k, v.constant(-low), v.fma(k, v.constant(-high), x))
    q = v.constant(1 / math.factorial(DEGREE[bits]))
    for n in range(DEGREE[bits] - 1, 1, -1):
        q = v.fma(q, r, v.constant(1 / math.factorial(n)))
    p = v.fma(b.fmul(q, r), r, r)
    integer = b.sub(b.bitcast(shifted_k, v.int_type), b.bitcast(magic, v.int_type))
    exponent = b.shl(b.add(integer, v.int_constant(EXPONENT_BIAS[bits])), v.int_constant(MANTISSA_BITS[bits]))
    return p, b.bitcast(exponent, v.type)


def exp(v, x):
    """exp(x) for x <= 0; 0 below UNDERFLOW; nan stays nan."""
    p, s = _expm1_and_scale(v, x)
    return v.b.select(v.b.fcmp_ordered("<", x, v.constant(UNDERFLOW[v.bits])), v.constant(0.0), v.fma(p, s, s))


def tanh(v, x):
    """tanh(x) = e / (e + 2) with e = exp(2 |x|) - 1, and the sign of x."""
    limit = v.constant(TANH_SATURATES[v.bits])
    size = v.magnitude(x)
    size = v.b.select(v.b.fcmp_ordered(">", size, limit), limit, size)
    p, s = _expm1_and_scale(v, v.b.fadd(size, size))
    e = v.fma(p, s, v.b.fsub(s, v.constant(1.0)))
    return v.copy_sign(v.b.fdiv(e, v.b.fadd(e, v.constant(2.0))), x)


def sigmoid(v, x):
    """1 / (1 + exp(-x)), as z / (1 + z) with z = exp(x) where x is negative."""
    z = exp(v, v.b.fneg(v.magnitude(x)))
    above = v.b.select(v.b.fcmp_ordered("<", x, v.constant(0.0)), z, v.constant(1.0))
    return v.b.fdiv(above, v.b.fadd(z, v.constant(1.0)))


def relu(v, x):
    return v.at_least_zero(x)


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


exp_row = _row_function(exp)
relu_row = _row_function(relu)
tanh_row = _row_function(tanh)
sigmoid_row = _row_function(sigmoid)
copy_row = _row_function(identity)


@jit
def activate_row(source, target, columns, activation):
    """target[:columns] = f(source[:columns]), both pointers, which may be equal."""
    if activation == RELU:
        relu_row(source, target, columns)
    elif activation == TANH:
        tanh_row(source, target, columns)
    elif activation == SIGMOID:
        sigmoid_row(source, target, columns)
    else:
        copy_row(source, target, columns)


@jit
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
