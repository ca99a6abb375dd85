"""Rows that are mostly zero."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CSR:
    """Matrix in compressed sparse rows, laid out as scipy's: row r has the values data[indptr[r]:indptr[r + 1]].

    Parameters
    ----------
    indptr : ndarray of shape (N + 1,), int64
        Where each row begins in `indices` and `data`, and where the last one ends.
    indices : ndarray of shape (n_values,), int32
        Column of each value, ascending within a row.
    data : ndarray of shape (n_values,), float32
        Values.
    shape : (int, int)
        Rows N and columns D.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float32]
    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: "slice | NDArray[np.integer]") -> "CSR":
        """Return the rows of a slice without a step, which share memory, or copies of those at integer positions."""
        if isinstance(rows, slice):
            first, last, step = rows.indices(len(self))
            if step != 1:
                raise IndexError(f"rows {rows} have a step; take an array of row numbers instead")
            return self._span(first, max(first, last))
        return self._picked(np.asarray(rows))

    def _span(self, first: int, last: int) -> "CSR":
        start, stop = self.indptr[first], self.indptr[last]
        indptr = self.indptr[first : last + 1] - start
        return CSR(indptr, self.indices[start:stop], self.data[start:stop], (last - first, self.shape[1]))

    def _picked(self, rows: "NDArray[np.integer]") -> "CSR":
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        # Where each value comes from: its row's start in self, and how far it is from its row's start.
        source = np.repeat(self.indptr[:-1][rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        return CSR(indptr, self.indices[source], self.data[source], (len(lengths), self.shape[1]))

    def toarray(self) -> NDArray[np.float32]:
        """Return the matrix with its zeros.

        Returns
        -------
        ndarray of shape (N, D), float32
            A copy of the values.
        """
        dense = np.zeros(self.shape, np.float32)
        dense[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.indices] = self.data
        return dense
