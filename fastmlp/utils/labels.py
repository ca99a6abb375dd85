"""Labels: values of any kind that have a hash, the classes among them, and the number of each label's class.

Labels are arrays (N,) of whole numbers (int64), bools or text (`<U`), or of objects where they are anything else.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.arrays import as_array
from fastmlp.utils.objects import are_missing
from fastmlp.utils.showing import shown

Labels = NDArray[Any]
EXPECTED = "expected one label per sample: whole numbers, text or other values that have a hash"
_NUMBERS = (int, float, np.integer, np.floating)
_MOST = np.iinfo(np.int64).max
_LISTED = 12  # classes that a message lists


def check_labels(y: Any, rows: int, name: str = "y") -> tuple[Labels, int | None]:
    """Check labels and convert them to an array of their kind.

    Parameters
    ----------
    y : array-like of shape (rows,) or (rows, classes)
        Whole numbers, bools, text, or objects that have a hash; or one-hot rows.
    rows : int
        Number of samples.
    name : str, default="y"
        What messages call it.

    Returns
    -------
    labels : ndarray of shape (rows,)
        Labels: int64 for whole numbers of any type, bool, text, or objects. Of one-hot rows the number of the column.
    one_hot_columns : int or None
        Number of classes if the rows were one-hot.

    Raises
    ------
    InputError
        If there are not as many labels as samples, one is missing, or one is a fraction or a row no one-hot row.
    InputTypeError
        If they are nothing that distinguishes classes.
    """
    array = as_array(y, name)
    if array.ndim not in (1, 2) or array.shape[1:] == (0,):
        raise InputError(f"{name} has shape {array.shape}; expected (samples,) labels or (samples, classes) one-hot")
    if len(array) != rows:
        raise InputError(f"{name} has {len(array)} labels for {rows} samples; give one label per sample")
    if array.ndim == 2 and array.shape[1] > 1:
        return _columns_of_ones(array, name), array.shape[1]
    if array.dtype.kind == "U" and array.ndim == 1 and not isinstance(y, np.ndarray):
        items = list(y)
        if not all(isinstance(item, str) for item in items):  # numpy makes text of the others too
            array = np.fromiter(items, object, rows)
    return _of_one_kind(array.reshape(rows), name), None


def _columns_of_ones(y: np.ndarray, name: str) -> NDArray[np.int64]:
    """Return the column of the 1 in each one-hot row."""
    if y.dtype.kind == "O":  # as of a table whose columns have several types
        with suppress(TypeError, ValueError):
            y = y.astype(np.float64)
    if y.dtype.kind not in "buif":
        raise InputTypeError(f"{name} has dtype {y.dtype} and shape {y.shape}; {EXPECTED}, or one-hot rows")
    one_hot = ((y == 0) | (y == 1)).all(axis=1) & (y.sum(axis=1) == 1)
    if not one_hot.all():
        raise InputError(f"{name} is not one-hot at row {int(np.argmin(one_hot))}; expected a single 1, all else 0")
    columns: NDArray[np.int64] = y.argmax(axis=1).astype(np.int64)
    return columns


def _of_one_kind(y: np.ndarray, name: str) -> Labels:
    """Return labels (rows,) in the dtype of their kind."""
    if y.dtype.kind in "OT":  # T is numpy's text of any length
        y = _objects(y.astype(object), name)
    if y.dtype.kind in "fMm":
        missing = np.isnan(y) if y.dtype.kind == "f" else np.isnat(y)
        if missing.any():
            raise _no_label(name, int(np.argmax(missing)), "nan")
    if y.dtype.kind == "f":
        whole = (y == np.floor(y)) & (np.abs(y.astype(np.float64, copy=False)) < 2**53)
        if not whole.all():
            row = int(np.argmin(whole))
            raise InputError(
                f"{name} has {y[row]} at row {row}; {EXPECTED} (numbers that are to be predicted are for "
                "loss='squared_error')"
            )
    elif y.dtype == np.uint64 and (y > _MOST).any():
        row = int(np.argmax(y > _MOST))
        raise InputError(f"{name} has the label {y[row]} at row {row}; expected at most {_MOST}: number the classes")
    elif y.dtype.kind not in "biuUSMmO":
        raise InputTypeError(f"{name} has dtype {y.dtype}; {EXPECTED}")
    return y.astype(np.int64, copy=False) if y.dtype.kind in "iuf" else y


def _objects(y: NDArray[np.object_], name: str) -> np.ndarray:
    """Return objects as an array of bools, numbers or text if all are of one of these; otherwise unchanged."""
    items = y.tolist()
    for row, item in enumerate(items):
        try:
            hash(item)
        except Exception:  # of a method of its class, or for want of one
            raise InputTypeError(f"{name} has a {type(item).__name__} at row {row}; {EXPECTED}") from None
    missing = are_missing(y)
    if missing.any():
        row = int(np.argmax(missing))
        raise _no_label(name, row, items[row])
    kinds = set(map(type, items))
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return y.astype(bool)
    if all(issubclass(kind, str) for kind in kinds):
        return np.array(items, str)
    if all(issubclass(kind, _NUMBERS) and not issubclass(kind, bool) for kind in kinds):
        return np.array(items)  # of whole numbers that no integer type holds it is still one of objects
    return y


def _no_label(name: str, row: int, value: object) -> InputError:
    return InputError(f"{name} has no label at row {row} ({value}); expected one per sample: leave that row out")


def distinct(labels: Labels) -> Labels:
    """Return each label once: sorted, or in the order of their first rows where objects cannot be compared.

    Parameters
    ----------
    labels : ndarray of shape (N,)
        As `check_labels` returns them.
    """
    if labels.dtype != object:
        # With counts it sorts, which is also faster. Without, NumPy from 2.3 on hashes, in C++ that aborts the process
        # where Python, up to 3.13, ends a daemon thread in it.
        return np.unique(labels, return_counts=True)[0]
    found = list(dict.fromkeys(labels.tolist()))
    with suppress(Exception):  # of a method of their class, or for want of one
        found.sort()
    return np.fromiter(found, object, len(found))


def all_classes(y: Labels, one_hot_columns: int | None, classes: Iterable[Any] | None) -> Labels:
    """Return the labels of all classes: those given, the columns of one-hot labels, or those that occur.

    Parameters
    ----------
    y : ndarray of shape (N,)
        Labels.
    one_hot_columns : int or None
        As `check_labels` returns it.
    classes : iterable, optional
        All labels that there are.

    Returns
    -------
    ndarray of shape (C,)
        Each once, in the order of `distinct`.

    Raises
    ------
    InputError
        If there are fewer than two.
    InputTypeError
        If `classes` is no iterable of labels.
    """
    if classes is not None:
        if not isinstance(classes, Iterable):
            raise InputTypeError(f"classes is {shown(classes)}; expected all labels there are, such as range(10)")
        given = classes if isinstance(classes, np.ndarray) else list(classes)
        known = distinct(check_labels(given, len(given), "classes")[0])
    else:
        known = distinct(y) if one_hot_columns is None else np.arange(one_hot_columns)
    if not len(known):
        raise InputError("classes is empty; expected two or more: leave it out to take those in y")
    if len(known) < 2:
        raise InputError(
            f"y has the single class {shown(known[0])}; expected two or more: there is nothing to classify"
        )
    return known


def class_numbers(y: Labels, classes: Labels, name: str = "y") -> NDArray[np.int64]:
    """Return the position of each label in `classes`, (rows,) int64.

    Parameters
    ----------
    y : ndarray of shape (rows,)
        Labels.
    classes : ndarray of shape (C,)
        All labels, in the order of `distinct`.
    name : str, default="y"
        What messages call `y`.

    Raises
    ------
    InputError
        If a label is not among them.
    """
    kinds = y.dtype.kind + classes.dtype.kind
    if kinds in ("UU", "SS", "MM", "mm") or set(kinds) <= set("biu"):
        position = np.searchsorted(classes, y).astype(np.int64, copy=False)
        known = classes[np.minimum(position, len(classes) - 1)] == y
    else:
        numbers = {label: number for number, label in enumerate(classes.tolist())}
        position = np.fromiter((numbers.get(label, -1) for label in y.tolist()), np.int64, len(y))
        known = position >= 0
    if not known.all():
        row = int(np.argmin(known))
        raise InputError(
            f"{name} has the label {shown(y[row])} at row {row}, out of range; expected one of the {len(classes)} "
            f"classes {listed(classes)}"
        )
    return position


def listed(classes: Labels) -> str:
    """Return classes as messages list them; of many the first and the last.

    Parameters
    ----------
    classes : ndarray of shape (C,)
        At least one.
    """
    if len(classes) > _LISTED:
        return f"from {shown(classes[0])} to {shown(classes[-1])}"
    return ", ".join(map(shown, classes))
