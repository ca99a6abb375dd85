"""Batches of a training set: in memory, or in a file that is read a window at a time.

An epoch is a sequence of chunks (X, y, weights, order): inputs in the form that the first layer reads, targets, weights
of the rows (empty when all are equal), and the order in which to visit the rows. Rows in memory are one chunk. All
chunks but the last are whole batches, so that the steps are those of one order over all rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp.config.loss_base import Loss
from fastmlp.config.sample_weights import near_one, of_classes
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.kernels.sparse_rows import Sparse, part
from fastmlp.training.first_layer import Inputs, compact, rows_at
from fastmlp.training.inference import EQUAL_WEIGHTS
from fastmlp.training.parameters import epoch_order
from fastmlp.utils.digests import digest_of_arrays
from fastmlp.utils.labels import class_numbers

_SAMPLED_ROWS = 512  # as `fastmlp.kernels.compress.measure_density` takes
_LABELS_AT_A_TIME = 1 << 20
_ENCODED_BYTES = 16 << 20  # of a window, that are scaled at a time: as floats it may be four times as large

EvaluationChunk = tuple[Inputs, NDArray[Any], NDArray[np.float64]]
_Piece = tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]  # X, numbers of its rows, order of the visits
TrainingChunk = tuple[Inputs, NDArray[Any], NDArray[np.float64], NDArray[np.int64]]


class Window(Protocol):
    """Rows of a stream that are in memory: their numbers in the file, and the order in which to visit them."""

    @property
    def rows(self) -> NDArray[np.int64]: ...

    @property
    def order(self) -> NDArray[np.int64]: ...


class RowStream(Protocol):
    """Rows of a file that need not fit into memory, such as `fastmlp.data.Stream`.

    Attributes
    ----------
    path : Path
        Of the file.
    shape : tuple of int
        Rows, features.
    labels : ndarray of shape (N,)
        Of all rows.
    one_hot_columns : int or None
        Number of columns, where the file has one-hot labels.
    most_rows, block_rows : int
        Most rows of a window, rows of the blocks that a shuffle leaves together.
    stamp : object
        What changes with the content of the file.
    """

    path: Path
    shape: tuple[int, int]
    labels: NDArray[Any]
    one_hot_columns: int | None
    most_rows: int
    block_rows: int
    stamp: Any

    def epoch(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[tuple[NDArray[Any], Window]]:
        """Yield the windows of an epoch.

        Parameters
        ----------
        seed : int
            Of the network.
        epoch : int
            Its number, from 1.
        batch_size : int
            Rows of a step.
        shuffle : bool
            Whether rows come in a random order.
        """

    def in_order(self) -> Iterator[tuple[NDArray[Any], Window]]:
        """Yield windows of all rows in the order of the file."""

    def head(self, rows: int) -> NDArray[Any]:
        """Return the first rows.

        Parameters
        ----------
        rows : int
            How many.
        """

    def sample(self, rows: int) -> NDArray[Any]:
        """Return rows from places spread over the file.

        Parameters
        ----------
        rows : int
            How many.
        """

    def sampled_rows(self, rows: int) -> NDArray[np.int64]:
        """Return the numbers of the rows that `sample` returns.

        Parameters
        ----------
        rows : int
            How many.
        """


class Batches(ABC):
    """A training set that is ready for a network.

    Attributes
    ----------
    shape : tuple of int
        Rows, features.
    y : ndarray of shape (N,) or (N, C)
        Targets of all rows.
    weights : ndarray of shape (N,), float64
        Of the rows; empty when all are equal.
    total_weight : float
        Sum of the weights of all rows.
    density : float
        Share of inputs that are not zero.
    first_layer : str
        "sparse" or "dense".
    """

    shape: tuple[int, int]
    y: NDArray[Any]
    weights: NDArray[np.float64]
    total_weight: float
    density: float
    first_layer: str

    @abstractmethod
    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]:
        """Yield the chunks of an epoch; each is valid until the next is asked for.

        An epoch of one batch visits its rows in their own order.

        Parameters
        ----------
        seed, epoch, batch_size, shuffle
            As for `RowStream.epoch`.
        """

    @abstractmethod
    def evaluation_chunks(self) -> Iterator[EvaluationChunk]:
        """Yield (X, y, weights) of all rows in their order; each is valid until the next is asked for."""

    @abstractmethod
    def head(self, rows: int) -> Inputs:
        """Return the first rows of X.

        Parameters
        ----------
        rows : int
            How many.
        """

    @abstractmethod
    def sample(self, rows: int) -> EvaluationChunk:
        """Return (X, y, weights) of about so many rows, evenly spread.

        Parameters
        ----------
        rows : int
            How many.
        """

    @abstractmethod
    def prior_loss(self, loss_function: Loss) -> float:
        """Return the loss of the constant predictor that outputs the mean targets, such as the class frequencies.

        Parameters
        ----------
        loss_function : Loss
            What is measured.
        """

    @abstractmethod
    def digest(self) -> str:
        """Return a digest that distinguishes this training set from all others."""


class InMemory(Batches):
    """Rows in memory.

    Parameters
    ----------
    X : ndarray of shape (N, D), or Sparse
        Checked inputs.
    y : ndarray of shape (N,) or (N, C)
        Targets, as the loss's kernel compares with them.
    weights : ndarray of shape (N,), float64
        Of the rows; empty when all are equal.
    density : float
        Share of inputs that are not zero.
    dtype : str
        The network's.

    Attributes
    ----------
    is_repeatable : bool
        Whether every epoch is one chunk, in the order of `epoch_order`.
    """

    is_repeatable: ClassVar[bool] = True

    def __init__(
        self,
        X: Inputs,
        y: NDArray[Any],
        weights: NDArray[np.float64] = EQUAL_WEIGHTS,
        density: float = 1.0,
        dtype: str = "float32",
    ):
        self.X, self.y, self.weights, self.density = X, y, near_one(weights, dtype), density
        self.shape = X.shape
        self.first_layer = "sparse" if isinstance(X, Sparse) else "dense"
        self.total_weight = float(self.weights.sum()) if len(weights) else float(len(y))

    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]:
        rows = self.shape[0]
        yield self.X, self.y, self.weights, epoch_order(rows, seed, epoch, shuffle and batch_size < rows)

    def evaluation_chunks(self) -> Iterator[EvaluationChunk]:
        yield self.X, self.y, self.weights

    def head(self, rows: int) -> Inputs:
        first: Inputs = part(self.X, 0, rows)
        return first

    def sample(self, rows: int) -> EvaluationChunk:
        picked = np.linspace(0, self.shape[0] - 1, min(rows, self.shape[0])).astype(np.int64)
        weights = self.weights[picked] if len(self.weights) else EQUAL_WEIGHTS
        return rows_at(self.X, picked), self.y[picked], weights

    def prior_loss(self, loss_function: Loss) -> float:
        return float(loss_function.prior_loss(self.y, self.weights))

    def digest(self) -> str:
        return digest_of_arrays([*arrays_of(self.X), self.y, self.weights], repr(self.shape))


class Streamed(Batches):
    """Rows of a stream.

    Parameters
    ----------
    stream : RowStream
        Rows and labels.
    classes : ndarray of shape (C,)
        Labels that the network distinguishes.
    encoder : InputEncoder
        What the inputs mean.
    dtype : str
        The network's.
    first_layer : str
        As for `compact`; "auto" is decided once, on a sample of the rows.
    threads : int
        Threads that compress a window between two chunks.
    class_weight : str, dict or None
        The setting.

    Raises
    ------
    InputError
        For a label that is not in `classes`, here or while reading.
    """

    weights = EQUAL_WEIGHTS  # of the rows as a whole, which no loss that a stream has needs

    def __init__(
        self,
        stream: RowStream,
        classes: NDArray[Any],
        encoder: InputEncoder,
        dtype: str = "float32",
        first_layer: str = "auto",
        threads: int = 1,
        class_weight: str | dict[Any, float] | None = None,
    ):
        self._stream, self._encoder, self._dtype, self._threads = stream, encoder, dtype, threads
        self._spare: list[Any] = []
        self.shape = stream.shape
        self.y = _class_numbers(stream.labels, classes, f"{stream.path}: ydata")
        self._class_weights = near_one(of_classes(class_weight, self.y, classes), dtype)
        counts = np.bincount(self.y, minlength=len(classes))
        self.total_weight = float((self._class_weights * counts).sum() if len(self._class_weights) else self.shape[0])
        sample, self.density = compact(self._encoded(stream.sample(_SAMPLED_ROWS)), dtype, first_layer)
        self.first_layer = "sparse" if isinstance(sample, Sparse) else "dense"

    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]:
        windows = self._stream.epoch(seed, epoch, batch_size, shuffle and batch_size < self.shape[0])
        for X, rows, order in self._compressed(self._pieces(windows, batch_size)):
            y = self.y[rows].astype(np.int64)
            yield X, y, self._weights(y), order

    def evaluation_chunks(self) -> Iterator[EvaluationChunk]:
        for X, rows, _ in self._compressed(self._pieces(self._stream.in_order(), 1)):
            y = self.y[rows].astype(np.int64)
            yield X, y, self._weights(y)

    def head(self, rows: int) -> Inputs:
        return compact(self._encoded(self._stream.head(rows)), self._dtype, self.first_layer)[0]

    def sample(self, rows: int) -> EvaluationChunk:
        y = self.y[self._stream.sampled_rows(rows)].astype(np.int64)
        return compact(self._encoded(self._stream.sample(rows)), self._dtype, self.first_layer)[0], y, self._weights(y)

    def prior_loss(self, loss_function: Loss) -> float:
        counts = np.bincount(self.y)
        weights = counts.astype(np.float64)
        if len(self._class_weights):
            weights *= self._class_weights[: len(counts)]
        return float(loss_function.prior_loss(np.arange(len(counts)), weights))

    def digest(self) -> str:
        """Return a digest of this training set and its order; of a file, of its name and stamp."""
        stream = self._stream
        order = f"{stream.most_rows} {stream.block_rows}"
        return digest_of_arrays([self.y, self._class_weights], f"{stream.path.absolute()} {stream.stamp} {order}")

    def _weights(self, y: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._class_weights[y] if len(self._class_weights) else EQUAL_WEIGHTS

    def _encoded(self, X: NDArray[Any]) -> NDArray[Any]:
        encoded: NDArray[Any] = self._encoder.encode(X, self._dtype, str(self._stream.path))
        return encoded

    def _pieces(self, windows: Iterable[tuple[NDArray[Any], Window]], batch_size: int) -> Iterator[_Piece]:
        """The windows as the kernels read them: whole where no number changes, in whole batches where they do."""
        step = max(1, _ENCODED_BYTES // (8 * self.shape[1] * batch_size)) * batch_size
        for X, window in windows:
            rows, order = window.rows, window.order
            if self._encoder.keeps(X.dtype):
                yield X, rows, order
                continue
            for first in range(0, len(order), step):
                taken = order[first : first + step]
                yield self._encoded(X[taken]), rows[taken], np.arange(len(taken))

    def _compressed(self, pieces: Iterable[_Piece]) -> Iterator[tuple[Inputs, NDArray[np.int64], NDArray[np.int64]]]:
        """The pieces with their inputs in the form of the first layer."""
        if self.first_layer == "dense":
            yield from pieces
            return
        from fastmlp.kernels.compress import EntryBuffer, compress

        buffer = self._spare.pop() if self._spare else EntryBuffer()  # another pass may be under way, with its own
        for X, rows, order in pieces:
            yield compress(X, self._dtype, self._threads, buffer), rows, order
        self._spare.append(buffer)


def arrays_of(X: Inputs) -> list[NDArray[Any]]:
    """Return the arrays that inputs are made of.

    Parameters
    ----------
    X : ndarray or Sparse
        Inputs.
    """
    return [X.indptr, X.indices, X.values] if isinstance(X, Sparse) else [X]


def _class_numbers(labels: NDArray[Any], classes: NDArray[Any], where: str) -> NDArray[Any]:
    """(N,) positions of the labels in `classes`, found in blocks: as int64 they would be as large as a window."""
    numbers = np.empty(len(labels), np.min_scalar_type(len(classes) - 1))
    for start in range(0, len(labels), _LABELS_AT_A_TIME):
        block = labels[start : start + _LABELS_AT_A_TIME]
        name = where if len(block) == len(labels) else f"{where}[{start}:{start + len(block)}]"
        numbers[start : start + len(block)] = class_numbers(block, classes, name)
    return numbers
