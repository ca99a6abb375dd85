"""Training and validation samples."""

import numbers
import os
from dataclasses import replace

import numpy as np

from fastmlp.data.dataset import Dataset
from fastmlp.data.loading import load
from fastmlp.errors import InputError, InputTypeError

LAST_SIXTH = 1 / 6  # of MNIST's 60,000: the first 50,000 for training, the last 10,000 for validation


def split(
    dataset: Dataset,
    validation: float | int | None = None,
    *,
    stratify: bool = False,
    seed: int = 0,
    training: int | None = None,
) -> tuple[Dataset, Dataset]:
    """The training and the validation part of a dataset.

    validation  a share of the samples, between 0 and 1, or a number of samples; None: the last sixth, rounded
    stratify    False: the last samples, both parts views of the dataset's arrays. True: drawn at random, from each
                class in proportion, copied; needed where the samples are sorted by class
    seed        of the random choice
    training    how many samples to train on: the first ones of the dataset, the next ones being for validation and the
                rest unused. 42,000 with a validation of 12,000 are the rows 0 to 41,999 and 42,000 to 53,999. A share
                is then one of the two parts together, and a choice at random is made among these. None: use them all
    Raises InputError, InputTypeError when a part would be empty, samples are too few, or an argument cannot be used.
    """
    if training is None:
        count = validation_count(len(dataset.y), validation)
    else:
        count = _count_beside(training, validation)
        dataset = first_rows(dataset, training + count)
    total = len(dataset.y)
    if not stratify:
        return _take(dataset, slice(0, total - count)), _take(dataset, slice(total - count, total))
    chosen = _stratified(dataset.y, count, seed)
    return _take(dataset, np.flatnonzero(~chosen)), _take(dataset, np.flatnonzero(chosen))


def load_split(
    path_or_name: str | os.PathLike[str],
    *,
    validation: float | int | None = None,
    stratify: bool = False,
    seed: int = 0,
    n_features: int | None = None,
    training: int | None = None,
) -> tuple[Dataset, Dataset]:
    """`load` and `split` in one: the training and the validation part. Never touches the test part."""
    dataset = load(path_or_name, n_features=n_features)
    return split(dataset, validation, stratify=stratify, seed=seed, training=training)


def first_rows(dataset: Dataset, rows: int) -> Dataset:
    """The first `rows` samples of a dataset, as views. InputError when it has fewer."""
    if rows > len(dataset.y):
        raise InputError(
            f"training and validation are {rows} samples together; {dataset.name} has {len(dataset.y)}: take fewer"
        )
    return dataset if rows == len(dataset.y) else _take(dataset, slice(0, rows))


def validation_count(total: int, validation: float | int | None = None) -> int:
    """How many of `total` samples are for validation. Raises InputError, InputTypeError as `split` does."""
    validation = _share_or_count(validation)
    count = validation if isinstance(validation, int) else round(total * validation)
    if not 0 < count < total:
        raise InputError(
            f"validation is {validation:g}, {count} of {total} samples; expected at least one sample in each part: "
            "choose another"
        )
    return count


def _count_beside(training: int, validation: float | int | None) -> int:
    """How many samples are for validation beside `training` others."""
    if isinstance(training, bool) or not isinstance(training, numbers.Integral):
        raise InputTypeError(f"training is {training!r}; expected a number of samples, such as 42000")
    if training < 1:
        raise InputError(f"training is {training}; expected at least 1 sample: leave it out to use all")
    validation = _share_or_count(validation)
    count = validation if isinstance(validation, int) else round(training * validation / (1 - validation))
    return validation_count(int(training) + count, count)


def _share_or_count(validation: object) -> float | int:
    """`validation` as a float between 0 and 1, or as an int."""
    if validation is None:
        return LAST_SIXTH
    if isinstance(validation, bool) or not isinstance(validation, numbers.Real):
        raise InputTypeError(f"validation is {validation!r}; expected a share such as 0.2, or a number of samples")
    if isinstance(validation, numbers.Integral):
        return int(validation)
    share = float(validation)
    if not 0 < share < 1:
        raise InputError(f"validation is {validation}; expected a share between 0 and 1: try 0.2")
    return share


def _stratified(y, count, seed):
    """(N,) bool, `count` of them True: from each class its share of `count`, rounded so that the sum is right."""
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"seed is {seed!r}; expected a whole number from 0")
    sizes = np.bincount(y)
    shares = sizes * (count / len(y))
    quotas = np.floor(shares).astype(np.int64)
    # The classes that rounding down cut most get one more each.
    quotas[np.argsort(quotas - shares, kind="stable")[: count - quotas.sum()]] += 1
    random = np.random.RandomState(np.random.PCG64(int(seed)))  # promised to be the same in every version of numpy
    chosen = np.zeros(len(y), bool)
    for label, quota in enumerate(quotas):
        rows = np.flatnonzero(y == label)
        chosen[random.permutation(rows)[:quota]] = True
    return chosen


def _take(dataset, rows):
    return replace(dataset, X=dataset.X[rows], y=dataset.y[rows])
