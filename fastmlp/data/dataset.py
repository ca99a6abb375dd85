"""Samples with their labels, or without: what every reader returns."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.csr import CSR
from fastmlp.inputs.table import Table
from fastmlp.utils.digests import digest_of_arrays


@dataclass(frozen=True)
class Dataset:
    """Inputs with their labels.

    Parameters
    ----------
    X : ndarray of shape (N, D), uint8 or float32; CSR; or Table
        Inputs, one row per sample, as they are stored: what the numbers mean to a network is its `scaling`. svmlight
        text gives a `CSR` matrix, text with names of columns a `Table`.
    y : ndarray of shape (N,)
        Labels as the file has them: int64, bool or text; numbers in float64 for a regression.
    classes : ndarray of shape (C,), or None
        The labels that there are, sorted, each once; None for a regression.
    image_shape : (int, int) or None
        Height and width in pixels where a row of X is an image.
    name : str
        What tables and messages call the data, such as "mnist" or the name of a file.
    synthetic : bool, default=False
        Whether this library made the samples.
    class_names : tuple of str, default=()
        One name per class for people to read; () for the labels themselves.
    source : str, default=""
        Where the samples come from, in a few words, such as "mnist from data/mnist".
    key : str, default=""
        What `load` takes to give the same collection again: a name, never "auto", or a path.
    validation : Dataset, optional
        The validation part that a file has of its own.
    label : str or int, optional
        Name or position of the column that had the labels, where one of several was to be chosen.
    notes : tuple of str, default=()
        What was decided in reading that a user may not expect, a sentence each.
    """

    X: NDArray[np.uint8 | np.float32] | CSR | Table
    y: NDArray[Any]
    classes: NDArray[Any] | None
    image_shape: tuple[int, int] | None
    name: str
    synthetic: bool = False
    class_names: tuple[str, ...] = ()
    source: str = ""
    key: str = ""
    validation: "Dataset | None" = None
    label: str | int | None = None
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """What there is to learn: "classification" or "regression"."""
        return "regression" if self.classes is None else "classification"

    @property
    def class_count(self) -> int:
        """Number of classes; 0 for a regression."""
        return 0 if self.classes is None else len(self.classes)


@dataclass(frozen=True)
class Inputs:
    """Inputs without labels, for predictions.

    Parameters
    ----------
    X : ndarray of shape (N, D), uint8 or float32; CSR; or Table
        Inputs, one row per sample, as for `Dataset`.
    ids : tuple of str, or None
        What the file calls each sample, such as the name of an image; None where it only numbers them.
    image_shape : (int, int) or None
        Height and width in pixels where a row of X is an image.
    name : str
        What messages call the data.
    notes : tuple of str, default=()
        What was decided in reading that a user may not expect, a sentence each.
    id_name : str, default=""
        The name of the column of a table that `ids` are from.
    """

    X: NDArray[np.uint8 | np.float32] | CSR | Table
    ids: tuple[str, ...] | None
    image_shape: tuple[int, int] | None
    name: str
    notes: tuple[str, ...] = ()
    id_name: str = ""


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 of the samples and labels: of their dtypes, shapes and values, not of their names.

    Parameters
    ----------
    dataset : Dataset
        Samples and labels.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    X = dataset.X
    arrays: list[np.ndarray]
    if isinstance(X, CSR):
        arrays = [X.indptr, X.indices, X.data]
    elif isinstance(X, Table):
        arrays = [_bytes_of_text(column) if column.dtype == object else column for column in X.columns]
    else:
        arrays = [X]
    return digest_of_arrays([*arrays, dataset.y], repr(X.shape))


def _bytes_of_text(column: NDArray[np.object_]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(column.tolist()).encode(), np.uint8)
