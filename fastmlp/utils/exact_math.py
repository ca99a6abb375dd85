"""Functions that give the same bits on every processor and system."""

import decimal
import math

import numpy as np
from numpy.typing import NDArray

# The Taylor series of the sine, up to degree 15. Its remainder on [0, pi/4], (pi/4)^17 / 17!, is below half an ulp.
SINE = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(8))
# log m = 2 artanh s with s = (m - 1) / (m + 1): its series in s^2, for m in [sqrt(1/2), sqrt(2)]. There s^2 is below
# 0.0295, and the remainder below half an ulp.
ARTANH = tuple(2 / (2 * k + 1) for k in range(11))
LOG_2 = 0.6931471805599453


def power(base: float, exponent: float) -> float:
    """Return base^exponent, rounded once: the powers of C libraries and of NumPy differ in the last bit.

    Parameters
    ----------
    base : float
        Above 0.
    exponent : float
        Any finite number.
    """
    with decimal.localcontext(prec=40):
        return float(decimal.Decimal(base) ** decimal.Decimal(exponent))


def half_cosine(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (1 + cos(pi x)) / 2, exactly 1 at 0 and 0 at 1, within 4e-16 elsewhere.

    It is cos^2(pi x / 2), here as 1 - sin^2 of at most pi/4. Additions and products alone, because the cosines of C
    libraries and of numpy's SIMD units differ in the last bit, and a seed is to give the same weights everywhere.

    Parameters
    ----------
    x : ndarray of float64, (n,)
        Numbers in [0, 1].

    Returns
    -------
    ndarray of float64, (n,)
        Numbers in [0, 1].
    """
    angle = np.pi / 2 * np.minimum(x, 1 - x)
    square, series = angle * angle, np.zeros_like(angle)
    for coefficient in reversed(SINE):
        series = series * square + coefficient
    sine = angle * series
    return np.where(x <= 0.5, 1 - sine * sine, sine * sine)


def logarithm(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(x) within 2 ulp, computed by additions, products and quotients only.

    The logarithm of a C library differs in the last bit from that of another, and glibc's from itself on a processor
    without fused multiply-add.

    Parameters
    ----------
    x : ndarray of float64, (n,)
        Finite numbers above 0.

    Returns
    -------
    ndarray of float64, (n,)
        Their natural logarithms.
    """
    mantissa, exponent = np.frexp(x)
    is_small = mantissa < math.sqrt(0.5)
    mantissa, exponent = np.where(is_small, 2 * mantissa, mantissa), exponent - is_small
    s = (mantissa - 1) / (mantissa + 1)
    square, series = s * s, np.zeros_like(s)
    for coefficient in reversed(ARTANH):
        series = series * square + coefficient
    result: NDArray[np.float64] = exponent * LOG_2 + s * series
    return result
