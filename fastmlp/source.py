"""Where a training set comes from: memory, or a file that is read a window at a time.

Both kinds give an epoch as spans (X, y, order): inputs in the form the first layer reads, their class numbers, and the
order in which to visit their rows. What is in memory is one span. All spans but the last are whole batches, so that
the steps are those of one order over all rows.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .inputs import class_numbers
from .kernels.inputs import Sparse, part
from .parameters import epoch_order
from .plan import compact

if TYPE_CHECKING:
    from .data.stream import Stream

_SAMPLED_ROWS = 512  # as `fastmlp.kernels.compress.measure_density` takes
_LABELS_AT_A_TIME = 1 << 20

Span = tuple[np.ndarray | Sparse, np.ndarray, np.ndarray]


class InMemory:
    """Checked inputs X (N, D), an array or `Sparse` rows, and their class numbers y (N,) int64."""

    def __init__(self, X: np.ndarray | Sparse, y: np.ndarray):
        self.X, self.y, self.shape = X, y, X.shape

    def spans(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[Span]:
        """The one span of an epoch, all rows."""
        yield self.X, self.y, epoch_order(self.shape[0], seed, epoch, shuffle)

    def parts(self) -> Iterator[tuple[np.ndarray | Sparse, np.ndarray]]:
        """(X, y) of all rows, for a pass without training."""
        yield self.X, self.y

    def head(self, rows: int) -> np.ndarray | Sparse:
        """The first rows of X."""
        return part(self.X, 0, rows)


class Streamed:
    """The rows of a `Stream` for a network of `dtype` that tells `classes` (C,) apart.

    first_layer  as for `compact`; "auto" is decided once, on a sample of the rows
    threads      compress a window between two spans
    shape (N, D); y (N,) class numbers of the smallest unsigned type; density, the share of entries that are not zero;
    first_layer "sparse" or "dense". Raises InputError for a label that is none of `classes`, or while reading.
    """

    def __init__(
        self, stream: "Stream", classes: np.ndarray, dtype: str = "float32", first_layer: str = "auto", threads: int = 1
    ):
        self._stream, self._dtype, self._threads = stream, dtype, threads
        self._spare: list = []
        self.shape = stream.shape
        self.y = _class_numbers(stream.labels, classes, f"{stream.path}: ydata")
        sample, self.density = compact(stream.sample(_SAMPLED_ROWS), dtype, first_layer)
        self.first_layer = "sparse" if isinstance(sample, Sparse) else "dense"

    def spans(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[Span]:
        """The spans of an epoch in the order of `Stream.epoch`; each is valid until the next is asked for."""
        for X, window in self._compressed(self._stream.epoch(seed, epoch, batch_size, shuffle)):
            yield X, self.y[window.rows].astype(np.int64), window.order

    def parts(self) -> Iterator[tuple[np.ndarray | Sparse, np.ndarray]]:
        """(X, y) of all rows in the order of the file, each valid until the next is asked for."""
        for X, window in self._compressed(self._stream.in_order()):
            yield X, self.y[window.rows].astype(np.int64)

    def head(self, rows: int) -> np.ndarray | Sparse:
        """The first rows of X."""
        return compact(self._stream.head(rows), self._dtype, self.first_layer)[0]

    def _compressed(self, windows):
        """The windows with their inputs in the form of the first layer."""
        if self.first_layer == "dense":
            yield from windows
            return
        from .kernels.compress import Room, compress

        room = self._spare.pop() if self._spare else Room()  # another pass may be under way, with a room of its own
        for X, window in windows:
            yield compress(X, self._dtype, self._threads, room), window
        self._spare.append(room)


def _class_numbers(labels, classes, where):
    """(N,) positions of the labels in `classes`, found in blocks: as int64 they would be as large as a window."""
    numbers = np.empty(len(labels), np.min_scalar_type(len(classes) - 1))
    for start in range(0, len(labels), _LABELS_AT_A_TIME):
        block = labels[start : start + _LABELS_AT_A_TIME]
        name = where if len(block) == len(labels) else f"{where}[{start}:{start + len(block)}]"
        numbers[start : start + len(block)] = class_numbers(block, classes, name)
    return numbers
