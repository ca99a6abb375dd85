"""The task of a data set: classification or regression."""

from dataclasses import replace

import numpy as np

from fastmlp.data.dataset import Dataset
from fastmlp.errors import InputError
from fastmlp.utils.labels import check_labels, distinct
from fastmlp.utils.showing import shown

CLASSIFICATION, REGRESSION = TASKS = ("classification", "regression")


def check_task(task: str | None) -> None:
    """Raise InputError unless a task is one of `TASKS`, or None.

    Parameters
    ----------
    task : str or None
        What was asked for.

    Raises
    ------
    InputError
        For anything else.
    """
    if task is not None and (not isinstance(task, str) or task not in TASKS):
        raise InputError(f"task is {shown(task)}; expected {' or '.join(TASKS)}, or leave it out")


def with_task(dataset: Dataset, task: str | None) -> Dataset:
    """Return a dataset whose labels are read as the given task instead of the one that their values suggest.

    Parameters
    ----------
    dataset : Dataset
        As its reader made it.
    task : {"classification", "regression"}, optional
        None leaves it as it is, with a note where that is a regression.

    Returns
    -------
    Dataset
        With the task's y and classes; its validation part as well.

    Raises
    ------
    InputError
        For fractions that are to be classes, and for text that is to be numbers.
    """
    if dataset.validation is not None:
        dataset = replace(dataset, validation=with_task(dataset.validation, task or dataset.task))
    if task is None and dataset.classes is None:
        note = (
            f"labels: {len(distinct(dataset.y))} different numbers, so this is a regression; for classes "
            f"set task = '{CLASSIFICATION}'"
        )
        return replace(dataset, notes=(*dataset.notes, note))
    if task in (None, dataset.task):
        return dataset
    where = dataset.source or dataset.name
    if task == REGRESSION:
        if dataset.y.dtype.kind not in "iu":
            raise InputError(
                f"{where} has the label {shown(dataset.y[0])} at row 0; expected numbers, which task = '{REGRESSION}' "
                "asks for: leave it out"
            )
        return replace(dataset, y=dataset.y.astype(np.float64), classes=None, class_names=())
    y, _ = check_labels(dataset.y, len(dataset.y), where)
    return replace(dataset, y=y, classes=distinct(y))
