"""Tables in text with one row per sample and a column of labels, such as CSV."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastmlp.data.checks import read_labels
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.data.readers.svmlight import has_pairs
from fastmlp.data.tables.columns import is_missing
from fastmlp.data.tables.contents import read_contents, read_named
from fastmlp.data.tables.faults import first_fault
from fastmlp.data.tables.label import find_label
from fastmlp.data.tables.layout import find_layout
from fastmlp.data.tables.unlabelled import read_table_inputs
from fastmlp.errors import InputError


class CSVReader(Reader):
    """Columns separated by commas, semicolons, tabs or blanks, with a header or without.

    X is a `Table` where the columns have names, or where one of them is text. Columns of numbers without names, and
    those named like pixels, are an array: uint8 if all values are whole and from 0 to 255, else float32.
    """

    name = "CSV"
    endings = (".csv", ".tsv", ".tab")
    is_text = True
    takes_columns = True

    def recognises(self, head: bytes) -> bool:
        """Return True for all text that is not svmlight's."""
        return not has_pairs(head)

    def read(
        self,
        path: Path,
        *,
        part: str = "train",
        n_features: int | None = None,
        label: str | int | None = None,
        columns: Sequence[str] | None = None,
    ) -> Dataset:
        """Read a file as `Reader.read` describes.

        Parameters
        ----------
        path, part, n_features
            As for `Reader.read`.
        label : str or int, optional
            Column of the labels, as `fastmlp.data.tables.label.find_label` describes.
        columns : sequence of str, optional
            Names of the inputs, in this order.
        """
        layout = find_layout(path, [*([label] if isinstance(label, str) else []), *(columns or ())])
        column, note = find_label(layout, label)
        contents = read_contents(layout, column) if columns is None else read_named(layout, columns, column)
        labels = contents.labels
        if labels is None or is_missing(labels).any():
            raise InputError(first_fault(layout, label=column))
        values = np.array(labels.tolist()) if labels.dtype == object else labels
        y, classes = read_labels(f"{path}: column {layout.called(column)}", values, len(values))
        return Dataset(
            contents.X, y, classes, contents.image_shape, path.name,
            label=layout.names[column] if layout.names else column,
            notes=(*(() if note is None else (note,)), *contents.notes),
        )  # fmt: skip

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file as `Reader.read_inputs` describes."""
        return read_table_inputs(path, expected.names, expected.n_features, expected.label, expected.ids)
