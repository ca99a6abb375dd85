"""Means of few measurements with their confidence intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95  # of every interval here


@dataclass(frozen=True)
class Interval:
    """A confidence interval: mean ± half_width covers the true mean in 95% of all experiments, if values are normal.

    Attributes
    ----------
    mean, half_width : float
        In the values' unit; half_width is nan for a single value.
    count : int
        Number of values.
    """

    mean: float
    half_width: float
    count: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the mean differs from 0 by more than chance explains; False for a single value."""
        return abs(self.mean) > self.half_width


def mean_interval(values: Sequence[float]) -> Interval:
    """Return Student's interval of a mean: m ± t s / sqrt(n), s² the variance with n - 1, t the quantile for n - 1.

    Parameters
    ----------
    values : sequence of float
        At least one.

    References
    ----------
    Student, "The probable error of a mean", Biometrika 6, 1908.
    """
    count = len(values)
    if count == 1:
        return Interval(values[0], math.nan, 1)
    scale = 2.0 ** max(0, math.frexp(max(map(abs, values)))[1] - 500)  # 1 but for numbers whose squares are too large
    values = [value / scale for value in values]
    mean = math.fsum(values) / count
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return Interval(mean * scale, t_quantile(count - 1) * math.sqrt(variance / count) * scale, count)


def paired_interval(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Return the interval of the mean of first - second, value by value: what the two have in common drops out.

    Parameters
    ----------
    first, second : sequence of float
        Of the same length.
    """
    return mean_interval([a - b for a, b in zip(first, second, strict=True)])


def t_quantile(degrees: int, level: float = LEVEL) -> float:
    """Return the t that |T| stays below with probability `level`, where T follows Student's t distribution.

    By bisection of the angle atan(t / sqrt(degrees)), in which the probability is a finite sum.

    Parameters
    ----------
    degrees : int
        Degrees of freedom, from 1.
    level : float
        Between 0 and 1.

    References
    ----------
    M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 and 26.7.4.
    """
    low, high = 0.0, math.pi / 2
    while (middle := (low + high) / 2) not in (low, high):
        if _probability(middle, degrees) < level:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(low)


def _probability(angle: float, degrees: int) -> float:
    """P(|T| <= sqrt(degrees) tan(angle)): M. Abramowitz and I. Stegun, Handbook, 1964, 26.7.3 and 26.7.4."""
    cosine, odd = math.cos(angle), degrees % 2
    term = cosine if odd else 1.0
    total = 0.0
    for factor in range(1 + odd, degrees, 2):
        total += term
        term *= cosine * cosine * factor / (factor + 1)
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total
