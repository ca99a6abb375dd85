"""Training sets, prepared for a network: in memory, or in a file that is read a window at a time.

An epoch is a sequence of chunks (X, y, weights, order): inputs in the form that the first layer reads, targets, weights
of the rows (empty when all are equal), and the order in which to visit the rows. Rows in memory are one chunk. All
chunks but the last are whole batches, so that the steps are those of one order over all rows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.config.losses import Loss
from fastmlp.config.network import NetworkConfig
from fastmlp.config.sample_weights import combine, of_classes
from fastmlp.errors import InputError, InputTypeError
from fastmlp.kernels.sparse_rows import Sparse, part
from fastmlp.training.first_layer import Inputs, compact, rows_at
from fastmlp.training.inference import EQUAL_WEIGHTS, check_width, thread_count
from fastmlp.training.parameters import epoch_order
from fastmlp.utils.arrays import all_classes, check_inputs, class_numbers
from fastmlp.utils.digests import digest_of_arrays
from fastmlp.utils.validation import LEAST

_SAMPLED_ROWS = 512  # as `fastmlp.kernels.compress.measure_density` takes
_LABELS_AT_A_TIME = 1 << 20

EvaluationChunk = tuple[Inputs, NDArray[Any], NDArray[np.float64]]
TrainingChunk = tuple[Inputs, NDArray[Any], NDArray[np.float64], NDArray[np.int64]]


class Window(Protocol):
    """Rows of a stream that are in memory: their numbers in the file, and the order in which to visit them."""

    @property
    def rows(self) -> NDArray[np.int64]: ...

    @property
    def order(self) -> NDArray[np.int64]: ...


class RowStream(Protocol):
    """Rows of a file that need not fit into memory, such as `fastmlp.data.Stream`."""

    path: Path
    shape: tuple[int, int]
    labels: NDArray[Any]
    one_hot_columns: int | None
    most_rows: int
    block_rows: int
    stamp: Any

    def epoch(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[tuple[NDArray[Any], Window]]: ...

    def in_order(self) -> Iterator[tuple[NDArray[Any], Window]]: ...

    def head(self, rows: int) -> NDArray[Any]: ...

    def sample(self, rows: int) -> NDArray[Any]: ...

    def sampled_rows(self, rows: int) -> NDArray[np.int64]: ...


class Batches(Protocol):
    """A training set that is ready for a network.

    Attributes
    ----------
    shape : tuple of int
        Rows, features.
    y : ndarray of shape (N,) or (N, C)
        Targets of all rows.
    weights : ndarray of shape (N,), float64
        Of the rows; empty when all are equal.
    density : float
        Share of inputs that are not zero.
    first_layer : str
        "sparse" or "dense".
    """

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def y(self) -> NDArray[Any]: ...

    @property
    def weights(self) -> NDArray[np.float64]: ...

    @property
    def density(self) -> float: ...

    @property
    def first_layer(self) -> str: ...

    @property
    def total_weight(self) -> float: ...

    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]: ...

    def evaluation_chunks(self) -> Iterator[EvaluationChunk]: ...

    def head(self, rows: int) -> Inputs: ...

    def sample(self, rows: int) -> EvaluationChunk: ...

    def prior_loss(self, loss_function: Loss) -> float: ...

    def digest(self) -> str: ...


class InMemory:
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
    """

    def __init__(
        self,
        X: Inputs,
        y: NDArray[Any],
        weights: NDArray[np.float64] = EQUAL_WEIGHTS,
        density: float = 1.0,
        dtype: str = "float32",
    ):
        self.X, self.y, self.weights, self.density = X, y, _near_one(weights, dtype), density
        self.shape: tuple[int, int] = X.shape
        self.first_layer = "sparse" if isinstance(X, Sparse) else "dense"
        self.total_weight = float(self.weights.sum()) if len(weights) else float(len(y))

    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]:
        """Yield the one chunk of an epoch, all rows."""
        yield self.X, self.y, self.weights, epoch_order(self.shape[0], seed, epoch, shuffle)

    def evaluation_chunks(self) -> Iterator[EvaluationChunk]:
        """Yield (X, y, weights) of all rows."""
        yield self.X, self.y, self.weights

    def head(self, rows: int) -> Inputs:
        """Return the first rows of X."""
        first: Inputs = part(self.X, 0, rows)
        return first

    def sample(self, rows: int) -> EvaluationChunk:
        """Return (X, y, weights) of at most so many rows, evenly spread."""
        picked = np.linspace(0, self.shape[0] - 1, min(rows, self.shape[0])).astype(np.int64)
        weights = self.weights[picked] if len(self.weights) else EQUAL_WEIGHTS
        return rows_at(self.X, picked), self.y[picked], weights

    def prior_loss(self, loss_function: Loss) -> float:
        """Return the loss of the constant predictor that outputs the mean targets, such as the class frequencies."""
        return float(loss_function.prior_loss(self.y, self.weights))

    def digest(self) -> str:
        """Return a digest that tells this training set from all others."""
        return digest_of_arrays([*arrays_of(self.X), self.y, self.weights], repr(self.shape))


class Streamed:
    """Rows of a stream.

    Parameters
    ----------
    stream : RowStream
        Rows and labels.
    classes : ndarray of shape (C,), int64
        Labels that the network tells apart.
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
        For a label that is none of `classes`, here or while reading.
    """

    weights = EQUAL_WEIGHTS  # of the rows as a whole, which no loss that a stream has needs

    def __init__(
        self,
        stream: RowStream,
        classes: NDArray[np.int64],
        dtype: str = "float32",
        first_layer: str = "auto",
        threads: int = 1,
        class_weight: str | dict[int, float] | None = None,
    ):
        self._stream, self._dtype, self._threads = stream, dtype, threads
        self._spare: list[Any] = []
        self.shape = stream.shape
        self.y = _class_numbers(stream.labels, classes, f"{stream.path}: ydata")
        self._class_weights = _near_one(of_classes(class_weight, self.y, classes), dtype)
        sample, self.density = compact(stream.sample(_SAMPLED_ROWS), dtype, first_layer)
        self.first_layer = "sparse" if isinstance(sample, Sparse) else "dense"

    @property
    def total_weight(self) -> float:
        """Sum of the weights of all rows."""
        if not len(self._class_weights):
            return float(self.shape[0])
        return float(self._class_weights @ np.bincount(self.y, minlength=len(self._class_weights)))

    def training_chunks(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[TrainingChunk]:
        """Yield the chunks of an epoch, one per window; each is valid until the next is asked for."""
        for X, window in self._compressed(self._stream.epoch(seed, epoch, batch_size, shuffle)):
            y = self.y[window.rows].astype(np.int64)
            yield X, y, self._weights(y), window.order

    def evaluation_chunks(self) -> Iterator[EvaluationChunk]:
        """Yield (X, y, weights) of all rows in the order of the file, each valid until the next is asked for."""
        for X, window in self._compressed(self._stream.in_order()):
            y = self.y[window.rows].astype(np.int64)
            yield X, y, self._weights(y)

    def head(self, rows: int) -> Inputs:
        """Return the first rows of X."""
        return compact(self._stream.head(rows), self._dtype, self.first_layer)[0]

    def sample(self, rows: int) -> EvaluationChunk:
        """Return (X, y, weights) of about so many rows, from places spread over the file."""
        y = self.y[self._stream.sampled_rows(rows)].astype(np.int64)
        return compact(self._stream.sample(rows), self._dtype, self.first_layer)[0], y, self._weights(y)

    def prior_loss(self, loss_function: Loss) -> float:
        """Return the loss of the constant predictor that outputs the class frequencies."""
        counts = np.bincount(self.y)
        weights = counts.astype(np.float64)
        if len(self._class_weights):
            weights *= self._class_weights[: len(counts)]
        return float(loss_function.prior_loss(np.arange(len(counts)), weights))

    def digest(self) -> str:
        """Return a digest that tells this training set and its order from all others.

        Of the file, its name, size and time of change alone.
        """
        stream = self._stream
        order = f"{stream.most_rows} {stream.block_rows}"
        return digest_of_arrays([self.y, self._class_weights], f"{stream.path.absolute()} {stream.stamp} {order}")

    def _weights(self, y: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._class_weights[y] if len(self._class_weights) else EQUAL_WEIGHTS

    def _compressed(self, windows: Iterable[tuple[NDArray[Any], Window]]) -> Iterator[tuple[Inputs, Window]]:
        """The windows with their inputs in the form of the first layer."""
        if self.first_layer == "dense":
            yield from windows
            return
        from fastmlp.kernels.compress import EntryBuffer, compress

        buffer = self._spare.pop() if self._spare else EntryBuffer()  # another pass may be under way, with its own
        for X, window in windows:
            yield compress(X, self._dtype, self._threads, buffer), window
        self._spare.append(buffer)


# ------------------------------------------------------------------------------------------------------ preparation


@dataclass(frozen=True)
class PreparedData:
    """Data that were checked and converted once, for every network with the same `preparation_key`.

    Attributes
    ----------
    batches : Batches
        The training set.
    validation : tuple of two arrays, or None
        Inputs and targets of the validation set.
    classes : ndarray of shape (C,), int64
        Labels that the outputs stand for, or numbers of the columns.
    key : tuple
        What a network must have in common with the one that they were prepared for.
    """

    batches: Batches
    validation: tuple[Inputs, NDArray[Any]] | None
    classes: NDArray[np.int64]
    key: tuple[object, ...]

    def arrays(self) -> list[object]:
        """Return the arrays in memory."""
        held = [] if self.validation is None else list(self.validation)
        return [getattr(self.batches, "X", None), self.batches.y, *held]

    def check_use(self, config: NetworkConfig) -> None:
        """Raise InputError where the data were prepared for a network that reads them otherwise."""
        if self.key != preparation_key(config):
            names = ("engine", "dtype", "first_layer", "loss", "class_weight")
            pairs = zip(names, self.key, preparation_key(config), strict=True)
            name, found, wanted = next(pair for pair in pairs if pair[1] != pair[2])
            raise InputError(
                f"the data were prepared for {name} {found!r} and this network has {wanted!r}; prepare them with its "
                "own config"
            )


def preparation_key(config: NetworkConfig) -> tuple[object, ...]:
    """Return what the preparation of data depends on: engine, dtype, form of the first layer, loss, class weights."""
    return config.engine, config.dtype, config.form, config.loss, config.class_weight


def prepare_inputs(config: NetworkConfig, X: ArrayLike) -> Inputs:
    """Return checked inputs in the form that a network trains on fastest; `prepare` takes them without a copy."""
    return compact(check_inputs(X, config.dtype), config.dtype, config.form)[0]


def prepare(
    config: NetworkConfig,
    X: ArrayLike | RowStream,
    y: ArrayLike | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    classes: Iterable[int] | None = None,
    sample_weight: ArrayLike | None = None,
) -> PreparedData:
    """Check data and convert them to the form that trains fastest.

    Parameters
    ----------
    config : NetworkConfig
        Settings of the networks that are to be trained.
    X : array_like of shape (N, D), sparse matrix, or RowStream
        Inputs: uint8 pixels (read as value / 255) or floats.
    y : array_like of shape (N,) or (N, C)
        Labels or targets; None for a stream, which has its own.
    validation : tuple of two arrays, optional
        Inputs and labels of the validation set.
    classes : iterable of int, optional
        All labels there are; None takes those in y.
    sample_weight : array_like of shape (N,), optional
        Weights of the rows, from 0.

    Returns
    -------
    PreparedData
        What `MLP.fit` takes as it is.

    Raises
    ------
    InputError, InputTypeError
        For data that cannot be used.
    """
    form, class_weight = config.form, config.plain("class_weight")
    labels: Any = y
    wanted: Any = classes
    batches: Batches
    if is_stream(X):
        stream: Any = X
        _check_streamed(config, stream, y, sample_weight)
        known = all_classes(stream.labels, stream.one_hot_columns, wanted)
        held_out = _check_validation(config, validation, stream.shape[1], known)
        batches = Streamed(stream, known, config.dtype, form, thread_count(config), class_weight)
    else:
        X = check_inputs(X, config.dtype)
        targets, known = config.loss_function.prepare(labels, X.shape[0], wanted, config.dtype)
        weights = combine(class_weight, sample_weight, targets, known)
        held_out = _check_validation(config, validation, X.shape[1], known)
        X, density = compact(X, config.dtype, form) if config.engine == "numba" else (X, 1.0)
        batches = InMemory(X, targets, weights, density, config.dtype)
    if held_out is not None and config.engine == "numba":
        held_out = compact(held_out[0], config.dtype, batches.first_layer)[0], held_out[1]
    return PreparedData(batches, held_out, known, preparation_key(config))


def is_stream(X: object) -> bool:
    """Return whether X is a stream of rows."""
    return hasattr(type(X), "in_order")  # its type: a table may have a column of that name


def arrays_of(X: Inputs) -> list[NDArray[Any]]:
    """Return the arrays that inputs are made of."""
    return [X.indptr, X.indices, X.values] if isinstance(X, Sparse) else [X]


def _check_streamed(config: NetworkConfig, stream: RowStream, y: object, sample_weight: object) -> None:
    for name, given in (("y", y), ("sample_weight", sample_weight)):
        if given is not None:
            raise InputError(f"{name} was given with a stream, {stream.path}, which has its own labels; leave it out")
    config.check_streamed()


def _check_validation(
    config: NetworkConfig, validation: object, features: int, classes: NDArray[np.int64]
) -> tuple[Inputs, NDArray[Any]] | None:
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputTypeError("validation is no pair; expected (X, y)")
    X, y = validation
    X = check_width(check_inputs(X, config.dtype, "validation X"), features, "validation X")
    return X, config.loss_function.compare(y, X.shape[0], classes, config.dtype, "validation y")


def _near_one(weights: NDArray[np.float64], dtype: str) -> NDArray[np.float64]:
    """Weights over the power of two that leaves the largest from 1 to below 2: no bit of a result depends on it.

    What they are multiplied by, and what their sums divide, then fits the floats of a network of `dtype`. Those that
    are too small for them are 0: a gradient divided by a batch's sum of such would be nan.
    """
    if not len(weights):
        return weights
    scaled = np.ldexp(weights, 1 - np.frexp(weights.max())[1])
    return np.where(scaled < LEAST[dtype], 0.0, scaled)


def _class_numbers(labels: NDArray[Any], classes: NDArray[np.int64], where: str) -> NDArray[Any]:
    """(N,) positions of the labels in `classes`, found in blocks: as int64 they would be as large as a window."""
    numbers = np.empty(len(labels), np.min_scalar_type(len(classes) - 1))
    for start in range(0, len(labels), _LABELS_AT_A_TIME):
        block = labels[start : start + _LABELS_AT_A_TIME]
        name = where if len(block) == len(labels) else f"{where}[{start}:{start + len(block)}]"
        numbers[start : start + len(block)] = class_numbers(block, classes, name)
    return numbers
