"""Join the training and validation parts of a file."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.csr import CSR
from fastmlp.data.dataset import Dataset
from fastmlp.errors import InputError
from fastmlp.inputs.table import Table
from fastmlp.utils.labels import distinct


def joined(dataset: Dataset) -> Dataset:
    """Return a dataset with the rows of its own validation part appended; unchanged if it has none.

    Parameters
    ----------
    dataset : Dataset
        As `load` returned it.

    Raises
    ------
    InputError
        If the two parts have other columns or other kinds of labels.
    """
    own = dataset.validation
    if own is None:
        return dataset
    if dataset.y.dtype.kind != own.y.dtype.kind:
        raise InputError(f"{dataset.name} has other kinds of labels in its validation part; expected the same")
    joint = replace(
        dataset, X=_stacked(dataset, own), y=np.concatenate([dataset.y, own.y]), validation=None,
        notes=(*dataset.notes, *(note for note in own.notes if note not in dataset.notes)),
    )  # fmt: skip
    if dataset.classes is None or own.classes is None:
        return joint
    classes = distinct(np.concatenate([dataset.classes, own.classes]))
    names = {
        label: name
        for part in (own, dataset)
        for label, name in zip(_labels(part), part.class_names or map(str, _labels(part)), strict=True)
    }
    named = tuple(names[label] for label in classes.tolist()) if dataset.class_names else ()
    return replace(joint, classes=classes, class_names=named)


def _labels(part: Dataset) -> list[Any]:
    return [] if part.classes is None else part.classes.tolist()


def _stacked(first: Dataset, second: Dataset) -> NDArray[Any] | CSR | Table:
    """Return the inputs of one dataset followed by those of another."""
    X, Z = first.X, second.X
    if isinstance(X, Table) and isinstance(Z, Table) and X.names == Z.names:
        pairs = list(zip(X.columns, Z.columns, strict=True))
        if all((one.dtype == object) == (other.dtype == object) for one, other in pairs):
            return Table(X.names, tuple(np.concatenate(pair) for pair in pairs))
    elif isinstance(X, CSR) and isinstance(Z, CSR) and X.shape[1] == Z.shape[1]:
        indptr = np.concatenate([X.indptr, Z.indptr[1:] + X.indptr[-1]])
        data = np.concatenate([X.data, Z.data])
        return CSR(indptr, np.concatenate([X.indices, Z.indices]), data, (len(X) + len(Z), X.shape[1]))
    elif isinstance(X, np.ndarray) and isinstance(Z, np.ndarray) and X.shape[1] == Z.shape[1]:
        return np.concatenate([X, Z])
    raise InputError(f"{first.name} has other columns in its validation part than in its training part")
