"""What the first layer reads: a dense matrix, or compressed rows for inputs that are mostly zero."""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

# Correctly rounded, so that uint8 pixels and the same pixels stored as floats train the same network, bit for bit.
PIXELS = np.arange(256) / 255


class Sparse(NamedTuple):
    """Compressed rows: row r has values[k] in column indices[k] for k from indptr[r] to indptr[r + 1], ascending.

    indptr    (N + 1,) int64
    indices   (entries,) uint16 where the columns fit, else int32
    values    (entries,) uint8 pixels, read as value / 255, or floats of the network's dtype
    features  number of columns
    """

    indptr: np.ndarray
    indices: np.ndarray
    values: np.ndarray
    features: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), as of a matrix."""
        return len(self.indptr) - 1, self.features

    def part(self, first: int, last: int) -> "Sparse":
        """The rows first to last, on the same entries."""
        return self._replace(indptr=self.indptr[first : last + 1])


def index_dtype(features: int) -> type[np.uint16] | type[np.int32]:
    """The smaller of the two types of column numbers that holds `features` columns."""
    return np.uint16 if features <= 1 << 16 else np.int32


def part(X: np.ndarray | Sparse, first: int, last: int) -> np.ndarray | Sparse:
    """Rows first to last of a dense matrix or of compressed rows, without a copy."""
    return X.part(first, last) if isinstance(X, Sparse) else X[first:last]


def to_network(X: np.ndarray | Sparse, rows: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Rows of X as (rows, D) in `dtype`: pixels (uint8) divided by 255, floats as they are."""
    if isinstance(X, Sparse):
        taken = np.zeros((len(rows), X.features), X.values.dtype)
        for row, into in zip(rows, taken, strict=True):
            entries = slice(X.indptr[row], X.indptr[row + 1])
            into[X.indices[entries]] = X.values[entries]
    else:
        taken = X[rows]
    if taken.dtype == np.uint8:
        return PIXELS.astype(dtype)[taken]
    return taken.astype(dtype, copy=False)
