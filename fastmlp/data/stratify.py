"""Which samples are drawn for validation, where the last ones would not stand for all: as of sorted data."""

import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.utils.labels import listed
from fastmlp.utils.random_stream import RandomStream
from fastmlp.utils.showing import shown

# Parts of a regression's numbers, in their order, from each of which samples are drawn.
GROUPS = 10
# Largest difference of the distributions of two parts that is no concern, and the factor of Smirnov's approximation
# for a difference that chance exceeds once in a thousand times: sqrt(-ln(0.001 / 2) / 2).
LARGEST_DIFFERENCE, THOUSANDTH = 0.1, 1.95

Mask = NDArray[np.bool_]


def choose(y: NDArray[Any], count: int, stratify: bool | None, seed: int) -> tuple[Mask | None, tuple[str, ...]]:
    """Choose the validation samples, and say what a person would not expect.

    Parameters
    ----------
    y : ndarray of shape (N,)
        Labels, or numbers in float64 for a regression.
    count : int
        Number of validation samples, below N.
    stratify : bool or None
        False for the last ones, True to draw from each class in proportion; None to draw where the last ones would
        leave a class out of a part, or numbers of another distribution.
    seed : int
        Seed of the draw.

    Returns
    -------
    chosen : ndarray of shape (N,), bool; or None
        The validation samples; None for the last ones.
    notes : tuple of str
        Sentences, most often none.

    Raises
    ------
    InputError
        If the seed is no whole number from 0.
    """
    if y.dtype.kind == "f":
        groups = np.argsort(np.argsort(y, kind="stable"), kind="stable") * GROUPS // len(y)
        if stratify:
            return draw(groups, count, seed), ()
        if not differ(y[:-count], y[-count:]):
            return None, ()
        what = f"the last {count} samples have other numbers than those before them, as in sorted data"
        if stratify is False:
            return None, (f"{what}: validation results are not those of other samples",)
        return draw(groups, count, seed), (f"{what}: validation samples are drawn from small to large ones instead",)
    classes, codes = np.unique(y, return_inverse=True)
    if stratify:
        return draw(codes, count, seed), ()
    last = np.arange(len(y)) >= len(y) - count
    without = _absences(codes, last)
    if not without.any():
        return None, ()
    lacking = " and ".join(
        f"{part} samples {'lack' if stratify is False else 'would lack'} {listed(classes[absent])}"
        for part, absent in zip(("training", "validation"), without, strict=True)
        if absent.any()
    )
    is_sorted = np.count_nonzero(np.diff(codes)) == len(classes) - 1
    if stratify is False:
        return None, (f"{lacking}{', as they are sorted by class' if is_sorted else ''}",)
    chosen = draw(codes, count, seed)
    if not (without & ~_absences(codes, chosen)).any():
        return None, ()  # these classes have too few samples for both parts
    why = "the samples are sorted by class" if is_sorted else lacking
    return chosen, (f"{why}: validation samples are drawn from each class",)


def _absences(codes: NDArray[np.intp], chosen: Mask) -> NDArray[np.bool_]:
    """Return whether each class is absent, (2, C), from the samples that are not chosen, and from those that are."""
    classes = codes.max() + 1
    return np.array([np.bincount(codes[part], minlength=classes) == 0 for part in (~chosen, chosen)])


def differ(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Return whether two samples are of clearly different distributions, by the statistic of Kolmogorov and Smirnov.

    Parameters
    ----------
    first, second : ndarray of shape (N,), (M,)
        Numbers.

    References
    ----------
    N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of Mathematical Statistics
    19, 1948.
    """
    values = np.concatenate([first, second])
    shares = [np.searchsorted(np.sort(part), values, side="right") / len(part) for part in (first, second)]
    largest = float(np.abs(shares[0] - shares[1]).max())
    return largest > max(LARGEST_DIFFERENCE, THOUSANDTH * math.sqrt(len(values) / (len(first) * len(second))))


def draw(codes: NDArray[np.integer], count: int, seed: int) -> Mask:
    """Draw samples from each class in proportion, rounded so that the sum is right.

    Parameters
    ----------
    codes : ndarray of shape (N,)
        Class of each sample, a number from 0.
    count : int
        Number of samples to draw.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (N,), bool
        The samples that are drawn.

    Raises
    ------
    InputError
        If the seed is no whole number from 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"seed is {shown(seed)}; expected a whole number from 0")
    exact = np.bincount(codes) * (count / len(codes))
    quotas = np.floor(exact).astype(np.int64)
    # The classes that rounding down cut most get one more each.
    quotas[np.argsort(quotas - exact, kind="stable")[: count - quotas.sum()]] += 1
    random = RandomStream(int(seed))
    chosen = np.zeros(len(codes), bool)
    for code, quota in enumerate(quotas):
        rows = np.flatnonzero(codes == code)
        chosen[rows[random.permutation(len(rows))[:quota]]] = True
    return chosen
