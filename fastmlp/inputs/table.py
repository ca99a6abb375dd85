"""Table: columns with names, of numbers or of text, as a CSV file or a DataFrame has them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.objects import are_missing, are_numbers, numbers_of
from fastmlp.utils.showing import text_of


@dataclass(frozen=True, eq=False)
class Table:
    """Columns with names.

    Parameters
    ----------
    names : tuple of str
        One per column, each once.
    columns : tuple of ndarray, each of shape (N,)
        Numbers (uint8, int64, float32 or float64; nan where a value is missing), or objects: text, with None where a
        value is missing.
    """

    names: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]

    @classmethod
    def from_frame(cls, frame: Any) -> "Table":
        """Return the columns of a DataFrame.

        Parameters
        ----------
        frame : DataFrame
            Of pandas, polars or another library with the same names; its index is left out. Booleans are the numbers 0
            and 1, the values of categorical columns are text.

        Raises
        ------
        InputError
            If two columns have one name, or there is no column or row.
        InputTypeError
            If a column is of dates or other things than numbers and text.
        """
        names = tuple(text_of(name, "the name of a column") for name in frame.columns)
        if len(counts := Counter(names)) < len(names):
            twice = next(name for name, times in counts.items() if times > 1)
            raise InputError(f"the table has the column `{twice}` twice; expected a name of its own for each")
        if 0 in frame.shape:
            raise InputError(f"the table has the shape {tuple(frame.shape)}; expected at least one row and one column")
        columns = (frame[name] for name in frame.columns)
        return cls(names, tuple(_column(name, values) for name, values in zip(names, columns, strict=True)))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self.columns)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, rows: "slice | NDArray[np.integer]") -> "Table":
        """Return some of the rows: views for a slice, copies for an array of positions or a mask."""
        return Table(self.names, tuple(column[rows] for column in self.columns))

    def select(self, names: Iterable[str]) -> "Table":
        """Return some of the columns, as they are.

        Parameters
        ----------
        names : iterable of str
            Their names, in the order that they are to have.
        """
        chosen, columns = tuple(names), dict(zip(self.names, self.columns, strict=True))
        return Table(chosen, tuple(columns[name] for name in chosen))


def is_frame(X: object) -> bool:
    """Return whether X is a DataFrame, by its attributes: no library of them is imported for this.

    Parameters
    ----------
    X : object
        Inputs.
    """
    return all(hasattr(X, name) for name in ("columns", "dtypes", "shape", "__getitem__"))


def as_text(values: NDArray[Any]) -> NDArray[np.object_]:
    """Return values of a column as text, with None where one is missing; whole numbers without a fraction.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Objects or numbers.
    """
    if values.dtype == object and set(map(type, values.tolist())) <= {str, type(None)}:
        return values
    text = np.empty(len(values), object)
    for row, (value, missing) in enumerate(zip(values.tolist(), are_missing(values).tolist(), strict=True)):
        whole = isinstance(value, float) and value.is_integer()
        text[row] = None if missing else text_of(int(value) if whole else value, f"the value at row {row}")
    return text


def _column(name: str, series: Any) -> NDArray[Any]:
    """The values of one column of a DataFrame, as a Table has them."""
    values = np.asarray(series)
    if values.ndim != 1:
        raise InputTypeError(f"column `{name}` has several values per row; expected one: give each a column")
    is_category = str(series.dtype).split("(")[0].lower() in ("category", "categorical", "enum")
    if is_category or values.dtype.kind in "UT" or (values.dtype == object and not are_numbers(values)):
        return as_text(values)
    if values.dtype == object:
        return numbers_of(values, f"column `{name}`")
    if values.dtype.kind not in "buif":
        raise InputTypeError(
            f"column `{name}` is of type {series.dtype}; expected numbers or text: make it a number, such as the days "
            "since a date"
        )
    if values.dtype == bool:
        return values.astype(np.uint8)
    if values.dtype in (np.uint8, np.float32):
        return values
    return values.astype(np.float64 if values.dtype.kind == "f" or values.dtype == np.uint64 else np.int64, copy=False)
