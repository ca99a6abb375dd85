"""A random order of rows that reads from a disk in pieces: a block shuffle with a window.

The rows of a file fall into blocks of neighbours. An epoch takes the blocks in a random order, cuts that sequence into
windows, and visits the rows of one window after the other, each in a random order. With N rows, W of them in a window,
M = W / block_rows blocks in a window and batches of B rows:

- every row comes exactly once, with equal probability in each window (to within a block) and at each place of it;
- two rows of one block share a batch with the probability (B - 1) / (W - 1), two rows of different blocks with about
  (B - 1) / (W - 1) * (W - block_rows) / (N - block_rows); a full shuffle has (B - 1) / (N - 1) for both;
- the number of a batch's rows that are of one class has the mean of a full shuffle, and at most sqrt(1 + (B - 1) / M)
  times its standard deviation. A file that is sorted by class reaches that factor, one in random order has 1.

M is 1,024 with the defaults of `Stream`: for the sorted file the factor is 1.05 at batches of 100, 1.22 at 500.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.utils.random_stream import RandomStream

_BLOCKS = (1,)  # the spawn key of the random numbers that order the blocks, which the rows' order must not share


class Window(NamedTuple):
    """Rows of a file that are in memory together.

    Attributes
    ----------
    starts, counts : ndarray of shape (pieces,), int64
        First row and number of rows of each piece of the file, ascending; the window has their rows in this order.
    order : ndarray of shape (W,), int64
        Order in which the rows of the window are visited.
    """

    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row of the file for each row of the window, (W,)."""
        ends = np.cumsum(self.counts)
        return np.repeat(self.starts - (ends - self.counts), self.counts) + np.arange(ends[-1])


def even_rows(rows: int, most: int, batch_size: int) -> int:
    """Return the number of rows in each window: all of them, or whole batches such that windows are about equal.

    Parameters
    ----------
    rows : int
        Rows of the file.
    most : int
        Most rows that a window may have, `batch_size` or more.
    batch_size : int
        Rows of a batch.

    Returns
    -------
    int
        At most `most`.
    """
    if rows <= most:
        return rows
    batches = most // batch_size
    windows = -(-rows // (batches * batch_size))
    return -(-rows // (windows * batch_size)) * batch_size


def shuffled(rows: int, block_rows: int, window_rows: int, seed: int, epoch: int) -> Iterator[Window]:
    """Yield the windows of an epoch in random order, which depends on the arguments alone.

    With one window for all rows the order is `fastmlp.training.parameters.epoch_order`.

    Parameters
    ----------
    rows : int
        Rows of the file.
    block_rows : int
        Rows in a block.
    window_rows : int
        Rows of all windows but the last.
    seed, epoch : int
        Seed of the order, and number of the epoch.

    Yields
    ------
    Window
        Its pieces are blocks, or parts of one at the edge of two windows.
    """
    entropy = seed, epoch
    random, block_random = RandomStream(entropy), RandomStream(entropy, _BLOCKS)
    starts = block_random.permutation(-(-rows // block_rows)) * block_rows
    counts = np.minimum(block_rows, rows - starts)
    ends = np.cumsum(counts)
    begins = ends - counts
    for first in range(0, rows, window_rows):
        last = min(rows, first + window_rows)
        inside = slice(np.searchsorted(ends, first, "right"), np.searchsorted(begins, last, "left"))
        low, high = np.maximum(begins[inside], first), np.minimum(ends[inside], last)
        pieces = starts[inside] + low - begins[inside]
        ascending = np.argsort(pieces)
        order = random.permutation(last - first)
        yield Window(pieces[ascending], (high - low)[ascending], order)


def in_file_order(rows: int, block_rows: int, window_rows: int) -> Iterator[Window]:
    """Yield the windows of a pass without a shuffle.

    Parameters
    ----------
    rows : int
        Rows of the file.
    block_rows : int
        Rows in a block.
    window_rows : int
        Rows of all windows but the last.

    Yields
    ------
    Window
        Its pieces end where a block ends.
    """
    for first in range(0, rows, window_rows):
        last = min(rows, first + window_rows)
        edges = np.append(np.arange(first - first % block_rows, last, block_rows), last)
        edges[0] = first
        yield Window(edges[:-1], np.diff(edges), np.arange(last - first, dtype=np.int64))
