"""An order of rows that is random and yet reads from a disk in pieces: a block shuffle with a window.

The rows of a file fall into blocks that are next to one another. An epoch takes the blocks in a random order, cuts
that sequence into windows, and visits the rows of one window after the other, each in a random order. With N rows,
W of them in a window, M = W / block_rows blocks in a window and batches of B rows:

    a row comes exactly once, in any window with the same probability (to within a block), at any place of it likewise
    rows of one block share a batch with the probability (B - 1) / (W - 1), rows of two blocks with about
    (B - 1) / (W - 1) * (W - block_rows) / (N - block_rows). A full shuffle has (B - 1) / (N - 1) for both
    the number of a batch's rows that are of one class has the mean of a full shuffle, and at most sqrt(1 + (B - 1) / M)
    times its standard deviation. A file that is sorted by class comes to that, one in random order has 1

M is 1,024 with the defaults of `Stream`: for the sorted file the factor is 1.05 at batches of 100, 1.22 at 500.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_BLOCKS = (1,)  # the spawn key of the random numbers that order the blocks, which the rows' order must not share


class Window(NamedTuple):
    """Rows of a file that are in memory together.

    starts, counts  (pieces,) int64: the pieces of the file, ascending; row i of the window is the i-th of their rows
    order           (W,) int64: the order in which the rows of the window are visited
    """

    starts: np.ndarray
    counts: np.ndarray
    order: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """(W,) int64: which row of the file each row of the window is."""
        ends = np.cumsum(self.counts)
        return np.repeat(self.starts - (ends - self.counts), self.counts) + np.arange(ends[-1])


def even_rows(rows: int, most: int, batch_size: int) -> int:
    """Rows per window: all if they fit; else whole batches, of about the same number so that the last mixes as well.

    most: rows that a window may have, `batch_size` or more.
    """
    if rows <= most:
        return rows
    batches = most // batch_size
    windows = -(-rows // (batches * batch_size))
    return -(-rows // (windows * batch_size)) * batch_size


def shuffled(rows: int, block_rows: int, window_rows: int, seed: int, epoch: int) -> Iterator[Window]:
    """The windows of an epoch in the order that the module describes; all but the last have `window_rows` rows.

    It depends on the arguments alone. With one window for all rows it is `fastmlp.training.parameters.epoch_order`.
    """
    entropy = seed, epoch
    random = np.random.RandomState(np.random.PCG64(np.random.SeedSequence(entropy)))
    block_random = np.random.RandomState(np.random.PCG64(np.random.SeedSequence(entropy, spawn_key=_BLOCKS)))
    starts = block_random.permutation(-(-rows // block_rows)).astype(np.int64, copy=False) * block_rows
    counts = np.minimum(block_rows, rows - starts)
    ends = np.cumsum(counts)
    begins = ends - counts
    for first in range(0, rows, window_rows):
        last = min(rows, first + window_rows)
        inside = slice(np.searchsorted(ends, first, "right"), np.searchsorted(begins, last, "left"))
        # A block at the edge of two windows is cut in two.
        low, high = np.maximum(begins[inside], first), np.minimum(ends[inside], last)
        pieces = starts[inside] + low - begins[inside]
        ascending = np.argsort(pieces)
        order = random.permutation(last - first).astype(np.int64, copy=False)
        yield Window(pieces[ascending], (high - low)[ascending], order)


def in_file_order(rows: int, block_rows: int, window_rows: int) -> Iterator[Window]:
    """The windows of a pass without a shuffle, in pieces that end where a block ends."""
    for first in range(0, rows, window_rows):
        last = min(rows, first + window_rows)
        edges = np.append(np.arange(first - first % block_rows, last, block_rows), last)
        edges[0] = first
        yield Window(edges[:-1], np.diff(edges), np.arange(last - first, dtype=np.int64))
