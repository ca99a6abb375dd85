"""Table: columns with names, of numbers or of text, as a CSV file or a DataFrame has them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self.columns)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, rows: "slice | NDArray[np.integer]") -> "Table":
        """Return some of the rows: views for a slice, copies for an array of positions or a mask."""
        return Table(self.names, tuple(column[rows] for column in self.columns))
