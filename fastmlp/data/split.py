"""Division into training and validation samples."""

import numbers
import os
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.dataset import Dataset
from fastmlp.data.joining import joined
from fastmlp.data.loading import load
from fastmlp.data.stratify import choose
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.labels import listed
from fastmlp.utils.showing import shown

LAST_SIXTH = 1 / 6  # of MNIST's 60,000: the first 50,000 for training, the last 10,000 for validation


@dataclass(frozen=True)
class Division:
    """A dataset in two parts.

    Attributes
    ----------
    training, validation : Dataset
        The parts, with the notes among theirs.
    whole : Dataset
        All samples, those of a file's own validation part last.
    test_rows : int
        Number of samples that were set aside for the test, and are in neither part.
    is_drawn : bool
        Whether the validation samples were drawn, and are not the last ones.
    notes : tuple of str
        What a person would not expect of it, a sentence each.
    """

    training: Dataset
    validation: Dataset
    whole: Dataset
    test_rows: int
    is_drawn: bool
    notes: tuple[str, ...]


def split(
    dataset: Dataset,
    validation: float | int | None = None,
    *,
    stratify: bool | None = None,
    seed: int = 0,
    training: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Divide a dataset into a training and a validation part.

    Parameters
    ----------
    dataset : Dataset
        Samples to divide.
    validation : float or int, optional
        Fraction of the samples, between 0 and 1, or number of samples; by default the validation part that a file has
        of its own, else the last sixth, rounded. A fraction or a number is one of both parts of such a file.
    stratify : bool, optional
        False takes the last samples, and both parts are views of the dataset's arrays. True draws from each class in
        proportion, of a regression from small to large numbers alike, and copies. By default samples are drawn where
        the last ones would leave a class out of one of the parts, as of data that are sorted by class, or have clearly
        other numbers; the parts' `notes` say so.
    seed : int, default=0
        Seed of the stratified choice.
    training : int, optional
        Number of samples to train on: the first ones, followed by those for validation; the rest is not used. With
        42,000 and a validation of 12,000 the parts are the rows 0 to 41,999 and 42,000 to 53,999. A fraction is then
        one of these samples, and a stratified choice is made among them. By default all samples are used.

    Returns
    -------
    train, validation : Dataset
        The two parts.

    Raises
    ------
    InputError
        If a part would be empty, there are too few samples, or an argument is out of range.
    InputTypeError
        If an argument is of another type.

    Examples
    --------
    >>> from fastmlp.data import load, split
    >>> train, validation = split(load("glyphs"), 0.25)
    >>> len(train.y), len(validation.y)
    (45000, 15000)
    """
    division = divide(dataset, validation, stratify=stratify, seed=seed, training=training)
    return division.training, division.validation


def divide(
    dataset: Dataset,
    validation: float | int | None = None,
    *,
    stratify: bool | None = None,
    seed: int = 0,
    training: int | None = None,
    test: float | int | None = None,
) -> Division:
    """Divide a dataset as `split` does, and say how.

    Parameters
    ----------
    dataset, validation, stratify, seed, training
        As for `split`.
    test : float or int, optional
        Share or number of the samples that are set aside before, see `set_aside`.

    Raises
    ------
    InputError, InputTypeError
        As `split` does.
    """
    everything, notes, aside = joined(dataset), [], 0
    if test is not None:
        dataset, held_out = set_aside(dataset, test, seed)
        aside = len(held_out.y)
        notes.append(f"{aside} of {len(everything.y)} samples are drawn and set aside for the test")
    whole = joined(dataset)
    if dataset.validation is not None and validation is None and training is None and not stratify:
        count, rows, stratify = len(dataset.validation.y), whole, False
        notes.append(f"validation: the {count} samples of the data's own validation part")
        chosen = None
    else:
        if training is None:
            count, rows = validation_count(len(whole.y), validation), whole
        else:
            count = _count_beside(training, validation)
            rows = first_rows(whole, training + count)
            notes += _left_out(whole, rows)
        chosen, more = choose(rows.y, count, stratify, seed)
        notes += more
    rows = replace(rows, notes=(*whole.notes, *notes))
    if chosen is None:
        last = len(rows.y) - count
        parts = _take(rows, slice(0, last)), _take(rows, slice(last, len(rows.y)))
    else:
        parts = _take(rows, np.flatnonzero(~chosen)), _take(rows, np.flatnonzero(chosen))
    return Division(*parts, everything, aside, chosen is not None, tuple(notes))


def set_aside(dataset: Dataset, test: float | int, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Set samples of a dataset without a test part aside for the test, drawn as `split` draws from each class.

    Parameters
    ----------
    dataset : Dataset
        Samples; those of its own validation part, if it has one, are left in it.
    test : float or int
        Fraction of the samples, between 0 and 1, or number of samples.
    seed : int, default=0
        Seed of the choice.

    Returns
    -------
    rest, test : Dataset
        The samples to work with, and those for the test.

    Raises
    ------
    InputError, InputTypeError
        As `split` does.
    """
    chosen, _ = choose(dataset.y, part_count(len(dataset.y), test, "test"), True, seed)
    held_out = np.ones(len(dataset.y), bool) if chosen is None else chosen
    rest, aside = (_take(dataset, np.flatnonzero(rows)) for rows in (~held_out, held_out))
    return rest, replace(aside, validation=None)


def _left_out(whole: Dataset, rows: Dataset) -> list[str]:
    """Return a note if the first rows of a dataset lack classes of the others."""
    if whole.classes is None or len(rows.y) == len(whole.y):
        return []
    absent = np.setdiff1d(whole.y, rows.y)
    return [f"the first {len(rows.y)} samples lack {listed(absent)}, which others have"] if len(absent) else []


def load_split(
    path_or_name: str | os.PathLike[str],
    *,
    validation: float | int | None = None,
    stratify: bool | None = None,
    seed: int = 0,
    n_features: int | None = None,
    label: str | int | None = None,
    task: str | None = None,
    training: int | None = None,
    test: float | int | None = None,
) -> tuple[Dataset, Dataset]:
    """Load data and divide them into a training and a validation part; the test part is never read.

    Parameters
    ----------
    path_or_name : str or path-like
        Name or file, as for `load`.
    validation : float or int, optional
        Fraction or number of the samples for validation, as for `split`.
    stratify : bool, optional
        Whether to draw them from each class in proportion, as for `split`.
    seed : int, default=0
        Seed of the stratified choice.
    n_features : int, optional
        Columns of svmlight text, as for `load`.
    label : str or int, optional
        Column of the labels, as for `load`.
    task : {"classification", "regression"}, optional
        What the labels are, as for `load`.
    training : int, optional
        Number of samples to train on, as for `split`.
    test : float or int, optional
        Share or number of the samples that are set aside before, see `set_aside`.

    Returns
    -------
    train, validation : Dataset
        The two parts.

    Raises
    ------
    InputError, InputTypeError
        As `load` and `split` do.
    """
    dataset = load(path_or_name, n_features=n_features, label=label, task=task)
    division = divide(dataset, validation, stratify=stratify, seed=seed, training=training, test=test)
    return division.training, division.validation


def first_rows(dataset: Dataset, rows: int) -> Dataset:
    """Return the first samples of a dataset, as views.

    Parameters
    ----------
    dataset : Dataset
        Samples to take from.
    rows : int
        Number of samples.

    Returns
    -------
    Dataset
        The first `rows` samples.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if rows > len(dataset.y):
        raise InputError(
            f"training and validation are {rows} samples together; {dataset.name} has {len(dataset.y)}: take fewer"
        )
    return dataset if rows == len(dataset.y) else _take(dataset, slice(0, rows))


def validation_count(total: int, validation: float | int | None = None) -> int:
    """Return the number of samples for validation.

    Parameters
    ----------
    total : int
        Number of samples.
    validation : float or int, optional
        Fraction or number of them, as for `split`.

    Returns
    -------
    int
        Between 1 and `total` - 1.

    Raises
    ------
    InputError, InputTypeError
        As `split` does.
    """
    return part_count(total, LAST_SIXTH if validation is None else validation, "validation")


def part_count(total: int, part: float | int, name: str) -> int:
    """Return the number of samples of a part.

    Parameters
    ----------
    total : int
        Number of samples.
    part : float or int
        Fraction or number of them.
    name : str
        What messages call it.

    Returns
    -------
    int
        Between 1 and `total` - 1.

    Raises
    ------
    InputError, InputTypeError
        As `split` does.
    """
    part = _fraction_or_count(part, name)
    count = part if isinstance(part, int) else round(total * part)
    if not 0 < count < total:
        raise InputError(
            f"{name} is {shown(part)}, {shown(count)} of {total} samples; expected at least one sample in each part: "
            "choose another"
        )
    return count


def _count_beside(training: int, validation: float | int | None) -> int:
    """Return the number of samples for validation that go with `training` others."""
    if isinstance(training, bool) or not isinstance(training, numbers.Integral):
        raise InputTypeError(f"training is {shown(training)}; expected a number of samples, such as 42000")
    if training < 1:
        raise InputError(f"training is {training}; expected at least 1 sample: leave it out to use all")
    validation = _fraction_or_count(LAST_SIXTH if validation is None else validation, "validation")
    count = validation if isinstance(validation, int) else round(training * validation / (1 - validation))
    return validation_count(int(training) + count, count)


def _fraction_or_count(part: object, name: str) -> float | int:
    """Return a part as a float between 0 and 1, or as an int. Raises InputError, InputTypeError."""
    if isinstance(part, bool) or not isinstance(part, numbers.Real):
        raise InputTypeError(f"{name} is {shown(part)}; expected a fraction such as 0.2, or a number of samples")
    if isinstance(part, numbers.Integral):
        return int(part)
    fraction = float(part)
    if not 0 < fraction < 1:
        raise InputError(f"{name} is {part}; expected a fraction between 0 and 1: try 0.2")
    return fraction


def _take(dataset: Dataset, rows: slice | NDArray[np.intp]) -> Dataset:
    return replace(dataset, X=dataset.X[rows], y=dataset.y[rows])
