"""Weights of samples and of classes, checked and combined to one weight per sample."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils import validation as check
from fastmlp.utils.arrays import as_array
from fastmlp.utils.labels import Labels, listed
from fastmlp.utils.showing import shown, text_of

BALANCED = "balanced"
Weights = NDArray[np.float64]


def check_setting(name: str, value: object) -> str | dict[Any, float] | None:
    """Return the setting `class_weight` of an `MLP` as plain values.

    Parameters
    ----------
    name : str
        Of the setting, for messages.
    value : None, str or mapping
        None, "balanced", or a dict from label to weight. Labels that are no whole numbers may be given as text, and
        are kept so: the keys of TOML and JSON are text. Weights are finite and at least 0.

    Returns
    -------
    None, str or dict
        The same with plain numbers, and keys that are all whole numbers or all text; None for an empty dict.

    Raises
    ------
    InputError, InputTypeError
        For anything else.
    """
    if value is None:
        return None
    if isinstance(value, str) and value == BALANCED:
        return BALANCED
    if not isinstance(value, Mapping):
        kind = InputError if isinstance(value, str) else InputTypeError
        raise kind(f"{name} is {shown(value)}; expected 'balanced' or a weight per label: {{0: 1.0, 7: 2.0}}")
    weights = {}
    for key, weight in value.items():
        label = _label(key)
        if label in weights:
            raise InputError(f"class_weight has the label {label} twice; give each label one weight")
        weights[label] = check.real(f"class_weight of label {label}", weight, "1 is the weight of all others", least=0)
    if not all(isinstance(label, int) for label in weights):
        weights = {str(label): weight for label, weight in weights.items()}  # keys of two types have no order
    return weights or None


def _label(key: object) -> int | str:
    """A label that JSON can hold as a key: a whole number, or what `str` makes of it."""
    if isinstance(key, int | float | np.integer | np.floating) and not isinstance(key, bool) and key == np.floor(key):
        return int(key)
    text = text_of(key, "a label in class_weight")
    return int(text) if text.removeprefix("-").isdecimal() and str(int(text)) == text else text


def combine(
    class_weight: str | Mapping[Any, float] | None,
    sample_weight: ArrayLike | None,
    y: NDArray[np.int64],
    classes: Labels,
) -> Weights:
    """Return the weight of each sample: that of its class times its own.

    They are as given, not scaled to any sum: a kernel divides the weighted sum of a batch's gradients by the sum of
    that batch's weights, as torch.nn.CrossEntropyLoss(weight=...) and scikit-learn do, so that a common factor cancels.

    Parameters
    ----------
    class_weight : None, str or mapping
        As `check_setting` returned it. "balanced": N / (C n_c) for the n_c samples of a class, with C the classes that
        occur, as in scikit-learn; sample_weight has no part in it. In a dict, labels that are left out weigh 1, and a
        key that is no label is one that `str` makes of a label.
    sample_weight : array_like, (N,), or None
        Finite numbers from 0, not all 0.
    y : ndarray of int64, (N,)
        Positions in `classes`.
    classes : ndarray, (C,)
        The labels, each once.

    Returns
    -------
    ndarray of float64, (N,) or (0,)
        The weights; empty when there are none.

    Raises
    ------
    InputError, InputTypeError
        When a label is not in `classes`, sample_weight is no such array, or every sample ends up with the weight 0.
    """
    if class_weight is None and sample_weight is None:
        return np.empty(0)
    weights = np.ones(len(y)) if sample_weight is None else check_samples(sample_weight, len(y))
    with np.errstate(over="ignore"):  # an infinite sum is refused
        if class_weight is not None:
            weights *= of_classes(class_weight, y, classes)[y]
        _check_sum(float(weights.sum()))
    return weights


def of_classes(class_weight: str | Mapping[Any, float] | None, y: NDArray[np.integer[Any]], classes: Labels) -> Weights:
    """Return the weight of each class, (C,) float64; empty when there are none.

    Parameters
    ----------
    class_weight, y, classes
        As for `combine`.

    Raises
    ------
    InputError, InputTypeError
        As `combine` does.
    """
    if class_weight is None:
        return np.empty(0)
    counts = np.bincount(y, minlength=len(classes))
    if isinstance(class_weight, str):  # "balanced"
        # The weight of a class without samples is never used.
        return len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    weights = np.ones(len(classes))
    labels = classes.tolist()
    numbers_of = {str(label): number for number, label in enumerate(labels)}
    numbers_of |= {label: number for number, label in enumerate(labels)}
    for label, weight in class_weight.items():
        number = numbers_of.get(label, numbers_of.get(str(label)))
        if number is None:
            raise InputError(
                f"class_weight has the label {shown(label)}, which is not in y; expected one of {listed(classes)}: "
                "remove it"
            )
        weights[number] = weight
    with np.errstate(over="ignore"):  # an infinite sum is refused
        _check_sum(float(weights @ counts))
    return weights


def _check_sum(total: float) -> None:
    if not np.isfinite(total):
        raise InputError(
            f"the weights of the samples sum to {total}; expected a finite sum: divide them all by a number"
        )
    if total == 0:
        raise InputError("every sample has the weight 0; expected one above 0: raise class_weight or sample_weight")


def check_samples(sample_weight: ArrayLike, rows: int) -> Weights:
    """Check the weights of samples.

    Parameters
    ----------
    sample_weight : array_like of shape (N,)
        Finite numbers from 0.
    rows : int
        Number of samples, N.

    Returns
    -------
    ndarray of shape (N,), float64
        A copy.

    Raises
    ------
    InputError, InputTypeError
        For anything else.
    """
    weights = as_array(sample_weight, "sample_weight")
    if weights.dtype.kind not in "buif":
        raise InputTypeError(f"sample_weight has dtype {weights.dtype}; expected numbers, one weight per sample")
    if weights.shape != (rows,):
        raise InputError(f"sample_weight has shape {weights.shape}; expected ({rows},): give one weight per sample")
    weights = weights.astype(np.float64)  # a copy, which `combine` may write to
    good = np.isfinite(weights) & (weights >= 0)
    if not good.all():
        row = int(np.argmin(good))
        raise InputError(
            f"sample_weight has {weights[row]} at row {row}; expected finite numbers from 0: 0 leaves a sample out"
        )
    return weights


def near_one(weights: NDArray[np.float64], dtype: str) -> NDArray[np.float64]:
    """Return weights over the power of two that leaves the largest from 1 to below 2: no bit of a result depends on it.

    What they are multiplied by, and what their sums divide, then fits the floats of a network. Those that are too small
    for them are 0: a gradient divided by a batch's sum of such would be nan.

    Parameters
    ----------
    weights : ndarray of shape (N,) or (0,), float64
        Of the samples.
    dtype : str
        The network's.
    """
    if not len(weights):
        return weights
    scaled = np.ldexp(weights, 1 - np.frexp(weights.max())[1])
    return np.where(scaled < check.LEAST[dtype], 0.0, scaled)
