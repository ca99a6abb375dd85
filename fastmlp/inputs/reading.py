"""Inputs as a user has them: checked, and divided into columns of numbers and of text."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastmlp.inputs.columns import Column, categories_in, check_text, medians, stacked
from fastmlp.inputs.scaling import Encoded
from fastmlp.inputs.table import Table, as_text, is_frame
from fastmlp.utils.arrays import check_finite, check_inputs
from fastmlp.utils.objects import are_missing

Checked: TypeAlias = Encoded | Table  # what `read_inputs` returns


def read_inputs(X: Any, dtype: str, name: str = "X", missing: str = "refuse") -> Checked:
    """Check inputs as a user has them, as far as they can be without an encoder.

    Parameters
    ----------
    X : array_like of shape (N, D), sparse matrix, DataFrame or Table
        Inputs.
    dtype : str
        Of the network.
    name : str
        What messages call X.
    missing : str
        The setting.

    Returns
    -------
    ndarray of shape (N, D), Sparse, or Table
        A view where possible.

    Raises
    ------
    InputError, InputTypeError
        For inputs that cannot be used.
    """
    if type(X) is not np.ndarray:  # the usual case
        if isinstance(X, Table):
            return X
        if is_frame(X):
            return Table.from_frame(X)
    return check_inputs(X, dtype, name, missing)


class Parts(NamedTuple):
    """The columns of a table by their kind.

    Attributes
    ----------
    numbers : ndarray of shape (N, k)
        Columns of numbers.
    names : list of str
        Their names, for messages.
    texts : list of ndarray, each of shape (N,)
        Columns of text.
    """

    numbers: NDArray[Any]
    names: list[str]
    texts: list[NDArray[np.object_]]


def parts_of(X: Table, are_text: list[bool], dtype: str, name: str, missing: str) -> Parts:
    """Divide a table into columns of numbers and columns of text, and check both.

    Parameters
    ----------
    X : Table
        Inputs.
    are_text : list of bool
        Which columns are text.
    dtype : str
        Of the network.
    name : str
        What messages call X.
    missing : str
        The setting.

    Raises
    ------
    InputError, InputTypeError
        For a value that cannot be used.
    """
    names: list[str] = []
    columns: list[NDArray[Any]] = []
    texts: list[NDArray[np.object_]] = []
    for called, values, is_of_text in zip(X.names, X.columns, are_text, strict=True):
        if is_of_text:
            texts.append(as_text(values))
            check_text(texts[-1], called, missing)
        else:
            names.append(called)
            columns.append(values)
    numbers = stacked(columns, names, len(X))
    check_finite(numbers, dtype, name, missing, names)
    return Parts(numbers, names, texts)


def fitted_columns(names: Sequence[str | None], are_text: list[bool], parts: Parts, missing: str) -> tuple[Column, ...]:
    """Return what there is to know of the columns of training rows, but for their scaling.

    Parameters
    ----------
    names : sequence of str or None
        Of all columns.
    are_text : list of bool
        Which of them are text.
    parts : Parts
        Their values.
    missing : str
        The setting.

    Raises
    ------
    InputError
        For a column without any value, or with too many values of text.
    """
    found: list[Column] = []
    fills = medians(parts.numbers, parts.names).tolist() if missing == "median" else [None] * len(parts.names)
    have_gaps = np.atleast_1d(are_missing(parts.numbers).any(axis=0)).tolist()
    numbers, texts = zip(fills, have_gaps, strict=True), iter(parts.texts)
    for name, is_of_text in zip(names, are_text, strict=True):
        if is_of_text:
            values = next(texts)
            found.append(
                Column(
                    name=name, categories=categories_in(values, str(name)), indicator=bool(are_missing(values).any())
                )
            )
        else:
            fill, has_gaps = next(numbers)
            found.append(Column(name=name, fill=fill, indicator=has_gaps))
    return tuple(found)
