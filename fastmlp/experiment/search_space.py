"""What a search draws its settings from, and random search.

A recipe has instead of its [grid] a table

    [search]
    trials = 20                                                     # how many configurations are tried
    learning_rate = { from = 0.01, to = 1.0, log = true }           # uniform between two ends, here in its logarithm
    batch_size = { from = 20, to = 500, log = true, whole = true }  # a whole number, both ends possible
    hidden = { choices = [[64], [128, 64]] }                        # one of a list, each as probable

Random search draws every setting of every trial on its own: J. Bergstra and Y. Bengio, "Random search for
hyper-parameter optimization", Journal of Machine Learning Research 13, 2012.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check
from fastmlp.utils.options import check_keys, freeze
from fastmlp.utils.showing import shown

METHODS = ("random", "optuna")
PRUNERS = ("median", "none")
OWN_KEYS = ("method", "trials", "pruner")
EXPECTED = "{ from = 0.01, to = 1.0, log = true }, or { choices = [1, 2] }"
DIGITS = 3  # of a drawn number: folders and tables stay readable, and no two networks differ by less
MOST_REPEATED = 5000  # draws in a row that bring nothing new: then there are no more configurations


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, uniformly distributed.

    Attributes
    ----------
    low, high : float
        The ends; both can be drawn.
    log : bool
        Whether the logarithm of the numbers is uniform.
    whole : bool
        Whether the numbers are whole.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, quantile: float) -> float:
        """Return the number below which a share of them lies.

        Parameters
        ----------
        quantile : float
            The share, from 0 to below 1.
        """
        if self.whole:
            beyond = self.high + 1  # every number k has the room from k to k + 1
            return min(math.floor(self._between(self.low, beyond, quantile)), int(self.high))
        return self.rounded(self._between(self.low, self.high, quantile))

    def _between(self, low: float, high: float, quantile: float) -> float:
        return float(low * (high / low) ** quantile if self.log else low + (high - low) * quantile)

    def rounded(self, value: float) -> float:
        """Return the nearest number with few digits; a narrow range has more of them.

        Parameters
        ----------
        value : float
            A number of the range.
        """
        if self.whole:
            return value
        size = max(abs(self.low), abs(self.high))
        digits = DIGITS + max(0, math.floor(math.log10(size / (self.high - self.low))))
        return min(max(float(f"{value:.{digits - 1}e}"), self.low), self.high)

    @property
    def ends(self) -> tuple[float, ...]:
        """Values that a network must accept: the two ends."""
        return self.low, self.high

    def to_dict(self) -> dict[str, Any]:
        """Return the table of a recipe that gives this distribution."""
        flags = {name: True for name in ("log", "whole") if getattr(self, name)}
        return {"from": self.low, "to": self.high, **flags}


@dataclass(frozen=True)
class Choices:
    """Values that are equally probable.

    Attributes
    ----------
    values : tuple
        All of them.
    """

    values: tuple[Any, ...]

    def at(self, quantile: float) -> Any:
        """Return the value below which a share of them lies.

        Parameters
        ----------
        quantile : float
            The share, from 0 to below 1.
        """
        return self.values[int(quantile * len(self.values))]

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that a network must accept: all of them."""
        return self.values

    def to_dict(self) -> dict[str, Any]:
        """Return the table of a recipe that gives this distribution."""
        return {"choices": list(self.values)}


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Attributes
    ----------
    distributions : dict
        What each searched setting is drawn from, by its name.
    trials : int
        How many configurations are tried.
    method : str
        "random", or "optuna": see `fastmlp.experiment.optuna_search`.
    pruner : str
        Of Optuna: "median" ends trials that are worse than most, "none" ends none.
    """

    distributions: dict[str, Range | Choices]
    trials: int = 20
    method: str = "random"
    pruner: str = "median"

    def __post_init__(self) -> None:
        check.whole("trials", self.trials, 1, "how many configurations to try, such as 20")
        check.one_of("method", self.method, METHODS)
        check.one_of("pruner", self.pruner, PRUNERS)

    def configurations(self, seed: int) -> list[dict[str, Any]]:
        """Return `trials` different draws of the settings; a larger number begins with those of a smaller one.

        Parameters
        ----------
        seed : int
            The same seed gives the same draws.

        Raises
        ------
        InputError
            If there are fewer different configurations.
        """
        found: dict[Any, dict[str, Any]] = {}  # by what has a hash: a list would be searched to its end each time
        number = last_new = 0
        while len(found) < self.trials:
            drawn = {name: values.at(_quantile(seed, number, name)) for name, values in self.distributions.items()}
            number += 1
            if (key := freeze(drawn)) not in found:
                found[key], last_new = drawn, number
            elif number - last_new == MOST_REPEATED:
                raise InputError(
                    f"trials is {self.trials}, and there are {len(found)} different configurations; ask for no more "
                    "than that, or widen the recipe's [search] or [grid]"
                )
        return list(found.values())

    def extremes(self) -> Iterator[dict[str, Any]]:
        """Yield configurations with every choice and both ends of every range, which a network must accept."""
        first = {name: values.ends[0] for name, values in self.distributions.items()}
        for name, values in self.distributions.items():
            for value in values.ends:
                yield {**first, name: value}

    def without(self, names: Iterable[str]) -> "Search | None":
        """Return the search without some settings; None if none is left.

        Parameters
        ----------
        names : iterable of str
            What is no longer searched.
        """
        dropped = set(names)
        left = {name: values for name, values in self.distributions.items() if name not in dropped}
        return replace(self, distributions=left) if left else None


def from_table(table: dict[str, Any]) -> Search:
    """Return the search of a [search] table.

    Parameters
    ----------
    table : dict
        Its keys are names of settings and `OWN_KEYS`.

    Raises
    ------
    InputError, InputTypeError
        For a distribution, or a value of it, that cannot be used.
    """
    own = {key: table[key] for key in OWN_KEYS if key in table}
    distributions = {key: value for key, value in table.items() if key not in OWN_KEYS}
    if not distributions:
        raise InputError(
            f"[search] has nothing to search; give a setting its range, such as learning_rate = {EXPECTED}"
        )
    return Search({name: _distribution(f"{name} in [search]", value) for name, value in distributions.items()}, **own)


def _distribution(what: str, value: Any) -> Range | Choices:
    if not isinstance(value, dict):
        raise InputTypeError(f"{what} is {shown(value)}; expected {EXPECTED}")
    if "choices" in value:
        check_keys(value, ("choices",), what)
        return _choices(what, value["choices"])
    check_keys(value, ("from", "to", "log", "whole", "choices"), what)
    missing = [key for key in ("from", "to") if key not in value]
    if missing:
        raise InputError(f"{what} has no {missing[0]!r}; expected {EXPECTED}")
    return _range(what, value)


def check_value_list(what: str, values: Any) -> None:
    """Check that a list has different values.

    Parameters
    ----------
    what : str
        Its name in messages.
    values : object
        The list.

    Raises
    ------
    InputError, InputTypeError
        If it is no list, is empty, or has a value twice.
    """
    if not isinstance(values, list):
        raise InputTypeError(f"{what} is {shown(values)}; expected a list of values to try: put it in brackets")
    if not values:
        raise InputError(f"{what} is []; expected a list of values to try: add one, or remove the key")
    for value in values:
        if values.count(value) > 1:
            raise InputError(f"{what} has {shown(value)} twice; list each value once")


def _choices(what: str, values: Any) -> Choices:
    check_value_list(f"choices of {what}", values)
    return Choices(tuple(values))


def _range(what: str, table: dict[str, Any]) -> Range:
    log, whole = (check.flag(f"{key} of {what}", table.get(key, False)) for key in ("log", "whole"))
    ends = []
    for key in ("from", "to"):
        name, value = f"{key!r} of {what}", table[key]
        if whole and not isinstance(value, int):
            raise InputTypeError(f"{name} is {shown(value)} and whole is true; expected a whole number")
        number = check.real(name, value, "an end of the range")
        ends.append(value if whole else number)
    low, high = ends
    if low >= high:
        raise InputError(f"{what} goes from {low} to {high}; expected a larger number after it: exchange them")
    if log and low <= 0:
        raise InputError(f"'from' of {what} is {low} and log is true; expected a number above 0: zero has no logarithm")
    return Range(low, high, log, whole)


def _quantile(seed: int, number: int, name: str) -> float:
    """Return a number from 0 to below 1 for a setting in a draw, which no other setting or trial changes.

    From the raw bits, which NumPy promises to keep; what its `Generator` makes of them may change.
    """
    bits = np.random.PCG64([seed, number, *name.encode()]).random_raw()
    return (int(bits) >> 11) * 2.0**-53
