"""Rows that are mostly zero."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class CSR:
    """A matrix by compressed sparse rows, laid out as scipy's: row r holds data[indptr[r]:indptr[r + 1]].

    indptr  (N + 1,) int64
    indices (values,) int32, the column of each value, rising within a row
    data    (values,) float32
    shape   (N, D)
    """

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> "CSR":
        """The rows of a slice without a step, sharing the values; or those at integer positions, copied."""
        if isinstance(rows, slice):
            first, last, step = rows.indices(len(self))
            if step != 1:
                raise IndexError(f"rows {rows} have a step; take an array of row numbers instead")
            return self._span(first, max(first, last))
        return self._picked(np.asarray(rows))

    def _span(self, first, last):
        start, stop = self.indptr[first], self.indptr[last]
        return CSR(
            self.indptr[first : last + 1] - start,
            self.indices[start:stop],
            self.data[start:stop],
            (last - first, self.shape[1]),
        )

    def _picked(self, rows):
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        # Where each value comes from: its row's start in self, and how far it is from its row's start.
        source = np.repeat(self.indptr[:-1][rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        return CSR(indptr, self.indices[source], self.data[source], (len(lengths), self.shape[1]))

    def toarray(self) -> np.ndarray:
        """The same matrix with its zeros, (N, D) float32."""
        dense = np.zeros(self.shape, np.float32)
        dense[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.indices] = self.data
        return dense
