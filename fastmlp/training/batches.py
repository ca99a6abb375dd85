"""Where a training set comes from: memory, or a file that is read a window at a time.

Both kinds give an epoch as spans (X, y, weights, order): inputs in the form the first layer reads, what their outputs
are compared with, how much each row counts (empty when all count the same), and the order in which to visit the rows.
What is in memory is one span. All spans but the last are whole batches, so that the steps are those of one order over
all rows.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.config.losses import Loss
from fastmlp.config.sample_weights import of_classes
from fastmlp.errors import InputError
from fastmlp.kernels.sparse_rows import Sparse, part
from fastmlp.training.first_layer import compact
from fastmlp.training.parameters import epoch_order
from fastmlp.utils.arrays import class_numbers
from fastmlp.utils.digests import digest_of_arrays
from fastmlp.utils.validation import LEAST

if TYPE_CHECKING:
    from fastmlp.data.streaming.stream import Stream
    from fastmlp.mlp import MLP

_SAMPLED_ROWS = 512  # as `fastmlp.kernels.compress.measure_density` takes
_LABELS_AT_A_TIME = 1 << 20

Span = tuple[np.ndarray | Sparse, np.ndarray, np.ndarray, np.ndarray]
Part = tuple[np.ndarray | Sparse, np.ndarray, np.ndarray]
ALL_ALIKE = np.empty(0)


class InMemory:
    """Checked inputs X (N, D), an array or `Sparse` rows, for a network of `dtype`.

    y  what the kernels compare with;  weights: (N,) or empty
    """

    def __init__(
        self,
        X: np.ndarray | Sparse,
        y: np.ndarray,
        weights: np.ndarray = ALL_ALIKE,
        density: float = 1.0,
        dtype: str = "float32",
    ):
        self.X, self.y, self.weights, self.shape, self.density = X, y, _near_one(weights, dtype), X.shape, density
        self.first_layer = "sparse" if isinstance(X, Sparse) else "dense"
        self.total_weight = float(self.weights.sum()) if len(weights) else float(len(y))

    def spans(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[Span]:
        """The one span of an epoch, all rows."""
        yield self.X, self.y, self.weights, epoch_order(self.shape[0], seed, epoch, shuffle)

    def parts(self) -> Iterator[Part]:
        """(X, y, weights) of all rows, for a pass without training."""
        yield self.X, self.y, self.weights

    def head(self, rows: int) -> np.ndarray | Sparse:
        """The first rows of X."""
        return part(self.X, 0, rows)

    def prior_loss(self, objective: Loss) -> float:
        """The loss of who knows nothing of the targets but how frequent each is, as much as the samples weigh."""
        return objective.prior_loss(self.y, self.weights)

    def digest(self) -> str:
        """What tells this training set from all others."""
        return digest_of_arrays([*arrays_of(self.X), self.y, self.weights], repr(self.shape))

    def sample(self, rows: int) -> Part:
        """(X, y, weights) of at most so many rows, evenly spread."""
        picked = np.linspace(0, self.shape[0] - 1, min(rows, self.shape[0])).astype(np.int64)
        return _rows(self.X, picked), self.y[picked], self.weights[picked] if len(self.weights) else ALL_ALIKE


def _rows(X, picked):
    """The rows of X at integer positions, copied."""
    if not isinstance(X, Sparse):
        return X[picked]
    from fastmlp.data.csr import CSR

    rows = CSR(X.indptr, X.indices, X.values, X.shape)[picked]
    return Sparse(rows.indptr, rows.indices, rows.data, X.features)


def _near_one(weights, dtype):
    """Weights over the power of two that leaves the largest from 1 to below 2: no bit of a result depends on it.

    What they are multiplied by, and what their sums divide, then fits the floats of a network of `dtype`. Those that
    are too small for them are 0: a gradient divided by a batch's sum of such would be nan.
    """
    if not len(weights):
        return weights
    scaled = np.ldexp(weights, 1 - np.frexp(weights.max())[1])
    return np.where(scaled < LEAST[dtype], 0.0, scaled)


def arrays_of(X: np.ndarray | Sparse) -> list[np.ndarray]:
    """The arrays that inputs are made of."""
    return [X.indptr, X.indices, X.values] if isinstance(X, Sparse) else [X]


def is_stream(X: object) -> bool:
    """Whether X is a `Stream`, without importing what reads files."""
    return hasattr(type(X), "in_order")  # its type: a table may have a column of that name


def check_streamed(mlp: "MLP", stream: "Stream", y: object, sample_weight: object) -> None:
    """Raise InputError for what cannot go with a stream."""
    for name, given in (("y", y), ("sample_weight", sample_weight)):
        if given is not None:
            raise InputError(f"{name} was given with a stream, {stream.path}, which has its own labels; leave it out")
    mlp.config.check_streamed()


class Streamed:
    """The rows of a `Stream` for a network of `dtype` that tells `classes` (C,) apart.

    first_layer  as for `compact`; "auto" is decided once, on a sample of the rows
    threads      compress a window between two spans
    class_weight  the setting of `MLP`
    shape (N, D); y (N,) class numbers of the smallest unsigned type; density, the share of entries that are not zero;
    first_layer "sparse" or "dense". Raises InputError for a label that is none of `classes`, or while reading.
    """

    def __init__(
        self,
        stream: "Stream",
        classes: np.ndarray,
        dtype: str = "float32",
        first_layer: str = "auto",
        threads: int = 1,
        class_weight: str | dict | None = None,
    ):
        self._stream, self._dtype, self._threads = stream, dtype, threads
        self._spare: list = []
        self.shape = stream.shape
        self.y = _class_numbers(stream.labels, classes, f"{stream.path}: ydata")
        self._class_weights = _near_one(of_classes(class_weight, self.y, classes), dtype)
        self.weights = ALL_ALIKE  # of the rows as a whole, which no objective that a stream has needs
        sample, self.density = compact(stream.sample(_SAMPLED_ROWS), dtype, first_layer)
        self.first_layer = "sparse" if isinstance(sample, Sparse) else "dense"

    def spans(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[Span]:
        """The spans of an epoch in the order of `Stream.epoch`; each is valid until the next is asked for."""
        for X, window in self._compressed(self._stream.epoch(seed, epoch, batch_size, shuffle)):
            y = self.y[window.rows].astype(np.int64)
            yield X, y, self._weights(y), window.order

    def parts(self) -> Iterator[Part]:
        """(X, y, weights) of all rows in the order of the file, each valid until the next is asked for."""
        for X, window in self._compressed(self._stream.in_order()):
            y = self.y[window.rows].astype(np.int64)
            yield X, y, self._weights(y)

    @property
    def total_weight(self) -> float:
        """What all rows count together."""
        if not len(self._class_weights):
            return float(self.shape[0])
        return float(self._class_weights @ np.bincount(self.y, minlength=len(self._class_weights)))

    def _weights(self, y):
        return self._class_weights[y] if len(self._class_weights) else ALL_ALIKE

    def head(self, rows: int) -> np.ndarray | Sparse:
        """The first rows of X."""
        return compact(self._stream.head(rows), self._dtype, self.first_layer)[0]

    def prior_loss(self, objective: Loss) -> float:
        """The loss of who knows nothing of the labels but how frequent each is, as much as the rows weigh."""
        counts = np.bincount(self.y)
        weights = counts * self._class_weights[: len(counts)] if len(self._class_weights) else counts
        return objective.prior_loss(np.arange(len(counts)), weights)

    def digest(self) -> str:
        """What tells this training set from all others, its order included.

        Of the file, its name, size and time of change alone.
        """
        stream = self._stream
        order = f"{stream.most_rows} {stream.block_rows}"
        return digest_of_arrays([self.y, self._class_weights], f"{stream.path.absolute()} {stream.stamp} {order}")

    def sample(self, rows: int) -> Part:
        """(X, y, weights) of about so many rows, from places spread over the file."""
        y = self.y[self._stream.sampled_rows(rows)].astype(np.int64)
        return compact(self._stream.sample(rows), self._dtype, self.first_layer)[0], y, self._weights(y)

    def _compressed(self, windows):
        """The windows with their inputs in the form of the first layer."""
        if self.first_layer == "dense":
            yield from windows
            return
        from fastmlp.kernels.compress import EntryBuffer, compress

        buffer = self._spare.pop() if self._spare else EntryBuffer()  # another pass may be under way, with its own
        for X, window in windows:
            yield compress(X, self._dtype, self._threads, buffer), window
        self._spare.append(buffer)


def _class_numbers(labels, classes, where):
    """(N,) positions of the labels in `classes`, found in blocks: as int64 they would be as large as a window."""
    numbers = np.empty(len(labels), np.min_scalar_type(len(classes) - 1))
    for start in range(0, len(labels), _LABELS_AT_A_TIME):
        block = labels[start : start + _LABELS_AT_A_TIME]
        name = where if len(block) == len(labels) else f"{where}[{start}:{start + len(block)}]"
        numbers[start : start + len(block)] = class_numbers(block, classes, name)
    return numbers
