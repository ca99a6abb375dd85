"""How the numbers that a regression predicts are scaled while it trains.

Errors are large where numbers are, and so are the gradients: house prices ask for another learning rate than their
logarithms. A scaled network learns (y - mean) / deviation. The mean is that of each column. The deviation is one for
all columns, so that what is minimised is the squared error in another unit, whichever scaling is used. Predictions and
losses are in the units of y.

The scale of C columns is an array (C, 2) of float64: the mean of each, and the deviation.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TARGET_SCALINGS = ("auto", "none", "standard")
# Of "auto": sizes from which on, and deviations up to which numbers are scaled.
LARGE, NARROW = 10.0, 0.1

Scale = NDArray[np.float64]


def measure(setting: str, numbers: NDArray[np.float64]) -> Scale | None:
    """Return the scale of a training set's targets; None if they are not scaled.

    Parameters
    ----------
    setting : str
        "none"; "standard"; or "auto", which is "standard" where a number is beyond 10 in size or the deviation below
        0.1. Numbers that are all the same are never scaled.
    numbers : ndarray of shape (N, C), float64
        Finite numbers.
    """
    if setting == "none":
        return None
    with np.errstate(over="ignore"):  # what is too large for a deviation is not scaled, and is refused elsewhere
        means = numbers.mean(axis=0)
        deviation = float(np.sqrt(np.mean((numbers - means) ** 2)))
    if not np.isfinite(deviation) or deviation == 0:
        return None
    if setting == "auto" and np.abs(numbers).max() <= LARGE and deviation >= NARROW:
        return None
    return np.column_stack([means, np.full(len(means), deviation)])


def scale_of(classes: NDArray[Any] | None) -> Scale | None:
    """Return the target scale from a network's `outputs`; None if it has none.

    Parameters
    ----------
    classes : ndarray of shape (C,) or (C, 2), or None
        Numbers of the columns, or their scale.
    """
    return classes if classes is not None and classes.ndim == 2 else None


def scaled(numbers: NDArray[Any], scale: Scale | None) -> NDArray[Any]:
    """Return numbers (N, C) as a network learns them.

    Parameters
    ----------
    numbers : ndarray of shape (N, C)
        In their own units.
    scale : ndarray of shape (C, 2), or None
        As `measure` returned it.
    """
    return numbers if scale is None else (numbers.astype(np.float64) - scale[:, 0]) / scale[:, 1]


def restored(outputs: NDArray[Any], scale: Scale | None) -> NDArray[Any]:
    """Return a network's outputs (N, C) in the units of the numbers that it learnt, in their own dtype.

    Parameters
    ----------
    outputs : ndarray of shape (N, C)
        Of the network.
    scale : ndarray of shape (C, 2), or None
        As `measure` returned it.
    """
    if scale is None:
        return outputs
    return (outputs.astype(np.float64) * scale[:, 1] + scale[:, 0]).astype(outputs.dtype)


def folded(W: NDArray[Any], b: NDArray[Any], scale: Scale | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return weights and biases of a last layer whose outputs need no `restored`.

    Parameters
    ----------
    W : ndarray of shape (fan_in, C)
        Weights of the last layer.
    b : ndarray of shape (C,)
        Its biases.
    scale : ndarray of shape (C, 2), or None
        As `measure` returned it.
    """
    if scale is None:
        return W, b
    means, deviations = scale.T
    return (W * deviations).astype(W.dtype), (b * deviations + means).astype(b.dtype)


def unit(scale: Scale | None) -> float:
    """Return the squared error, in units of y, that a squared error of 1 on scaled numbers is.

    Parameters
    ----------
    scale : ndarray of shape (C, 2), or None
        As `measure` returned it.
    """
    return 1.0 if scale is None else float(scale[0, 1] ** 2)


def describe(classes: NDArray[Any]) -> str:
    """Return what a network's outputs are scaled by, such as "numbers of mean 3930 and deviation 3990"; "" for nothing.

    Parameters
    ----------
    classes : ndarray of shape (C,) or (C, 2)
        As for `scale_of`.
    """
    if (scale := scale_of(classes)) is None:
        return ""
    return f"numbers of mean {', '.join(f'{mean:.3g}' for mean in scale[:, 0])} and deviation {scale[0, 1]:.3g}"
