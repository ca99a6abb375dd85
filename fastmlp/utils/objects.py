"""Arrays of objects: numbers and missing values among them, as DataFrames with several types of columns give them."""

import math
import numbers
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.showing import shown

_MISSING = ("NoneType", "NAType")  # types that stand for no value, in addition to nan


def numbers_of(values: NDArray[np.object_], name: str) -> NDArray[np.float64]:
    """Return an array of objects that are numbers as float64, with nan where one is missing.

    Parameters
    ----------
    values : ndarray of objects
        Of any shape.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        If one of them is beyond what a float represents.
    InputTypeError
        If one of them is neither a number nor missing.
    """
    if not are_numbers(values):
        wrong = [(at, value) for at, value in np.ndenumerate(values) if not are_numbers(np.array([value], object))]
        # Numbers are text beside a word in a column of a file: the word is what is wrong.
        at, value = next((pair for pair in wrong if not _is_number_text(pair[1])), wrong[0])
        if len(at) == 1:
            raise InputTypeError(
                f"{name} has {shown(value)} at row {at[0]}; expected numbers: correct it or leave it out"
            )
        raise InputTypeError(
            f"{name} has {shown(value)} at row {at[0]}, column {at[1]}; expected numbers: give columns of text as a "
            "DataFrame"
        )
    try:
        return np.where(are_missing(values), np.nan, values).astype(np.float64)
    except OverflowError:
        raise InputError(f"{name} has a number of more than 308 digits; expected finite ones: scale them") from None


def _is_number_text(value: object) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def are_numbers(values: NDArray[Any]) -> bool:
    """Return whether all objects of an array are numbers, or missing.

    Parameters
    ----------
    values : ndarray
        Of any shape.
    """
    kinds = set(map(type, values.flat))
    return all(kind.__name__ in _MISSING or issubclass(kind, numbers.Real | np.bool_ | Decimal) for kind in kinds)


def are_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a mask of the values that are missing: nan, None, or the NA of pandas.

    Parameters
    ----------
    values : ndarray
        Of any shape.
    """
    if values.dtype != object:
        return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    found: NDArray[np.bool_] = np.frompyfunc(_is_missing, 1, 1)(values).astype(bool)
    return found


def _is_missing(value: object) -> bool:
    if type(value).__name__ in _MISSING:
        return True
    try:
        return bool(value != value)
    except Exception:  # of a method of its class
        return False
