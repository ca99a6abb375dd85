"""Rows of an HDF5 file that is larger than memory, read a window at a time."""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastmlp.data.checks import BYTES_AT_A_TIME, check_finite, read_labels, user_path
from fastmlp.data.readers.hdf5 import find_arrays, reported_damage
from fastmlp.data.readers.registry import find_reader
from fastmlp.data.streaming.block_shuffle import Window, even_rows, in_file_order, shuffled
from fastmlp.data.streaming.row_reader import open_rows
from fastmlp.errors import InputError
from fastmlp.utils.validation import whole

if TYPE_CHECKING:
    import h5py

WINDOW_BYTES = 128 << 20  # two of them and a compressed copy are some 350 MB
# The smallest blocks that a fast disk reads at nearly its full rate when several threads ask for them.
BLOCK_BYTES = 128 << 10
# Of a window, below which a file that is sorted by class hardly mixes; see `blockshuffle`.
FEWEST_BLOCKS = 16
_SAMPLED_PLACES = 32
_PARTS_OF_A_READER = 2  # of a window: more would share it more evenly, and each has to be handed to a thread


class _Coming(NamedTuple):
    """A window that threads read."""

    X: np.ndarray
    window: Window
    parts: list[Future]


class Stream:
    """`xdata` (N, D) and `ydata` of an HDF5 file, of which two windows of rows are in memory at a time.

    path          as for `load`: xdata uint8 pixels or floats, ydata (N,) integers from 0 or (N, C) one-hot. Arrays that
                  are neither chunked nor compressed are read fastest
    window_bytes  most that a window may take in memory; one is read while another is used
    block_bytes   size of the blocks that a shuffle leaves together, see `fastmlp.data.streaming.block_shuffle`; a chunk or more

    shape           (N, D)
    dtype           of the windows: uint8, or float32 for any floats, as `load` reads them
    labels          (N,) of the smallest unsigned type that holds them; they alone are in memory as a whole
    one_hot_columns C where ydata is one-hot, else None
    most_rows       rows that a window may have
    block_rows      rows in a block
    stamp           what changes with the file's content: its number, size and time of change

    To be used in a `with` block, or closed. Raises InputError when the file, its arrays or a number of bytes cannot be
    used, InputTypeError for a number of bytes that is not whole.
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
                _check_inputs(f"{self.path}: xdata", x)
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
        self._spare: list[np.ndarray] = []
        self._closed = False

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and let go of the memory for its windows."""
        self._closed = True
        self._rows.close()
        self._spare.clear()

    def epoch(self, seed: int, epoch: int, batch_size: int, shuffle: bool) -> Iterator[tuple[np.ndarray, Window]]:
        """The windows of an epoch: (X, window), where X (W, D) holds the rows of the file that `window.rows` names.

        X is valid until the next is asked for. All windows but the last are whole batches. The order depends on the
        arguments, the shape, `window_bytes` and `block_rows` alone; with one window for all rows it is `epoch_order`.
        Raises InputError when a batch, or FEWEST_BLOCKS blocks, are more than a window; or while reading.
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

    def in_order(self) -> Iterator[tuple[np.ndarray, Window]]:
        """All rows in the order of the file, in windows as large as may be; X is valid until the next is asked for."""
        whole_blocks = max(1, self.most_rows // self.block_rows) * self.block_rows
        return self._read_ahead(in_file_order(self.shape[0], self.block_rows, min(whole_blocks, self.most_rows)))

    def sample(self, rows: int) -> np.ndarray:
        """About `rows` rows (at most all), from places spread over the file."""
        places, each = self._places(rows)
        return self._now(Window(places, np.full(len(places), each), np.arange(len(places) * each)))

    def sampled_rows(self, rows: int) -> np.ndarray:
        """The numbers of the rows that `sample` returns."""
        places, each = self._places(rows)
        return (places[:, None] + np.arange(each)).ravel()

    def _places(self, rows):
        """Where the runs of a sample begin, and the rows of each run."""
        each = max(1, min(rows, self.shape[0]) // _SAMPLED_PLACES)
        return np.unique(np.linspace(0, self.shape[0] - each, _SAMPLED_PLACES).astype(np.int64)), each

    def head(self, rows: int) -> np.ndarray:
        """The first `rows` rows, or all if there are fewer."""
        return self._now(next(in_file_order(self.shape[0], self.block_rows, rows)))

    def _read_ahead(self, plan: Iterable[Window]) -> Iterator[tuple[np.ndarray, Window]]:
        """Each window with its rows; other threads read the next one while the caller works on this one."""
        buffers = [self._spare.pop() if self._spare else self._buffer() for _ in range(2)]
        stopped = threading.Event()
        with self._readers() as readers:
            try:
                pending = None
                # To ask for a window is to release the one before, whose buffer the one after it takes.
                for window, buffer in zip(plan, cycle(buffers), strict=False):
                    coming = self._begin(readers, window, buffer, stopped)
                    if pending:
                        yield self._finish(pending)
                    pending = coming
                if pending:
                    yield self._finish(pending)
            finally:
                stopped.set()
        self._spare += buffers

    def _buffer(self):
        return np.empty((self.most_rows, self.shape[1]), self.dtype)

    def _readers(self):
        return ThreadPoolExecutor(self._rows.readers, thread_name_prefix="fastmlp-read")

    def _begin(self, readers, window, buffer, stopped):
        """Have threads read a window into a buffer, in parts that follow one another in the file."""
        ends = np.cumsum(window.counts)
        places = (window.starts, ends - window.counts, ends)
        pieces = list(zip(*(numbers.tolist() for numbers in places), strict=True))
        each = -(-len(pieces) // (_PARTS_OF_A_READER * self._rows.readers))
        parts = [
            readers.submit(self._read, pieces[first : first + each], buffer, stopped)
            for first in range(0, len(pieces), each)
        ]
        return _Coming(buffer[: ends[-1]], window, parts)

    def _read(self, pieces, buffer, stopped):
        """Read pieces of the file, each (first row, begin and end in the buffer), until `stopped` is set or closed."""
        with reported_damage(self.path), np.errstate(over="ignore"):  # float64 beyond float32 is reported as infinity
            for first, begin, end in pieces:
                if stopped.is_set() or self._closed:
                    break
                self._rows.read(first, buffer[begin:end])
                check_finite(buffer[begin:end], f"{self.path}: xdata", first)

    def _finish(self, coming):
        """(X, window) when all parts are there, or the error of the first part that has one."""
        errors = [part.exception() for part in coming.parts]
        # Before them: a thread that was reading met a file that is no more, or another that has its number by now.
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
        return coming.X, coming.window

    def _now(self, window):
        """The rows of a window, in memory of their own."""
        X = np.empty((len(window.order), self.shape[1]), self.dtype)
        with self._readers() as readers:
            return self._finish(self._begin(readers, window, X, threading.Event()))[0]


def _stamp(path):
    """What changes with a file's content."""
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _check_inputs(where: str, x: "h5py.Dataset") -> None:
    if 0 in x.shape:
        raise InputError(f"{where} has shape {x.shape}; expected one row and one column or more: fill it")
    if x.dtype != np.uint8 and x.dtype.kind != "f":
        raise InputError(f"{where} has dtype {x.dtype}; expected uint8 or floats: store it as uint8 or float32")


def _labels(where: str, y: "h5py.Dataset", rows: int) -> tuple[np.ndarray, int | None]:
    """The labels (rows,), and the number of one-hot columns or None, read in blocks. Raises InputError."""
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
        block, _ = read_labels(name, y[start:stop], stop - start)
        blocks.append(block.astype(np.min_scalar_type(block.max())))
    return np.concatenate(blocks), columns if columns > 1 else None
