"""Mistakes in a table: the first one, in words, with its line. Cells are read again for it, without pandas."""

import csv
import math
from collections.abc import Iterable

from fastmlp.data.tables.cells import MISSING, is_number
from fastmlp.data.tables.layout import Layout


def first_fault(
    layout: Layout, columns: Iterable[int] = (), most: float = math.inf, label: int | None = None
) -> str | None:
    """Describe the first line that is wrong.

    Parameters
    ----------
    layout : Layout
        Of the table.
    columns : iterable of int, default=()
        Columns that have to be of numbers, but for those that `layout` knows as text.
    most : float, default=inf
        The largest number, which infinity is beyond.
    label : int, optional
        A column that must not lack a value.

    Returns
    -------
    str or None
        None if nothing is wrong.
    """
    columns = list(columns)
    try:
        for line, cells in layout.rows():
            where = f"{layout.path}, line {line}"
            if len(cells) != layout.width:
                return (
                    f"{where}: {len(cells)} values; expected {layout.width}, as in the lines before: correct the line"
                )
            if label is not None and cells[label] in MISSING:
                return f"{where}: no label in column {layout.called(label)}; expected one: leave such lines out"
            for column in columns:
                if fault := _fault(cells[column], layout.decimal, most):
                    return f"{where}: {cells[column]!r} in column {layout.called(column)}; {fault}"
    except csv.Error as error:
        return f"{layout.path} cannot be read as CSV: {error}; is a quotation mark not closed?"
    return None


def _fault(cell: str, decimal: str, most: float) -> str | None:
    if cell in MISSING:
        return None
    if not is_number(cell, decimal):
        return "expected a number, as in most lines: correct the line, or write the column in quotes if it is text"
    number = abs(float(cell.replace(decimal, ".")))
    if number == math.inf:
        return "expected a finite number: remove or replace it"
    return None if number <= most else "expected a number that fits float32: scale the column"
