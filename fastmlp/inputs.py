"""Checks of the arrays handed to an `MLP`: each names the value, what was expected and the mend."""

import numpy as np

from .errors import InputError, InputTypeError

INPUT_DTYPES = (np.uint8, np.float32, np.float64)
ROWS_AT_A_TIME = 4096  # checks go by blocks of rows, so that no temporary is as large as X


def check_inputs(X, name="X"):
    """X as a (N, D) array of uint8, float32 or float64, rows contiguous; other integers and bools become float32.

    Raises InputTypeError for what is no array of numbers, InputError for a wrong rank, no rows, nan or infinity.
    """
    X = np.asarray(X)
    if X.ndim != 2:
        raise InputError(f"{name} has shape {X.shape}; expected (samples, features): reshape pictures to rows")
    if 0 in X.shape:
        raise InputError(f"{name} has shape {X.shape}; expected at least one sample and one feature")
    if X.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {X.dtype}; expected numbers: convert it to float32 or uint8")
    if X.dtype not in INPUT_DTYPES or not X.dtype.isnative:
        X = X.astype(np.float64 if X.dtype.itemsize > 4 else np.float32)
    if X.strides[1] != X.itemsize:
        X = np.ascontiguousarray(X)
    if X.dtype.kind == "f":
        _check_finite(X, name)
    return X


def _check_finite(X, name):
    for start in range(0, len(X), ROWS_AT_A_TIME):
        block = X[start : start + ROWS_AT_A_TIME]
        finite = np.isfinite(block)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise InputError(
                f"{name} has {block[row, column]} at row {start + row}, column {column}; expected finite numbers: "
                "remove or fill in such values"
            )


def check_labels(y, rows, name="y"):
    """The labels as (rows,) int64, and the number of classes if one-hot columns tell it, else None.

    y: (rows,) integers, or integral floats, or (rows, classes) one-hot. Raises InputError, InputTypeError.
    """
    y = np.asarray(y)
    if y.ndim not in (1, 2):
        raise InputError(f"{name} has shape {y.shape}; expected (samples,) integers or (samples, classes) one-hot")
    if len(y) != rows:
        raise InputError(f"{name} has {len(y)} labels for {rows} samples; give one label per sample")
    if y.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {y.dtype}; expected integers: number the classes")
    if y.ndim == 2 and y.shape[1] > 1:
        one_hot = ((y == 0) | (y == 1)).all(axis=1) & (y.sum(axis=1) == 1)
        if not one_hot.all():
            raise InputError(f"{name} is not one-hot at row {int(np.argmin(one_hot))}; expected a single 1, all else 0")
        return y.argmax(axis=1).astype(np.int64), y.shape[1]
    y = y.reshape(rows)
    if y.dtype.kind == "f":
        whole = y == np.floor(y)  # nan is not; infinity is, and is caught by the range
        whole &= np.abs(y) < 2**53
        if not whole.all():
            row = int(np.argmin(whole))
            raise InputError(f"{name} has {y[row]} at row {row}; expected integers or one-hot rows: number the classes")
    return y.astype(np.int64), None


def class_numbers(y, classes, name="y"):
    """Positions (rows,) int64 of the labels y in the sorted `classes`. InputError names the first label not there."""
    position = np.searchsorted(classes, y)
    known = classes[np.minimum(position, len(classes) - 1)] == y
    if not known.all():
        row = int(np.argmin(known))
        raise InputError(
            f"{name} has the label {y[row]} at row {row}, out of range; expected one of the {len(classes)} classes "
            f"{_listed(classes)}"
        )
    return position


def _listed(classes):
    if len(classes) > 12:
        return f"from {classes[0]} to {classes[-1]}"
    return ", ".join(map(str, classes))
