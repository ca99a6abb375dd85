"""Checks of settings: each error names the value, what was expected and how to mend it.

Every function takes the name of a setting for messages and the value that was given; it returns the checked value, or
raises InputError, or InputTypeError for a value of another type.
"""

import contextlib
import itertools
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.layout import ACTIVATIONS
from fastmlp.utils.options import nearest
from fastmlp.utils.showing import shown

T = TypeVar("T")

ENGINES = ("numba", "numpy")
DTYPES = ("float32", "float64")
MOST_ITEMS = 100_000  # of a setting that is a sequence, which may have no end
MOST_EPOCHS = 10_000_000  # the records of as many, which a history keeps, take gigabytes
MOST_WIDTH = 10**100  # of which no memory holds the weights, and whose bytes are still a float
MOST_THREADS = 4096  # more than any one machine has cores
LEAST = {"float32": 2.0**-126, "float64": 2.0**-1022}  # the least number that has all its digits
# Activations of other libraries that have a dip.
NOT_MONOTONE = ("silu", "swish", "gelu", "mish")


def whole(name: str, value: object, least: int, hint: str, most: int | None = None) -> int:
    """Return `value` as an int within bounds.

    Parameters
    ----------
    name : str
        What messages call the setting.
    value : object
        What was given.
    least : int
        Smallest allowed value.
    hint : str
        The end of messages: how to correct it.
    most : int, optional
        Largest allowed value.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputTypeError(f"{name} is {shown(value)}; expected a whole number: {hint}")
    if value < least:
        raise InputError(f"{name} is {shown(value)}; expected at least {least}: {hint}")
    if most is not None and int(value) > most:
        raise InputError(f"{name} is {shown(value)}; expected at most {most}: {hint}")
    return int(value)


def threads(name: str, value: object) -> int:
    """Return `value` as a number of cores to use.

    Parameters
    ----------
    name, value
        As for `whole`.
    """
    return whole(name, value, 1, "leave it out for all cores", MOST_THREADS)


def real(name: str, value: object, hint: str, least: float = -math.inf, below: float = math.inf) -> float:
    """Return `value` as a finite float with least <= value < below.

    Parameters
    ----------
    name, value, hint
        As for `whole`.
    least : float, optional
        Smallest allowed value.
    below : float, optional
        First number that is too large.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputTypeError(f"{name} is {shown(value)}; expected a number: {hint}")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond every float
        number = math.inf
    if not math.isfinite(number) or not least <= number < below:
        bounds = [f" from {least:g}"] if least > -math.inf else []
        bounds += [f" below {below:g}"] if below < math.inf else []
        raise InputError(f"{name} is {shown(value)}; expected a finite number{','.join(bounds)}: {hint}")
    return number


def positive(name: str, value: object, hint: str) -> float:
    """Return `value` as a finite float above zero.

    Parameters
    ----------
    name, value, hint
        As for `whole`.
    """
    number = real(name, value, hint)
    if number <= 0:
        raise InputError(f"{name} is {shown(value)}; expected a number above 0: {hint}")
    return number


def one_of(name: str, value: object, choices: Iterable[str]) -> str:
    """Return `value` if it is one of the choices.

    Parameters
    ----------
    name, value
        As for `whole`.
    choices : iterable of str
        Allowed values.
    """
    choices = tuple(choices)
    with contextlib.suppress(Exception):  # whatever a method of the value's class raises
        if not getattr(value, "shape", ()) and value in choices:  # an array compares element by element
            return str(value)
    raise InputError(f"{name} is {shown(value)}; {nearest(value, choices)}")


def flag(name: str, value: object) -> bool:
    """Return `value` if it is True or False.

    Parameters
    ----------
    name, value
        As for `whole`.
    """
    if not isinstance(value, bool):
        raise InputTypeError(f"{name} is {shown(value)}; expected true or false")
    return value


def optional(name: str, value: object, checked_by: Callable[[str, object], T]) -> T | None:
    """Return None for None, and any other value as another check returns it.

    Parameters
    ----------
    name, value
        As for `whole`.
    checked_by : callable
        Function of name and value.
    """
    return None if value is None else checked_by(name, value)


def momentum(name: str, value: object) -> float:
    """Return `value` as a momentum, from 0 to below 1.

    Parameters
    ----------
    name, value
        As for `whole`.
    """
    return real(name, value, "0 switches it off, 0.9 is common", least=0, below=1)


def hidden_widths(name: str, value: object) -> tuple[int, ...]:
    """Return the widths of the hidden layers; one number stands for one layer, () for none.

    Parameters
    ----------
    name, value
        As for `whole`.
    """
    expected = "the hidden layers' widths, such as (100, 50, 25)"
    widths = (value,) if isinstance(value, numbers.Integral) else _items(name, value, expected)
    hint = "leave the layer out or widen it"
    return tuple(whole(f"a width in {name}", width, 1, hint, MOST_WIDTH) for width in widths)


def activations(name: str, value: object) -> str | tuple[str, ...]:
    """Return one activation's name, or a tuple of names.

    Parameters
    ----------
    name, value
        As for `whole`.
    """
    if isinstance(value, str):
        return _activation(name, value)
    return tuple(_activation(name, each) for each in _items(name, value, "a name or one name per hidden layer"))


def _activation(name: str, value: object) -> str:
    if isinstance(value, str) and value.lower() in NOT_MONOTONE:
        raise InputError(
            f"{name} is {shown(value)}, which falls and rises, so that its derivative cannot be told from its output, "
            "and that is all a network keeps; expected a function that rises, such as 'elu' or 'softplus'"
        )
    return one_of(name, value, ACTIVATIONS)


def shares(name: str, value: object, hint: str) -> float | tuple[float, ...]:
    """Return a share from 0 to below 1, or a tuple of shares.

    Parameters
    ----------
    name, value, hint
        As for `whole`.
    """
    if isinstance(value, numbers.Real):
        return real(name, value, hint, least=0, below=1)
    given = _items(name, value, "a number, or one for the inputs and each hidden layer")
    return tuple(real(f"a number in {name}", share, hint, least=0, below=1) for share in given)


def rising_epochs(name: str, value: object) -> tuple[int, ...]:
    """Return epochs, counted from 1, in rising order.

    Parameters
    ----------
    name, value
        As for `whole`.
    """
    items = _items(name, value, "whole numbers, such as (20, 40)")
    epochs = tuple(whole(f"a number in {name}", epoch, 1, "epochs count from 1") for epoch in items)
    for earlier, later in itertools.pairwise(epochs):
        if later <= earlier:
            raise InputError(f"{name} has {later} after {earlier}; expected rising epochs: put them in order")
    return epochs


def _items(name: str, value: Any, expected: str) -> tuple[Any, ...]:
    """The items of a sequence that is no text and has an end; an array of no axes has `__iter__` and none."""
    if not isinstance(value, str):
        with contextlib.suppress(Exception):  # whatever a method of the value's class raises
            items = tuple(itertools.islice(value, MOST_ITEMS + 1))
            if len(items) <= MOST_ITEMS:
                return items
            expected += f", and at most {MOST_ITEMS:,}"
    raise InputTypeError(f"{name} is {shown(value)}; expected {expected}")
