"""The scaling of a network's inputs, measured on its training rows: ranges first, means and deviations if needed.

Sums add one row after another in float64, each column for itself. So they have the same bits on every processor, for
numbers of every type, and however the rows are cut into blocks.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.inputs.scaling import WHITE, Scaling
from fastmlp.kernels.sparse_rows import Sparse
from fastmlp.utils.free_memory import check_memory

# "auto" takes whole numbers from 0 to 255 for pixels if there are as many columns as in an image of 8 x 8, and one of
# them is brighter than half of white: the digits of scikit-learn go from 0 to 16, counts and codes seldom beyond 127.
PIXEL_COLUMNS, BRIGHT = 64, 127

# A new pass over the training rows, as blocks (rows, D) of numbers of any type.
Blocks = Callable[[], Iterable[NDArray[Any]]]
Ranges = tuple[NDArray[np.float64], NDArray[np.float64]]


def measure(setting: str, columns: int, blocks: Blocks) -> Scaling:
    """Return the scaling of dense inputs.

    Parameters
    ----------
    setting : str
        One of `SCALINGS`. "auto" leaves numbers from -1 to 1 as they are; takes at least 64 columns of whole numbers
        from 0 to 255, the largest above 127, for pixels; and standardises everything else.
    columns : int
        Number of columns.
    blocks : callable
        Returns a new pass over the training rows.

    Notes
    -----
    "standard" is scikit-learn's StandardScaler: less the mean, over the population's deviation, 1 where that is 0.
    "minmax" is its MinMaxScaler: the range of the training rows becomes 0 to 1.
    """
    if not columns:
        return Scaling.constant("none", 0)
    low, high = _ranges(blocks, columns)
    return _chosen(
        setting, low, high,
        lambda: all((block == np.floor(block)).all() for block in blocks() if block.dtype.kind == "f"),
        lambda: (low, _nonzero(high - low)),
        lambda: _mean_and_deviation(blocks, low, high),
    )  # fmt: skip


def measure_sparse(setting: str, X: Sparse) -> Scaling:
    """Return the scaling of sparse inputs, of which no zero becomes another number.

    Parameters
    ----------
    setting : str
        As for `measure`.
    X : Sparse
        The training rows, as checked numbers.

    Notes
    -----
    "standard" divides by the deviation, as StandardScaler(with_mean=False) does, and "minmax" by the largest size, as
    MaxAbsScaler does.
    """
    rows, columns = X.shape
    check_memory(f"the scaling of {columns:,} columns", 64 * columns, hint="expected fewer columns")
    values, zeros = X.values.astype(np.float64), np.zeros(columns)
    counts = np.bincount(X.indices, minlength=columns)
    low, high = np.where(counts < rows, 0.0, np.inf), np.where(counts < rows, 0.0, -np.inf)
    np.minimum.at(low, X.indices, values)
    np.maximum.at(high, X.indices, values)

    def deviation() -> Ranges:
        mean = np.bincount(X.indices, values, columns) / rows
        squares = np.bincount(X.indices, (values - mean[X.indices]) ** 2, columns)
        deviation = np.sqrt((squares + (rows - counts) * mean**2) / rows)
        return zeros, _nonzero(np.where(low == high, 0, deviation))

    return _chosen(
        setting, low, high,
        lambda: bool((values == np.floor(values)).all()),
        lambda: (zeros, _nonzero(np.maximum(np.abs(low), np.abs(high)))),
        deviation,
    )  # fmt: skip


def _chosen(
    setting: str,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    are_whole: Callable[[], bool],
    minmax: Callable[[], Ranges],
    standard: Callable[[], Ranges],
) -> Scaling:
    """Apply the rule to the ranges of the columns; what else it needs is measured when it is needed."""
    least, most, columns = float(low.min()), float(high.max()), len(low)
    kind = setting
    if setting == "auto":
        if least >= -1 and most <= 1:
            kind = "none"
        elif columns >= PIXEL_COLUMNS and least >= 0 and BRIGHT < most <= WHITE and are_whole():
            kind = "pixels"
        else:
            kind = "standard"
    if kind in ("none", "pixels"):
        return Scaling.constant(kind, columns, least, most)
    with np.errstate(over="ignore", invalid="ignore"):
        offset, scale = (minmax if kind == "minmax" else standard)()
    if not (np.isfinite(offset) & np.isfinite(scale)).all():
        raise InputError(f"X has numbers from {least:g} to {most:g}, which are too large to be scaled; divide them")
    return Scaling(kind, columns, offset, scale, least, most)


def _ranges(blocks: Blocks, columns: int) -> Ranges:
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    for block in blocks():
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    return low, high


def _mean_and_deviation(blocks: Blocks, low: NDArray[np.float64], high: NDArray[np.float64]) -> Ranges:
    """Sums of what the numbers are above the middle of their range: a large mean costs no digits of the deviation."""
    middle, totals, rows = low / 2 + high / 2, np.zeros((2, len(low))), 0
    for block in blocks():
        # The totals are the first row of what is added up, so that a sum goes on where the last block has left it.
        terms = np.empty((1 + len(block), 2, len(low)))
        terms[0] = totals
        np.subtract(block, middle, out=terms[1:, 0])
        np.square(terms[1:, 0], out=terms[1:, 1])
        totals, rows = np.add.reduce(terms, axis=0), rows + len(block)
    mean = totals[0] / rows
    variance = np.maximum(totals[1] / rows - mean**2, 0)
    return middle + mean, _nonzero(np.where(low == high, 0, np.sqrt(variance)))


def _nonzero(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(scale > 0, scale, 1.0)
