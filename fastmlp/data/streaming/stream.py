"""Rows of an HDF5 file that is larger than memory, read a window at a time."""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import BYTES_AT_A_TIME, check_finite, with_text
from fastmlp.data.readers.hdf5 import find_arrays, reported_damage
from fastmlp.data.readers.registry import find_reader
from fastmlp.data.streaming.block_shuffle import Window, even_rows, in_file_order, shuffled
from fastmlp.data.streaming.row_reader import open_rows
from fastmlp.errors import InputError
from fastmlp.utils.labels import Labels, check_labels
from fastmlp.utils.paths import user_path
from fastmlp.utils.validation import whole

if TYPE_CHECKING:
    import h5py

Inputs = NDArray[np.uint8 | np.float32]
Piece = tuple[int, int, int]  # first row in the file, begin and end in the buffer

WINDOW_BYTES = 128 << 20  # two of them and a compressed copy are some 350 MB
# The smallest blocks that a fast disk reads at nearly its full rate when several threads ask for them.
BLOCK_BYTES = 128 << 10
# Of a window, below which a file that is sorted by class hardly mixes; see `block_shuffle`.
FEWEST_BLOCKS = 16
_SAMPLED_PLACES = 32
_PARTS_OF_A_READER = 2  # of a window: more would divide it more evenly, but each takes time to hand to a thread


class _Pending(NamedTuple):
    """A window that threads are reading."""

    X: Inputs
    window: Window
    parts: "list[Future[None]]"


class Stream:
    """Rows of an HDF5 file, of which two windows are in memory at a time; for `MLP.fit` in place of X and y.

    It is closed by `close`, or at the end of a `with` block.

    Parameters
    ----------
    path : str or path-like
        HDF5 file as for `load`: `xdata` (N, D) uint8 pixels or floats, `ydata` (N,) whole numbers or (N, C) one-hot.
        Arrays that are neither chunked nor compressed are read fastest.
    window_bytes : int, default=128 MiB
        Most bytes that a window may have; one window is read while another one is used.
    block_bytes : int, default=128 KiB
        Bytes of the blocks that a shuffle leaves together, see `fastmlp.data.streaming.block_shuffle`; or a chunk.

    Attributes
    ----------
    path : Path
        Absolute path of the file.
    shape : (int, int)
        Rows N and columns D.
    dtype : dtype
        Of the windows: uint8, or float32 for floats of any kind, as `load` reads them.
    labels : ndarray of shape (N,)
        Of the smallest type that represents them; only the labels are in memory as a whole.
    one_hot_columns : int or None
        C where `ydata` is one-hot.
    most_rows : int
        Most rows of a window.
    block_rows : int
        Rows in a block.
    stamp : (int, int, int)
        Changes with the file's content: its inode, its bytes and its time of change in ns.

    Raises
    ------
    InputError
        If the file, its arrays or a number of bytes cannot be used.
    InputTypeError
        If a number of bytes is not whole.

    Examples
    --------
    >>> with Stream("large.hdf5") as stream:  # doctest: +SKIP
    ...     mlp.fit(stream)
    """

    def __init__(self, path: str | os.PathLike[str], window_bytes: int = WINDOW_BYTES, block_bytes: int = BLOCK_BYTES):
        import h5py

        window_bytes = whole("window_bytes", window_bytes, 1, "leave it out for 128 MiB")
        block_bytes = whole("block_bytes", block_bytes, 1, "leave it out for 128 KiB")
        self.path = user_path(path).absolute()  # the process may change its folder
        if (found := find_reader(self.path)).name != "HDF5":
            raise InputError(
                f"{self.path} is {found.name}; expected HDF5, which can be read in parts: `load` it instead"
            )
        self.stamp = _stamp(self.path)
        with reported_damage(self.path):
            file = h5py.File(self.path)
            try:
                x, y = find_arrays(self.path, file)
                _check_inputs(f"{self.path}: {x.name[1:]}", x)
                self.shape: tuple[int, int] = x.shape
                self.dtype = np.dtype(np.uint8 if x.dtype == np.uint8 else np.float32)
                self.labels, self.one_hot_columns = _labels(f"{self.path}: ydata", y, self.shape[0])
                self._rows = open_rows(self.path, file, x)
            except BaseException:
                file.close()
                raise
        row_bytes = self.shape[1] * self.dtype.itemsize
        self.most_rows = min(max(1, window_bytes // row_bytes), self.shape[0])
        chunk_rows = self._rows.chunk_rows
        self.block_rows = -(-min(max(1, block_bytes // row_bytes), self.shape[0]) // chunk_rows) * chunk_rows
        self._spare: list[Inputs] = []
        self._closed = False

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and free the memory of its windows."""
        self._closed = True
        self._rows.close()
        self._spare.clear()

    def epoch(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[tuple[Inputs, Window]]:
        """Read the windows of an epoch.

        With one window for all rows the order is that of `fastmlp.training.parameters.epoch_order`.

        Parameters
        ----------
        seed, epoch : int
            Seed of the order and number of the epoch. They, the shape, `window_bytes` and `block_rows` determine it.
        batch_size : int
            Rows of a batch: all windows but the last are whole batches.
        shuffle : bool
            False for the order of the file.

        Returns
        -------
        iterator of (X, window)
            X (W, D) has the rows of the file that `window.rows` lists. It is valid until the next one is asked for.

        Raises
        ------
        InputError
            If a batch, or `FEWEST_BLOCKS` blocks, are larger than a window; or while reading.
        """
        rows = self.shape[0]
        batch_size = min(batch_size, rows)
        if batch_size > self.most_rows:
            raise InputError(
                f"batch_size is {batch_size}, and a window of {self.path} has {self.most_rows} rows; expected no more "
                "than that: make it smaller, or open the file with more window_bytes"
            )
        window_rows = even_rows(rows, self.most_rows, batch_size)
        if not shuffle:
            return self._read_ahead(in_file_order(rows, self.block_rows, window_rows))
        if window_rows < rows and self.most_rows < FEWEST_BLOCKS * self.block_rows:
            raise InputError(
                f"{self.path}: a window has {self.most_rows} rows, and blocks of {self.block_rows} stay together; "
                f"expected {FEWEST_BLOCKS} blocks or more, for a shuffle that mixes: open it with more window_bytes, "
                "or store it in smaller chunks"
            )
        return self._read_ahead(shuffled(rows, self.block_rows, window_rows, seed, epoch))

    def in_order(self) -> Iterator[tuple[Inputs, Window]]:
        """Read all rows in the order of the file, in windows as large as possible.

        Returns
        -------
        iterator of (X, window)
            As for `epoch`.
        """
        whole_blocks = max(1, self.most_rows // self.block_rows) * self.block_rows
        return self._read_ahead(in_file_order(self.shape[0], self.block_rows, min(whole_blocks, self.most_rows)))

    def sample(self, rows: int) -> Inputs:
        """Read rows from places spread over the file.

        Parameters
        ----------
        rows : int
            About how many, at most all.

        Returns
        -------
        ndarray of shape (rows, D), uint8 or float32
            The rows that `sampled_rows` lists.
        """
        places, each = self._places(rows)
        return self._now(Window(places, np.full(len(places), each), np.arange(len(places) * each)))

    def sampled_rows(self, rows: int) -> NDArray[np.int64]:
        """List the rows of the file that `sample` reads.

        Parameters
        ----------
        rows : int
            As for `sample`.

        Returns
        -------
        ndarray of shape (rows,), int64
            Row numbers, ascending.
        """
        places, each = self._places(rows)
        return (places[:, None] + np.arange(each)).ravel()

    def _places(self, rows: int) -> tuple[NDArray[np.int64], int]:
        """Return the first row of each run of a sample, and the rows of a run."""
        each = max(1, min(rows, self.shape[0]) // _SAMPLED_PLACES)
        return np.unique(np.linspace(0, self.shape[0] - each, _SAMPLED_PLACES).astype(np.int64)), each

    def head(self, rows: int) -> Inputs:
        """Read the first rows, or all if there are fewer.

        Parameters
        ----------
        rows : int
            Number of rows.

        Returns
        -------
        ndarray of shape (rows, D), uint8 or float32
            The rows.
        """
        return self._now(next(in_file_order(self.shape[0], self.block_rows, rows)))

    def _read_ahead(self, windows: Iterable[Window]) -> Iterator[tuple[Inputs, Window]]:
        """Yield each window with its rows; other threads read the next one while the caller works on this one."""
        buffers = [self._spare.pop() if self._spare else self._buffer(self.most_rows) for _ in range(2)]
        stopped = threading.Event()
        with self._readers() as readers:
            try:
                pending: _Pending | None = None
                # Asking for a window releases the one before, whose buffer the one after it takes.
                for window, buffer in zip(windows, cycle(buffers), strict=False):
                    started = self._begin(readers, window, buffer, stopped)
                    if pending:
                        yield self._finish(pending)
                    pending = started
                if pending:
                    yield self._finish(pending)
            finally:
                stopped.set()
        self._spare += buffers

    def _buffer(self, rows: int) -> Inputs:
        return np.empty((rows, self.shape[1]), self.dtype)

    def _readers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._rows.readers, thread_name_prefix="fastmlp-read")

    def _begin(self, readers: ThreadPoolExecutor, window: Window, buffer: Inputs, stopped: threading.Event) -> _Pending:
        """Have threads read a window into a buffer, in parts that follow one another in the file."""
        ends = np.cumsum(window.counts)
        places = (window.starts, ends - window.counts, ends)
        pieces: list[Piece] = list(zip(*(numbers.tolist() for numbers in places), strict=True))
        each = -(-len(pieces) // (_PARTS_OF_A_READER * self._rows.readers))
        parts = [
            readers.submit(self._read, pieces[first : first + each], buffer, stopped)
            for first in range(0, len(pieces), each)
        ]
        return _Pending(buffer[: ends[-1]], window, parts)

    def _read(self, pieces: list[Piece], buffer: Inputs, stopped: threading.Event) -> None:
        """Read pieces of the file into a buffer, until `stopped` is set or the stream is closed."""
        with reported_damage(self.path), np.errstate(over="ignore"):  # float64 beyond float32 is reported as infinity
            for first, begin, end in pieces:
                if stopped.is_set() or self._closed:
                    break
                self._rows.read(first, buffer[begin:end])
                check_finite(buffer[begin:end], f"{self.path}: xdata", first)

    def _finish(self, pending: _Pending) -> tuple[Inputs, Window]:
        """Return (X, window) when all parts are there, or raise the error of the first part that has one."""
        errors = [part.exception() for part in pending.parts]
        # Before the errors, which a thread that was reading met because the file was closed.
        if self._closed:
            raise InputError(f"{self.path} is closed; expected an open stream: train in its `with` block")
        for error in filter(None, errors):
            raise error
        with reported_damage(self.path):
            stamp = _stamp(self.path)
        if stamp != self.stamp:
            raise InputError(
                f"{self.path} was changed since it was opened; expected it to stay as it was: train on a copy that "
                "nothing else writes to"
            )
        return pending.X, pending.window

    def _now(self, window: Window) -> Inputs:
        """Read the rows of a window into separate memory."""
        X = self._buffer(len(window.order))
        with self._readers() as readers:
            return self._finish(self._begin(readers, window, X, threading.Event()))[0]


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes with a file's content."""
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _check_inputs(where: str, x: "h5py.Dataset") -> None:
    """Raise InputError unless an array (N, D) can be read in windows."""
    if len(x.shape) != 2:
        raise InputError(f"{where} has shape {x.shape}; expected (N, D), a row per sample: reshape it")
    if 0 in x.shape:
        raise InputError(f"{where} has shape {x.shape}; expected one row and one column or more: fill it")
    if x.dtype != np.uint8 and x.dtype.kind != "f":
        raise InputError(f"{where} has dtype {x.dtype}; expected uint8 or floats: store it as uint8 or float32")


def _labels(where: str, y: "h5py.Dataset", rows: int) -> tuple[Labels, int | None]:
    """Read the labels (rows,) in blocks; return them and the number of one-hot columns or None. Raises InputError."""
    if y.shape[:1] != (rows,) or len(y.shape) > 2:
        raise InputError(
            f"{where} has shape {y.shape}; expected ({rows},) or ({rows}, classes): a label per row of xdata"
        )
    columns = y.shape[1] if len(y.shape) == 2 else 1
    at_a_time = max(1, BYTES_AT_A_TIME // (8 * max(1, columns)))
    blocks = []
    for start in range(0, rows, at_a_time):
        stop = min(rows, start + at_a_time)
        name = where if stop - start == rows else f"{where}[{start}:{stop}]"
        block, _ = check_labels(with_text(name, y[start:stop]), stop - start, name)
        if block.dtype == np.int64:
            block = block.astype(np.result_type(*map(np.min_scalar_type, (block.min(), block.max()))))
        blocks.append(block)
    return np.concatenate(blocks), columns if columns > 1 else None
