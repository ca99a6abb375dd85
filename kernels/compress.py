"""Dense inputs to compressed rows: what share of them is not zero, and the rows themselves."""

import numpy as np

from .gather import address, pointer_to
from .inputs import Sparse, index_dtype
from .jit import entry
from .registers import load, shifted

# Rows spread over the matrix that are enough to know its density to a few percent.
SAMPLED_ROWS = 512


def measure_density(X):
    """The share of entries of a dense matrix that are not zero, 0 to 1, from a sample of its rows."""
    rows = X[:: max(1, len(X) // SAMPLED_ROWS)]
    return float(np.count_nonzero(rows) / rows.size)


def compress(X, dtype):
    """A dense matrix (N, D) of uint8, float32 or float64 as `Sparse` rows for a network of `dtype`."""
    location, x_row = address(X)
    sample = np.empty(0, X.dtype)
    indptr = np.zeros(len(X) + 1, np.int64)
    _count(location, x_row, sample, X.shape[1], indptr)
    np.cumsum(indptr, out=indptr)
    indices = np.empty(indptr[-1], index_dtype(X.shape[1]))
    values = np.empty(indptr[-1], X.dtype if X.dtype == np.uint8 else dtype)
    _fill(location, x_row, sample, X.shape[1], indptr, indices, values)
    return Sparse(indptr, indices, values, X.shape[1])


def _count_rows(location, x_row, sample, features, indptr):
    """indptr[i + 1] = number of entries of row i that are not zero."""
    X = pointer_to(location, sample)
    for i in range(indptr.shape[0] - 1):
        row, found = shifted(X, i * x_row), 0
        for c in range(features):
            found += load(row, c) != 0
        indptr[i + 1] = found


def _fill_rows(location, x_row, sample, features, indptr, indices, values):
    """The entries of each row, at the places that `indptr` gives them."""
    X = pointer_to(location, sample)
    for i in range(indptr.shape[0] - 1):
        row, at = shifted(X, i * x_row), indptr[i]
        for c in range(features):
            value = load(row, c)
            if value != 0:
                indices[at] = c
                values[at] = value
                at += 1


_count = entry("count_rows", _count_rows)
_fill = entry("fill_rows", _fill_rows)
