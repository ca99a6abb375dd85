"""Form of the first layer's inputs: dense, or compressed rows whose zeros cost nothing."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.inputs.table import Table
from fastmlp.kernels.sparse_rows import Sparse, to_network

# Share of entries that are not zero from which on skipping the zeros costs more than multiplying by them: what
# `python -m bench.density` prints on a random matrix. MNIST has 0.19, Fashion-MNIST 0.50.
BREAK_EVEN_DENSITY = 0.41

Inputs: TypeAlias = "NDArray[Any] | Sparse"


class CompressedRows(Protocol):
    """A sparse matrix of compressed rows, such as scipy's and `fastmlp.data.CSR`."""

    @property
    def indptr(self) -> NDArray[Any]: ...

    @property
    def indices(self) -> NDArray[Any]: ...

    @property
    def data(self) -> Any: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


Samples: TypeAlias = ArrayLike | CompressedRows | Table


def compact(X: Inputs, dtype: str = "float32", first_layer: str = "auto") -> tuple[Inputs, float]:
    """Convert checked inputs to the form that trains fastest; the result of a training is the same, bit for bit.

    Parameters
    ----------
    X : ndarray of shape (N, D), or Sparse
        Encoded inputs: values of dtype uint8, float32 or float64.
    dtype : str
        The network's: "float32" or "float64".
    first_layer : str
        "auto" compresses a dense X of a density below BREAK_EVEN_DENSITY; "sparse" and "dense" force one form.

    Returns
    -------
    inputs : ndarray or Sparse
        X, or a converted copy.
    density : float
        Share of entries that are not zero.
    """
    if isinstance(X, Sparse):
        density = len(X.indices) / (X.shape[0] * X.shape[1])
        return (_dense(X, dtype) if first_layer == "dense" else X), density
    from fastmlp.kernels.compress import compress, measure_density

    density = measure_density(X)
    if first_layer == "sparse" or (first_layer == "auto" and density < BREAK_EVEN_DENSITY):
        return compress(X, dtype), density
    return X, density


def rows_at(X: Inputs, rows: NDArray[np.int64]) -> Inputs:
    """Copy the rows of X at some positions.

    Parameters
    ----------
    X : ndarray of shape (N, D), or Sparse
        Inputs.
    rows : ndarray of shape (n,)
        Positions.

    Returns
    -------
    ndarray of shape (n, D), or Sparse
        The rows, in the form of X.
    """
    if not isinstance(X, Sparse):
        return X[rows]
    lengths = np.diff(X.indptr)[rows]
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    entries = np.repeat(X.indptr[rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
    return Sparse(indptr, X.indices[entries], X.values[entries], X.features)


def _dense(X: Sparse, dtype: str) -> NDArray[Any]:
    """Compressed rows as a matrix of `dtype`."""
    dense: NDArray[Any] = to_network(X, np.arange(X.shape[0]), np.dtype(dtype))
    return dense
