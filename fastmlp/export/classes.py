"""Classes as plain values of a model file.

Of a regression whose numbers are scaled it is their scale, see `fastmlp.config.target_scaling`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.target_scaling import scale_of
from fastmlp.errors import InputError
from fastmlp.utils.labels import check_labels, distinct
from fastmlp.utils.showing import shown

PlainClass = bool | int | float | str | tuple[float, float]

_PLAIN = (bool, int, float, str)


def plain_classes(classes: NDArray[Any]) -> tuple[PlainClass, ...]:
    """Return classes as a file holds them.

    Parameters
    ----------
    classes : ndarray of shape (C,) or (C, 2)
        Labels, or a scale.

    Returns
    -------
    tuple
        A label, or a mean and a deviation, for each output.

    Raises
    ------
    InputError
        For labels that are no numbers, text or booleans.
    """
    if scale_of(classes) is not None:
        return tuple((mean, deviation) for mean, deviation in classes.tolist())
    labels = classes.tolist()
    for label in labels:
        if type(label) not in _PLAIN:
            raise InputError(
                f"classes has {shown(label)} of type {type(label).__name__}; expected numbers, text or booleans, which "
                "are what a model file holds: train with such labels"
            )
    return tuple(labels)


def classes_of(plain: tuple[PlainClass, ...]) -> NDArray[Any]:
    """Return what `plain_classes` was given.

    Parameters
    ----------
    plain : tuple
        What a file has.

    Raises
    ------
    ValueError
        If these are no classes.
    """
    pairs = [label for label in plain if isinstance(label, tuple)]
    if pairs:
        scale = np.array(pairs, np.float64)
        if len(pairs) < len(plain) or not np.isfinite(scale).all() or not (scale[:, 1] > 0).all():
            raise ValueError("classes are not means and deviations")
        return scale
    try:
        classes, _ = check_labels(list(plain), len(plain), "classes")
    except InputError as error:
        raise ValueError(str(error)) from None
    if len(known := distinct(classes)) < len(classes):
        raise ValueError("classes are not unique")
    if classes.dtype != object and (known != classes).any():
        raise ValueError("classes are not sorted")
    return classes
