"""Inputs of a table for predictions, with or without labels beside them."""

from dataclasses import replace
from pathlib import Path

from fastmlp.data.dataset import Inputs
from fastmlp.data.tables.columns import as_array
from fastmlp.data.tables.contents import Contents, read_contents, read_named
from fastmlp.data.tables.label import find_label
from fastmlp.data.tables.layout import LABEL_NAMES, Layout, find_layout
from fastmlp.errors import InputError
from fastmlp.inputs.table import Table


def read_table_inputs(
    path: Path,
    names: tuple[str, ...] | None,
    n_features: int | None,
    label: str | int | None = None,
    ids: str | None = None,
) -> Inputs:
    """Read the columns that a network reads.

    With names these are chosen by them, in any order, and others are not used. Without, all columns are, but for one
    that names the rows and one of labels: that of the training's, or with a name as labels have, or which makes one too
    many.

    Parameters
    ----------
    path : Path
        The file.
    names : tuple of str, optional
        Names of the network's columns.
    n_features : int, optional
        Number of the network's columns.
    label : str or int, optional
        Column of the labels of the training.
    ids : str, optional
        Column that names the rows.

    Raises
    ------
    InputError
        If a column is missing, or as for `read_contents`.
    """
    layout = find_layout(path, names or ())
    place = layout.names.index(ids) if ids in layout.names else None
    contents = _numbered(layout, n_features, label, place) if names is None else _named(layout, names, label, place)
    row_names = None if contents.row_names is None else tuple(map(str, contents.row_names.tolist()))
    title = "" if row_names is None else contents.row_names_title
    return Inputs(contents.X, row_names, contents.image_shape, path.name, contents.notes, title)


def _named(layout: Layout, names: tuple[str, ...], label: str | int | None, ids: int | None) -> Contents:
    """Read the columns of these names."""
    column = layout.names.index(label) if label in layout.names and label not in names else None
    return _without_label(read_named(layout, names, column, ids), layout, column)


def _numbered(layout: Layout, n_features: int | None, label: str | int | None, ids: int | None) -> Contents:
    """Read all columns but those of labels and names of the rows."""
    lower = [name.lower() for name in layout.names]
    known = LABEL_NAMES if label is None else (str(label).lower(), *LABEL_NAMES)
    column = next((lower.index(name) for name in known if name in lower), None)
    contents = read_contents(layout, column, ids)
    if column is None and contents.X.shape[1] - 1 == n_features:
        column, _ = find_label(layout, None if layout.names else label)
        contents = read_contents(layout, column, ids)
    if n_features not in (None, contents.X.shape[1]):
        raise InputError(
            f"{layout.path} has {contents.X.shape[1]} columns of inputs; expected {n_features}, as in training"
        )
    if isinstance(contents.X, Table) and all(column.dtype != object for column in contents.X.columns):
        contents = replace(contents, X=as_array(list(contents.X.columns)))
    return _without_label(contents, layout, column)


def _without_label(contents: Contents, layout: Layout, label: int | None) -> Contents:
    """Return contents with a note on the column of labels, if there is one."""
    if label is None:
        return contents
    return replace(contents, notes=(*contents.notes, f"column {layout.called(label)} is the label, and is not used"))
