"""Checks of inputs: each message has the value, what was expected and a hint."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError, OutOfMemoryError, first_line
from fastmlp.kernels.sparse_rows import Sparse, index_dtype
from fastmlp.utils.objects import numbers_of

INPUT_DTYPES = (np.uint8, np.float32, np.float64)
FINITE = "expected finite numbers: remove or fill in such values"
ROWS_AT_A_TIME = 4096  # checks go by blocks of rows, so that no temporary is as large as X


def check_inputs(X: Any, dtype: str, name: str = "X", missing: str = "refuse") -> np.ndarray | Sparse:
    """Check inputs and convert them to a form that the kernels read.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (N, D)
        Numbers; integers but uint8, and bools, become floats. A sparse matrix is an object with `indptr`, `indices`,
        `data` and `shape`, that is compressed rows, or with a method `tocsr` that returns one.
    dtype : {"float32", "float64"}
        Type of the network.
    name : str, default="X"
        What messages call it.
    missing : str, default="refuse"
        "refuse" nan, or another word to let it through in a dense array.

    Returns
    -------
    ndarray of shape (N, D), uint8, float32 or float64; or Sparse
        A dense array with contiguous rows, or compressed rows for a sparse matrix; copied only if it has to be.

    Raises
    ------
    InputTypeError
        If it is not an array of numbers.
    InputError
        If it has another number of axes, no rows or columns, or a value that is not finite or does not fit `dtype`.
    """
    if type(X) is np.ndarray:  # the usual case, without the tests that only others need
        return _check_array(X, dtype, name, missing)
    if isinstance(X, Sparse):
        kinds = (np.uint8, np.dtype(dtype))
        return X if X.values.dtype in kinds else X._replace(values=X.values.astype(dtype))
    if hasattr(X, "tocsr") and getattr(X, "format", None) != "csr":
        X = X.tocsr()
    if all(hasattr(X, attribute) for attribute in ("indptr", "indices", "data", "shape")):
        return _check_sparse(X, dtype, name)
    array = as_array(X, name)
    if array.ndim == 0:
        raise _no_array(X, name)
    return _check_array(array, dtype, name, missing)


def as_array(values: Any, name: str) -> np.ndarray:
    """Convert to an array, a view where possible.

    Parameters
    ----------
    values : array-like
        What to convert.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        If it has rows of several lengths, or masked values.
    InputTypeError
        If it is not an array.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        if not isinstance(values, Sequence):  # such as a data set of PyTorch
            raise _no_array(values, name) from None
        raise InputError(f"{name} has rows of several lengths; expected equal ones: fill them up") from None
    except MemoryError:
        raise OutOfMemoryError(
            f"{name}, of type {type(values).__name__}, needs more memory than is free; expected fewer rows"
        ) from None
    except Exception as error:  # of a method of its class, as of a tensor with a gradient
        raise InputTypeError(
            f"{name} is not an array ({first_line(error)}); expected numbers: convert it first"
        ) from error
    if np.ma.is_masked(values):  # whose values are meaningless
        raise InputError(f"{name} has masked values; {FINITE}")
    return array


def _no_array(X: object, name: str) -> InputTypeError:
    """The error for something that is no array."""
    hint = ""
    if hasattr(X, "__iter__") or hasattr(X, "__getitem__"):
        hint = ": of batches, give partial_fit one after the other, and predict an iterator over their inputs"
    return InputTypeError(
        f"{name} is of type {type(X).__name__}; expected an array (samples, features), a DataFrame or rows{hint}"
    )


def _check_array(X: np.ndarray, dtype: str, name: str, missing: str) -> np.ndarray:
    """Return a dense matrix in a form that the kernels read."""
    if X.ndim != 2:
        raise InputError(f"{name} has shape {X.shape}; expected (samples, features): reshape images to rows")
    if 0 in X.shape:
        raise InputError(f"{name} has shape {X.shape}; expected at least one sample and one feature")
    if X.dtype.kind in "OU":
        X = numbers_of(X.astype(object, copy=False), name)
    if X.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {X.dtype}; expected numbers: convert it to float32 or uint8")
    if X.dtype not in INPUT_DTYPES or not X.dtype.isnative:
        # float32 would round integers from 2**24 on, which a network of float64 represents.
        wide = X.dtype.itemsize > 4 or (X.dtype.kind != "f" and dtype == "float64")
        X = X.astype(np.float64 if wide else np.float32)
    if X.strides[1] != X.itemsize or X.strides[0] % X.itemsize:
        X = np.ascontiguousarray(X)
    check_finite(X, dtype, name, missing)
    return X


def _check_sparse(X: Any, dtype: str, name: str) -> Sparse:
    """Return a sparse matrix as `Sparse` rows."""
    if len(X.shape) != 2:
        raise InputError(f"{name} has shape {X.shape}; expected (samples, features): one sample is X.reshape(1, -1)")
    rows, features = X.shape
    indptr, indices, values = np.asarray(X.indptr, np.int64), np.asarray(X.indices), np.asarray(X.data)
    if 0 in (rows, features):
        raise InputError(f"{name} has shape {X.shape}; expected at least one sample and one feature")
    if values.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {values.dtype}; expected numbers: convert it to float32 or uint8")
    if len(indptr) != rows + 1 or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] > len(indices):
        raise InputError(f"{name} has an indptr that does not rise from 0 by rows; expected compressed rows (CSR)")
    indices, values = indices[: indptr[-1]], values[: indptr[-1]]
    if len(indices) != len(values):
        raise InputError(f"{name} has {len(indices)} indices and {len(values)} values; expected one each per entry")
    if len(indices) and not 0 <= indices.min() <= indices.max() < features:
        raise InputError(f"{name} has an index outside of its {features} columns; expected 0 to {features - 1}")
    finite = fits(values, dtype)
    if not finite.all():
        entry = int(np.argmin(finite))
        row = int(np.searchsorted(indptr, entry, "right")) - 1
        what = unfit(values[entry], dtype)
        raise InputError(f"{name} has {values[entry]} at row {row}, column {indices[entry]}; {what}")
    kind = np.uint8 if values.dtype == np.uint8 else dtype
    # The kernels step from entry to entry: a view that skips some, as of one column of a table, is copied.
    columns = np.ascontiguousarray(indices, index_dtype(features))
    return _in_order(Sparse(np.ascontiguousarray(indptr), columns, np.ascontiguousarray(values, kind), features), name)


def _in_order(X: Sparse, name: str) -> Sparse:
    """Return X with the columns of each row ascending, which is the order in which the dense kernels sum."""
    steps = np.diff(X.indices.astype(np.int64))
    starts = X.indptr[1:-1]
    steps[starts[(starts > 0) & (starts < len(X.indices))] - 1] = 1
    if (steps > 0).all():
        return X
    row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    order = np.lexsort((X.indices, row))
    same = (np.diff(row[order]) == 0) & (np.diff(X.indices[order].astype(np.int64)) == 0)
    if same.any():
        at = order[int(np.argmax(same))]
        raise InputError(
            f"{name} has column {X.indices[at]} of row {row[at]} twice; expected one entry per column: sum them first"
        )
    return X._replace(indices=X.indices[order], values=X.values[order])


def check_finite(X: np.ndarray, dtype: str, name: str, missing: str = "refuse", columns: Sequence[str] = ()) -> None:
    """Check a matrix for numbers that a network can represent.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        Numbers.
    dtype : {"float32", "float64"}
        Type of the network.
    name : str
        What messages call it.
    missing : str, default="refuse"
        "refuse" nan, or another word to let it through.
    columns : sequence of str, default=()
        Names of the columns, for messages; () for their numbers.

    Raises
    ------
    InputError
        With the place of the first value that is not finite, or does not fit `dtype`.
    """
    if X.dtype.kind != "f":
        return
    for start in range(0, len(X), ROWS_AT_A_TIME):
        block = X[start : start + ROWS_AT_A_TIME]
        good = fits(block, dtype)
        if not good.all() and missing != "refuse":
            good |= np.isnan(block)
        if not good.all():
            row, column = np.argwhere(~good)[0]
            value, called = block[row, column], f"`{columns[column]}`" if columns else column
            what = f"{FINITE}, or train with missing='median'" if np.isnan(value) else unfit(value, dtype)
            raise InputError(f"{name} has {value} at row {start + row}, column {called}; {what}")


def fits(values: np.ndarray, dtype: str) -> NDArray[np.bool_]:
    """Return a mask of the finite numbers that a network can represent, in the shape of `values`.

    Parameters
    ----------
    values : ndarray
        Numbers.
    dtype : {"float32", "float64"}
        Type of the network.
    """
    if values.dtype.kind == "f" and values.dtype.itemsize > np.dtype(dtype).itemsize:
        with np.errstate(over="ignore"):  # what is too large becomes infinity
            values = values.astype(dtype)
    finite: NDArray[np.bool_] = np.isfinite(values)
    return finite


def unfit(value: Any, dtype: str) -> str:
    """Return the end of a message about a value that does not fit: what was expected, and a hint.

    Parameters
    ----------
    value : number
        The value.
    dtype : {"float32", "float64"}
        Type of the network.
    """
    if not np.isfinite(value):
        return FINITE
    return f"expected numbers that fit {np.dtype(dtype)}, the network's dtype: scale them, or set dtype='float64'"
