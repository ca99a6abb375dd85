"""What is in a table: inputs, labels, and the names or numbers of its rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import shape_of_images, square
from fastmlp.data.tables.columns import Column, Columns, as_array, read_columns
from fastmlp.data.tables.layout import Layout
from fastmlp.errors import InputError
from fastmlp.inputs.table import Table
from fastmlp.utils.labels import distinct
from fastmlp.utils.options import closest

# Names of pixels in the usual files, such as pixel0, pixel_0_0 and 28x28.
_PIXEL = re.compile(r"pixel.*|\d+x\d+", re.IGNORECASE)
# As pandas and R write them.
LOGIC = {"True": 1.0, "False": 0.0, "TRUE": 1.0, "FALSE": 0.0, "true": 1.0, "false": 0.0}
_UNNAMED = re.compile(r"(Unnamed: \d+)?")  # as pandas writes a column of rows' names that it read
_ROW_NAME = re.compile(r"id|Id|ID|index|rownames|.*[a-z](Id|ID)|.*_(id|Id|ID)")

_NAMES_ROWS = "column {} names or numbers the rows, and is left out"


@dataclass(frozen=True)
class Contents:
    """The columns of a table by what they are for.

    Attributes
    ----------
    X : ndarray of shape (N, D), uint8 or float32; or Table
        Inputs: a table where their columns have names, which are not those of pixels, or where one is text.
    labels : ndarray of shape (N,), or None
        The column of labels: numbers, or text in objects; None where there is none.
    row_names : ndarray of shape (N,), or None
        Of a first column that names or numbers the rows: its values.
    row_names_title : str
        The name of the first column.
    image_shape : (int, int) or None
        Height and width where the rows are images.
    notes : tuple of str
        What a user may not expect.
    """

    X: NDArray[np.uint8 | np.float32] | Table
    labels: Column | None
    row_names: Column | None
    row_names_title: str
    image_shape: tuple[int, int] | None
    notes: tuple[str, ...]


def read_contents(layout: Layout, label: int | None, ids: int | None = None) -> Contents:
    """Read a table: all columns are inputs, but for that of the labels, and those that are empty or name the rows.

    Parameters
    ----------
    layout : Layout
        As `find_layout` returned it.
    label : int, optional
        Position of the column of labels; None for a table without labels.
    ids : int, optional
        Position of the column that names the rows; None for the first one, if its name and its values are such.

    Raises
    ------
    InputError
        If a value is a mistake, a column has no name, or there are no inputs.
    """
    names = layout.names
    others = [column for column in range(layout.width) if column not in (label, ids)]
    doubtful = [column for column in others if _is_doubtful(layout, column)]  # perhaps no inputs: their values tell
    inputs = sorted(set(others).difference(doubtful))
    has_pixels = bool(names and inputs) and all(_PIXEL.fullmatch(names[column]) for column in inputs)
    is_plain = has_pixels or all(names[column].isdecimal() for column in inputs if names)
    columns = read_columns(layout, inputs if is_plain else ())
    notes = list(columns.notes)
    if names and layout.is_numbered:
        notes.append("the first line numbers the columns and is not a sample")
    row_names = columns.values[ids] if ids is not None else _row_names(columns) if 0 in doubtful else None
    for column in doubtful:
        called = layout.called(column)
        if column == 0 and ids is None and row_names is not None:
            notes.append(_NAMES_ROWS.format(called))
        elif _is_empty(columns.values[column]):
            notes.append(f"column {called} is empty, and is left out")
        elif names and _UNNAMED.fullmatch(names[column]):
            reason = "and does not tell the rows apart" if column == 0 else "but values"
            raise InputError(f"{layout.path}: column {called} has no name, {reason}; name it in the header")
        else:
            inputs.append(column)
    inputs.sort()
    if not inputs:
        raise InputError(f"{layout.path} has no column of inputs; expected a label and one or more values")
    X = _inputs(columns, inputs, is_plain)
    image_shape = None if isinstance(X, Table) else square(X.shape[1]) if has_pixels else shape_of_images(X.shape, X)
    labels = None if label is None else columns.values[label]
    return Contents(X, labels, row_names, names[ids or 0] if names else "", image_shape, tuple(notes))


def read_named(layout: Layout, names: Sequence[str], label: int | None = None, ids: int | None = None) -> Contents:
    """Read only the columns of these names, in this order, and the labels and names of the rows.

    Parameters
    ----------
    layout : Layout
        As `find_layout` returned it.
    names : sequence of str
        Names of the inputs.
    label : int, optional
        Position of the column of labels.
    ids : int, optional
        As for `read_contents`.

    Raises
    ------
    InputError
        If a column is missing, or a value is a mistake.
    """
    if not layout.names:
        raise InputError(f"{layout.path} has no header; expected the names of the columns, such as `{names[0]}`")
    places = {name: column for column, name in enumerate(layout.names)}
    missing = [name for name in names if name not in places]
    if missing:
        meant = closest(missing[0], layout.names)
        hint = f"did you mean {meant!r}?" if meant else f"its header begins {', '.join(layout.names[:4])}"
        raise InputError(f"{layout.path} has no column {_listed(missing)}, which is an input; {hint}")
    positions = [places[name] for name in names]
    columns = read_columns(layout)
    if ids is None and 0 not in (*positions, label) and _is_doubtful(layout, 0) and _row_names(columns) is not None:
        ids = 0
    row_names = None if ids is None else columns.values[ids]
    notes = [*columns.notes]
    if ids not in (None, *positions):
        notes.append(_NAMES_ROWS.format(layout.called(ids or 0)))
    used = {*positions, label, ids}
    others = [name for column, name in enumerate(layout.names) if name and column not in used]
    notes += [f"not used: {_listed(others)}"] if others else []
    labels = None if label is None else columns.values[label]
    title = layout.names[ids or 0]
    return Contents(_inputs(columns, positions, is_plain=False), labels, row_names, title, None, tuple(notes))


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:4]) + (", ..." if len(names) > 4 else "")


def _is_doubtful(layout: Layout, column: int) -> bool:
    """Return whether a column may not be an input: it has no name, or a name such as `id`."""
    if not layout.names:
        return column == layout.width - 1 and layout.ends_empty
    name = layout.names[column]
    return bool(_UNNAMED.fullmatch(name) or (column == 0 and _ROW_NAME.fullmatch(name)))


def _row_names(columns: Columns) -> Column | None:
    """Return the first column, if it is of whole numbers or text that differ from row to row, and none is missing."""
    values = columns.values[0]
    if values.dtype == object:
        different = set(values.tolist())
        return values if None not in different and len(different) == len(values) else None
    return values if values.dtype.kind != "f" and len(distinct(values)) == len(values) else None


def _is_empty(values: Column) -> bool:
    return values.dtype.kind == "f" and bool(np.isnan(values).all())


def _inputs(columns: Columns, positions: list[int], is_plain: bool) -> NDArray[np.uint8 | np.float32] | Table:
    """Return the inputs in these columns: an array where they have no names that matter and all are numbers."""
    if columns.X is not None and positions == list(columns.stacked):
        return columns.X
    values = [_without_words_of_logic(columns.column(position)) for position in positions]
    if is_plain and all(column.dtype != object for column in values):
        return as_array(values)
    names = columns.layout.names or [str(column) for column in range(columns.layout.width)]
    return Table(tuple(names[position] for position in positions), tuple(values))


def _without_words_of_logic(values: Column) -> Column:
    """Return 1 for true and 0 for false in a column without other text."""
    if values.dtype != object or not set(values.tolist()) <= {*LOGIC, None}:
        return values
    numbers = np.array([LOGIC.get(value, np.nan) for value in values])
    return numbers if np.isnan(numbers).any() else numbers.astype(np.uint8)
