"""Random numbers that a seed determines for good: with every version of NumPy, on every processor and system."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastmlp.utils.exact_math import logarithm

PAIRS_AT_A_TIME = 1 << 15


class RandomStream:
    """A stream of random numbers over the raw bits of PCG64.

    What NumPy's `Generator` makes of raw bits may change in any version. Its `RandomState` is frozen, but for rounding
    [1]_; of its methods those alone are used that round nothing. Its normal numbers need a logarithm, and are computed
    here.

    Parameters
    ----------
    entropy : int or sequence of int
        Seed of the stream.
    spawn_key : sequence of int, default=()
        Distinguishes streams of one seed.

    References
    ----------
    .. [1] R. Kern, NEP 19: random number generator policy, 2019.
    """

    def __init__(self, entropy: int | Sequence[int], spawn_key: Sequence[int] = ()):
        self._state = np.random.RandomState(np.random.PCG64(np.random.SeedSequence(entropy, spawn_key=spawn_key)))
        self._spare = np.empty(0)  # normal numbers come in pairs

    def permutation(self, count: int) -> NDArray[np.int64]:
        """Return the numbers below `count` in random order.

        Parameters
        ----------
        count : int
            How many.
        """
        order: NDArray[np.int64] = self._state.permutation(count).astype(np.int64, copy=False)
        return order

    def uniform(self, low: float, high: float, shape: Sequence[int]) -> NDArray[np.float64]:
        """Return numbers from `low` to below `high`, uniformly distributed.

        Parameters
        ----------
        low, high : float
            Ends of the range.
        shape : sequence of int
            Of the array.
        """
        numbers: NDArray[np.float64] = self._state.random_sample(shape)
        return low + (high - low) * numbers

    def normal(self, shape: Sequence[int]) -> NDArray[np.float64]:
        """Return numbers from N(0, 1).

        Parameters
        ----------
        shape : sequence of int
            Of the array.

        References
        ----------
        G. Marsaglia and T. A. Bray, A convenient method for generating normal variables, 1964: the polar method.
        """
        numbers = np.empty(math.prod(shape))
        filled = 0
        while filled < len(numbers):
            drawn = self._spare if len(self._spare) else self._pairs(-(-(len(numbers) - filled) // 2))
            taken, self._spare = np.split(drawn, [len(numbers) - filled])
            numbers[filled : filled + len(taken)] = taken
            filled += len(taken)
        return numbers.reshape(shape)

    def _pairs(self, count: int) -> NDArray[np.float64]:
        """Return the normal numbers of at most `count` pairs: points outside of the unit circle give none."""
        points = 2 * self._state.random_sample((min(count, PAIRS_AT_A_TIME), 2)) - 1
        squares = points[:, 0] * points[:, 0] + points[:, 1] * points[:, 1]
        is_inside = (squares < 1) & (squares > 0)
        points, squares = points[is_inside], squares[is_inside]
        factors = np.sqrt(-2 * logarithm(squares) / squares)
        numbers: NDArray[np.float64] = (factors[:, None] * points[:, ::-1]).ravel()
        return numbers
