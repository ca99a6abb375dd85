"""Columns of a table: which are numbers and which are categories, and what stands for values that are missing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.inputs.blocks import row_blocks
from fastmlp.utils.objects import are_missing, are_numbers, numbers_of
from fastmlp.utils.records import Record
from fastmlp.utils.showing import shown

# A column of text with more values, or with more than half as many as rows, tells rows apart rather than kinds of them.
MOST_CATEGORIES, FEW_CATEGORIES = 1000, 50
_SHOWN = 8  # values that a message lists


class Column(Record, frozen=True, kw_only=True):
    """A column as the training rows had it.

    Attributes
    ----------
    name : str or None
        None for a column of an array.
    categories : tuple of str or None
        Of text, the values in ascending order, each of which is a feature that is 0 or 1; None for numbers.
    fill : float or None
        Of numbers, the median of the training rows, where missing ones are filled in.
    indicator : bool
        Whether a feature says where a value is missing.
    """

    name: str | None
    categories: tuple[str, ...] | None = None
    fill: float | None = None
    indicator: bool = False

    def __post_init__(self) -> None:
        if self.categories is not None and list(self.categories) != sorted(set(self.categories)):
            raise ValueError("categories are not in ascending order, each once")


def is_text(values: NDArray[Any]) -> bool:
    """Return whether a column of a `Table` has text; one without any value has not.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Numbers or objects.
    """
    return values.dtype == object and not are_numbers(values)


def stacked(columns: Sequence[NDArray[Any]], names: Sequence[str], rows: int) -> NDArray[Any]:
    """Return columns of numbers side by side.

    Parameters
    ----------
    columns : sequence of ndarray, each of shape (N,)
        Numbers, or objects that are numbers or missing.
    names : sequence of str
        Of the columns, for messages.
    rows : int
        N.

    Returns
    -------
    ndarray of shape (N, k), uint8, float32 or float64
        The smallest of these types that has all of the numbers.

    Raises
    ------
    InputTypeError
        If an object is text.
    """
    values = [
        numbers_of(column, f"column `{name}`") if column.dtype == object else column
        for column, name in zip(columns, names, strict=True)
    ]
    kinds = {column.dtype.name for column in values}
    dtype = "float64" if kinds - {"uint8", "float32"} else "float32" if "float32" in kinds else "uint8"
    matrix = np.empty((rows, len(values)), dtype)
    for block in row_blocks(rows, len(values)):
        for number, column in enumerate(values):
            matrix[block, number] = column[block]
    return matrix


def medians(numbers: NDArray[Any], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the median of each column, of the values that are not missing.

    Parameters
    ----------
    numbers : ndarray of shape (N, k)
        Numbers, nan where one is missing.
    names : sequence of str
        Of the columns, for messages.

    Raises
    ------
    InputError
        If a column has no value.
    """
    found = np.empty(numbers.shape[1])
    for number, name in enumerate(names):
        values = numbers[:, number].astype(np.float64)
        values = values[~np.isnan(values)]
        if not len(values):
            raise InputError(f"column {name} has no value in the training rows; expected some: leave it out")
        found[number] = np.median(values)
    return found


def categories_in(values: NDArray[np.object_], name: str) -> tuple[str, ...]:
    """Return the values of a column of text in the training rows, ascending.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Text, None where it is missing.
    name : str
        Of the column.

    Raises
    ------
    InputError
        If there are too many.
    """
    found = tuple(sorted({value for value in values.tolist() if value is not None}))
    if len(found) > MOST_CATEGORIES or len(found) > max(FEW_CATEGORIES, len(values) / 2):
        raise InputError(
            f"column `{name}` has {len(found):,} values of text in {len(values):,} rows; expected categories, which "
            "occur again and again: leave it out"
        )
    return found


def check_text(values: NDArray[np.object_], name: str, missing: str) -> None:
    """Raise InputError if a value of a column of text is missing where that is refused.

    Parameters
    ----------
    values, name
        As for `categories_in`.
    missing : str
        The setting.
    """
    absent = are_missing(values)
    if missing == "refuse" and absent.any():
        raise InputError(
            f"column `{name}` has no value at row {int(absent.argmax())}; expected text: fill it in, or train "
            "with missing='median'"
        )


def codes_of(values: NDArray[np.object_], column: Column) -> NDArray[np.int64]:
    """Return the position of each value among the categories of a column, -1 where it is missing.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Text, None where it is missing.
    column : Column
        One of text.

    Raises
    ------
    InputError
        For a value that the training rows did not have.
    """
    known = column.categories or ()
    positions: dict[str | None, int] = {value: number for number, value in enumerate(known)}
    positions[None] = -1
    codes = np.array([positions.get(value, -2) for value in values.tolist()], np.int64)
    if (codes == -2).any():
        row = int((codes == -2).argmax())
        listed = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        raise InputError(
            f"column `{column.name}` has {shown(values[row])} at row {row}; expected one of the {len(known)} values of "
            f"the training: {listed}"
        )
    return codes
