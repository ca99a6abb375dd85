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


def read_table_inputs(path: Path, names: tuple[str, ...] | None, n_features: int | None) -> Inputs:
    """Read the columns that a network reads.

    With names these are chosen by them, in any order, and others are not used. Without, all columns are, but for a
    first one that names the rows and one of labels: that with a name as labels have, or which makes one too many.

    Parameters
    ----------
    path : Path
        The file.
    names : tuple of str, optional
        Names of the network's columns.
    n_features : int, optional
        Number of the network's columns.

    Raises
    ------
    InputError
        If a column is missing, or as for `read_contents`.
    """
    layout = find_layout(path, names or ())
    contents = _numbered(layout, n_features) if names is None else read_named(layout, names)
    ids = None if contents.row_names is None else tuple(map(str, contents.row_names.tolist()))
    id_name = "" if ids is None else contents.row_names_title
    return Inputs(contents.X, ids, contents.image_shape, path.name, contents.notes, id_name)


def _numbered(layout: Layout, n_features: int | None) -> Contents:
    """Read all columns but one of labels."""
    label = next((column for column, name in enumerate(layout.names) if name.lower() in LABEL_NAMES), None)
    contents = read_contents(layout, label)
    if label is None and contents.X.shape[1] - 1 == n_features:
        label, _ = find_label(layout, None)
        contents = read_contents(layout, label)
    if n_features not in (None, contents.X.shape[1]):
        raise InputError(
            f"{layout.path} has {contents.X.shape[1]} columns of inputs; expected {n_features}, as in training"
        )
    if isinstance(contents.X, Table) and all(column.dtype != object for column in contents.X.columns):
        contents = replace(contents, X=as_array(list(contents.X.columns)))
    if label is None:
        return contents
    return replace(contents, notes=(*contents.notes, f"not used: the labels in column {layout.called(label)}"))
