"""The columns of a table, for comparisons in tests."""

from fastmlp.inputs.table import Table


def columns(table):
    """The columns of a Table by their names, nan as None."""
    assert isinstance(table, Table)
    return {
        name: [None if value != value else value for value in column.tolist()]
        for name, column in zip(table.names, table.columns, strict=True)
    }
