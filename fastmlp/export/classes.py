"""Classes as an array of a model file: int64, or the bytes of a JSON list where the labels are no whole numbers.

Of a regression whose numbers are scaled it is their scale, see `fastmlp.config.target_scaling`.
"""

import json
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fastmlp.config.target_scaling import scale_of
from fastmlp.errors import InputError
from fastmlp.utils.labels import check_labels, distinct, shown
from fastmlp.utils.records import one_line

_PLAIN = (bool, int, float, str)


def pack_classes(classes: NDArray[Any]) -> NDArray[Any]:
    """Return classes as a file holds them.

    Parameters
    ----------
    classes : ndarray of shape (C,) or (C, 2)
        Labels, or a scale.

    Returns
    -------
    ndarray of shape (C,), int64; (bytes,), uint8; or (C, 2), float64
        The labels, or their JSON text; or the scale.

    Raises
    ------
    InputError
        For labels that are no numbers, text or booleans.
    """
    if classes.dtype == np.int64 or scale_of(classes) is not None:
        return classes
    labels = classes.tolist()
    for label in labels:
        if type(label) not in _PLAIN:
            raise InputError(
                f"classes has {shown(label)} of type {type(label).__name__}; expected numbers, text or booleans, which "
                "are what a model file holds: train with such labels"
            )
    return np.frombuffer(json.dumps(labels).encode(), np.uint8)


def unpack_classes(stored: NDArray[Any]) -> NDArray[Any]:
    """Return what `pack_classes` packed.

    Parameters
    ----------
    stored : ndarray
        What a file has.

    Raises
    ------
    ValueError
        If these are no classes.
    """
    labels: Any = stored
    if stored.ndim == 1 and stored.dtype == np.uint8:
        try:
            labels = msgspec.json.decode(stored.tobytes(), type=list[bool | int | float | str | tuple[float, float]])
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise ValueError(one_line(error, "classes")) from None
        if labels and all(isinstance(label, tuple) for label in labels):
            stored = np.array(labels, np.float64)
    if stored.ndim == 2 and stored.dtype == np.float64:
        if not len(stored) or stored.shape[1] != 2 or not np.isfinite(stored).all() or not (stored[:, 1] > 0).all():
            raise ValueError("classes are no means and deviations")
        return stored
    if stored.ndim != 1 or stored.dtype not in (np.int64, np.uint8):
        raise ValueError(f"classes are {stored.dtype} of shape {stored.shape}")
    try:
        classes, _ = check_labels(labels, len(labels), "classes")
    except InputError as error:
        raise ValueError(str(error)) from None
    if len(known := distinct(classes)) < len(classes):
        raise ValueError("classes are not unique")
    if classes.dtype != object and (known != classes).any():
        raise ValueError("classes are not sorted")
    return classes
