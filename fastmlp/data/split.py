"""Training and validation samples."""

import numbers
import os
from dataclasses import replace

import numpy as np

from fastmlp.errors import InputError, InputTypeError

from .dataset import Dataset
from .loading import load

LAST_SIXTH = 1 / 6  # of MNIST's 60,000: the first 50,000 for training, the last 10,000 for validation


def split(
    dataset: Dataset, validation: float | int | None = None, *, stratify: bool = False, seed: int = 0
) -> tuple[Dataset, Dataset]:
    """The training and the validation part of a dataset.

    validation  a share of the samples, between 0 and 1, or a number of samples; None: the last sixth, rounded
    stratify    False: the last samples, both parts views of the dataset's arrays. True: drawn at random, from each
                class in proportion, copied; needed where the samples are sorted by class
    seed        of the random choice
    Raises InputError, InputTypeError when a part would be empty or an argument cannot be used.
    """
    total = len(dataset.y)
    count = validation_count(total, validation)
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
) -> tuple[Dataset, Dataset]:
    """`load` and `split` in one: the training and the validation part. Never touches the test part."""
    return split(load(path_or_name, n_features=n_features), validation, stratify=stratify, seed=seed)


def validation_count(total: int, validation: float | int | None = None) -> int:
    """How many of `total` samples are for validation. Raises InputError, InputTypeError as `split` does."""
    if validation is None:
        validation = LAST_SIXTH
    if isinstance(validation, bool) or not isinstance(validation, numbers.Real):
        raise InputTypeError(f"validation is {validation!r}; expected a share such as 0.2, or a number of samples")
    whole = isinstance(validation, numbers.Integral)
    if not whole and not 0 < validation < 1:
        raise InputError(f"validation is {validation}; expected a share between 0 and 1: try 0.2")
    count = int(validation) if whole else round(total * float(validation))
    if not 0 < count < total:
        raise InputError(
            f"validation is {validation:g}, {count} of {total} samples; expected at least one sample in each part: "
            "choose another"
        )
    return count


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
