"""The values of a table in text, column by column: numbers and text, read by pandas a block of rows at a time.

pandas, because its parser is as quick as numpy's with numbers, and reads quotes, decimal commas and text as well. It is
loaded here and nowhere else.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import BYTES_AT_A_TIME
from fastmlp.data.tables.cells import MISSING, is_number
from fastmlp.data.tables.faults import first_fault
from fastmlp.data.tables.layout import BLANKS, FALLBACK, Layout
from fastmlp.errors import InputError, first_line
from fastmlp.utils.free_memory import check_memory

if TYPE_CHECKING:
    import pandas as pd

# A column with that share of numbers is one of numbers, and its other cells are mistakes; else it is text.
SHARE_OF_NUMBERS = 0.9
MOST_OF_TEXT = 20_000  # columns: a small packed file may promise many more, and each takes long
FEWEST_AT_A_TIME = 64  # rows: pandas takes as long for each column of a few rows

Column = NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """The values of a table.

    Attributes
    ----------
    layout : Layout
        As it turned out: its text is the columns of objects.
    stacked : tuple of int
        Positions of the columns of X.
    X : ndarray of shape (N, len(stacked)), uint8 or float32; or None
        Their values, where all are numbers; nan where one is missing.
    values : dict of int to ndarray of shape (N,)
        Those of the others: uint8, int64 or float64 with nan where a number is missing; or str objects, None where
        text is missing.
    notes : tuple of str
        What a user may not expect.
    """

    layout: Layout
    stacked: tuple[int, ...]
    X: NDArray[np.uint8 | np.float32] | None
    values: dict[int, Column]
    notes: tuple[str, ...]

    def column(self, position: int) -> Column:
        """Return the values of a column.

        Parameters
        ----------
        position : int
            Position.
        """
        if position in self.values or self.X is None:
            return self.values[position]
        return self.X[:, self._places[position]]

    @cached_property
    def _places(self) -> dict[int, int]:
        return {position: place for place, position in enumerate(self.stacked)}


def read_columns(layout: Layout, stacked: Sequence[int] = ()) -> Columns:
    """Read all columns of a table.

    Parameters
    ----------
    layout : Layout
        As `find_layout` returned it.
    stacked : sequence of int, default=()
        Positions of the columns that become one array, if all of them are numbers.

    Raises
    ------
    InputError
        If a line has too many or too few cells, or a number is infinite or among numbers something else: the first one
        is named with its line.
    """
    try:
        return _read_columns(layout, stacked)
    except UnicodeDecodeError:
        return _read_columns(replace(layout, encoding=FALLBACK), stacked)


def _read_columns(layout: Layout, stacked: Sequence[int]) -> Columns:
    columns = _read(layout, stacked)
    if layout.separator != ",":
        other = replace(layout, decimal="," if layout.decimal == "." else ".")
        if any(_share_of_numbers(columns.values[column], other.decimal) == 1 for column in columns.layout.text):
            again = _read(other, stacked)
            if len(again.layout.text) < len(columns.layout.text):
                columns = again
    return _checked(columns)


def _read(layout: Layout, stacked: Sequence[int]) -> Columns:
    """Read the columns, again if there is text where the first lines have none."""
    while True:
        if len(layout.text) > MOST_OF_TEXT:
            raise InputError(
                f"{layout.path} has {len(layout.text):,} columns of text; expected at most {MOST_OF_TEXT:,}: write "
                "their values as numbers, or leave some out"
            )
        if not layout.text.isdisjoint(stacked):
            stacked = ()
        found = _read_once(layout, stacked)
        if isinstance(found, Columns):
            return found
        layout = replace(layout, text=layout.text | found)


def _read_once(layout: Layout, stacked: Sequence[int]) -> "Columns | set[int]":
    """Read the columns, or return those which have unexpected text."""
    single = sorted(set(range(layout.width)).difference(stacked))
    pieces: dict[int, list[Column]] = {column: [] for column in single}
    arrays, surprises, shared = [], set[int](), dict[str, str | None]()
    rows = 0
    for frame in _blocks(layout):
        rows += len(frame)
        kinds = enumerate(frame.dtypes)
        surprises |= {column for column, dtype in kinds if dtype.kind not in "iuf" and column not in layout.text}
        if surprises:
            continue
        values = _values(frame, sorted(layout.text), shared)
        for column in single:
            pieces[column].append(values[column])
        if stacked:
            arrays.append(as_array([values[column] for column in stacked]))
        _check_finite(layout, values, stacked, arrays[-1:])
    if rows == 0:
        raise InputError(f"{layout.path} has no rows with values; expected one line per sample")
    if surprises:
        return surprises
    check_memory(str(layout.path), sum(part.nbytes for parts in [*pieces.values(), arrays] for part in parts))  # again
    joined = {column: np.concatenate(parts) for column, parts in pieces.items()}
    return Columns(layout, tuple(stacked), np.concatenate(arrays) if arrays else None, joined, ())


def _blocks(layout: Layout) -> "Iterator[pd.DataFrame]":
    """Yield the samples as data frames of some rows, whose columns are numbered."""
    import pandas as pd

    options: Any = {"skipinitialspace": True} if layout.has_blanks else {}  # a tenth slower
    if layout.text:  # a fifth slower
        options["dtype"] = dict.fromkeys(layout.text, object)
    # Before its version 3.1 pandas rounds some numbers to one beside the nearest unless it is asked not to, and drops
    # what is too much in the first line of a block, unless there is a column for it.
    is_old = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
    if is_old:
        options["float_precision"] = "round_trip"
    try:
        with (
            layout.samples() as file,
            pd.read_csv(
                file, sep=r"\s+" if layout.separator == BLANKS else layout.separator, decimal=layout.decimal,
                header=None, names=range(layout.width + is_old), index_col=False, keep_default_na=False,
                na_values=sorted(MISSING), low_memory=False,
                chunksize=max(FEWEST_AT_A_TIME, BYTES_AT_A_TIME // (8 * layout.width)), **options,
            ) as reader,
        ):  # fmt: skip
            for frame in reader:
                if is_old and frame.pop(layout.width).notna().any():
                    raise ValueError("lines have different numbers of values")
                yield frame
    except UnicodeDecodeError:
        raise
    except ValueError as error:  # as of pandas' ParserError
        if isinstance(error, InputError):
            raise
        reason = first_line(error).removeprefix("Error tokenizing data. C error: ")
        raise InputError(
            first_fault(layout) or f"{layout.path} cannot be read as CSV ({reason}); is a quotation mark not closed?"
        ) from error


def _values(frame: "pd.DataFrame", text: list[int], shared: dict[str, str | None]) -> dict[int, Column]:
    """Return the columns of a data frame; equal text is one object of `shared`."""
    values = {column: _text(frame[column].to_numpy(), shared) for column in text}
    numbers = frame.drop(columns=text) if text else frame
    if len(set(numbers.dtypes)) == 1:
        # One matrix is far quicker than a Series for each of many columns.
        matrix = _compact(numbers.to_numpy())
        columns = list(matrix.T) if matrix.dtype == np.uint8 else [_compact(column) for column in matrix.T]
    else:
        columns = [_compact(series.to_numpy()) for _, series in numbers.items()]
    return {**values, **dict(zip(numbers.columns, columns, strict=True))}


def _compact(values: Column) -> Column:
    """Convert numbers to uint8 if that is exact, else to int64 or float64."""
    if values.dtype == np.uint64:
        values = values.astype(np.float64)
    if values.dtype.kind == "i":
        return values.astype(np.uint8) if 0 <= np.bitwise_or.reduce(values, axis=None) <= 255 else values
    if values.min() >= 0 and values.max() <= 255 and (values == np.floor(values)).all():
        return values.astype(np.uint8)
    return values


def _text(values: Column, shared: dict[str, str | None]) -> Column:
    """Return text without blanks around it, and None where it is missing."""

    def cell(value: object) -> str | None:
        if not isinstance(value, str):
            return None
        if value not in shared:
            text = value.strip()
            shared[value] = None if text in MISSING else shared.setdefault(text, text)
        return shared[value]

    return np.fromiter(map(cell, values), object, len(values))


def as_array(columns: list[Column]) -> NDArray[np.uint8 | np.float32]:
    """Return columns of numbers as one array (rows, columns): uint8 if all are, else float32.

    Parameters
    ----------
    columns : list of ndarray, each of shape (rows,)
        As in `Columns.values`.
    """
    dtype = np.uint8 if all(column.dtype == np.uint8 for column in columns) else np.float32
    X = np.empty((len(columns[0]), len(columns)), dtype)
    with np.errstate(over="ignore"):  # what float32 cannot represent becomes infinity, which is reported
        for position, column in enumerate(columns):
            X[:, position] = column
    return X


def _check_finite(
    layout: Layout, values: dict[int, Column], stacked: Sequence[int], arrays: list[NDArray[np.uint8 | np.float32]]
) -> None:
    """Raise InputError for an infinite number."""
    numbers = [column for column in range(layout.width) if column not in layout.text]
    if any(values[column].dtype.kind == "f" and np.isinf(values[column]).any() for column in numbers):
        raise InputError(first_fault(layout, numbers))
    if any(array.dtype == np.float32 and np.isinf(array).any() for array in arrays):
        raise InputError(first_fault(layout, stacked, most=float(np.finfo(np.float32).max)))


def _checked(columns: Columns) -> Columns:
    """Return columns whose text is really text. Raises InputError for a mistake."""
    layout, notes, values = columns.layout, [], dict(columns.values)
    for column in sorted(layout.text):
        share = _share_of_numbers(values[column], layout.decimal)
        if share == 1:  # as of whole numbers beyond 64 bits
            numbers = [np.nan if cell is None else float(cell.replace(layout.decimal, ".")) for cell in values[column]]
            values[column] = np.array(numbers)
            layout = replace(layout, text=layout.text - {column})
        elif share >= SHARE_OF_NUMBERS and column not in layout.quoted:
            raise InputError(first_fault(layout, [column]))
        elif share:
            odd = next(cell for cell in values[column] if cell is not None and not is_number(cell, layout.decimal))
            notes.append(f"column {layout.called(column)} is text, as {odd!r} is not a number")
    # To pandas a line that is too short lacks its last values.
    if is_missing(columns.column(layout.width - 1)).any() and (fault := first_fault(layout)):
        raise InputError(fault)
    return replace(columns, layout=layout, values=values, notes=tuple(notes))


def _share_of_numbers(cells: Column, decimal: str) -> float:
    """Return the share of numbers among cells of text, without those that are missing; 0 where all are."""
    counts = Counter(cells.tolist())
    del counts[None]
    numbers = sum(times for cell, times in counts.items() if is_number(cell, decimal))
    return numbers / counts.total() if counts else 0.0


def is_missing(values: Column) -> NDArray[np.bool_]:
    """Return a mask of the missing values.

    Parameters
    ----------
    values : ndarray of shape (N,)
        As in `Columns.values`.
    """
    if values.dtype == object:
        return np.array([value is None for value in values])
    return np.isnan(values)
