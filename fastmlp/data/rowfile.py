"""Rows of an HDF5 array, read from any place into an array that is there already."""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fastmlp.errors import InputError

if TYPE_CHECKING:
    import h5py


class Rows(Protocol):
    """An open array (N, D) in a file. `chunk_rows` rows are stored together: to read a part takes the time of all."""

    chunk_rows: int

    def announce(self, first: int, count: int) -> None:
        """Rows that will soon be read: the disk may begin to fetch them."""

    def read(self, first: int, out: np.ndarray) -> None:
        """Copy the rows from `first` on into `out` (rows, D), as its dtype. Raises InputError where the file ends."""

    def close(self) -> None:
        """Release the file."""


def open_rows(path: Path, file: "h5py.File", x: "h5py.Dataset") -> Rows:
    """The rows of the array `x` of `file`, which is left to them: it stays open only if they need it."""
    # Undefined where the values are in chunks, in other files, or were never written.
    if x.id.get_offset() is None:
        return ChunkedRows(file, x)
    rows = ContiguousRows(path, x.id.get_offset(), x.shape[1], x.dtype)
    file.close()
    return rows


class ContiguousRows:
    """Rows that stand in the file one after the other, and are read from there without the HDF5 library.

    The library would take a lock of the whole process for each block, and tens of microseconds more.
    """

    chunk_rows = 1

    def __init__(self, path: Path, offset: int, columns: int, dtype: np.dtype):
        self._path, self._offset, self._columns, self._dtype = path, offset, columns, dtype
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  closed by `close`
        self._lock = threading.Lock()  # the place in the file is one for all threads
        if hasattr(os, "posix_fadvise"):
            # Without the system's own reading ahead, which follows each block with rows that nobody asked for.
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)

    def announce(self, first: int, count: int) -> None:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file.fileno(), self._place(first), self._size(count), os.POSIX_FADV_WILLNEED)

    def read(self, first: int, out: np.ndarray) -> None:
        stored = out if out.dtype == self._dtype else np.empty(out.shape, self._dtype)
        room, got = stored.reshape(-1).view(np.uint8).data, 0
        with self._lock:
            self._file.seek(self._place(first))
            while got < len(room):
                more = self._file.readinto(room[got:])
                if not more:
                    raise InputError(
                        f"{self._path} ends within xdata; it was cut short since it was opened: copy it anew"
                    )
                got += more
        if stored is not out:
            out[:] = stored

    def close(self) -> None:
        self._file.close()

    def _place(self, first):
        return self._offset + self._size(first)

    def _size(self, rows):
        return rows * self._columns * self._dtype.itemsize


class ChunkedRows:
    """Rows that the HDF5 library has to put together, such as compressed ones."""

    def __init__(self, file: "h5py.File", x: "h5py.Dataset"):
        self._file, self._x = file, x
        self.chunk_rows = x.chunks[0] if x.chunks else 1

    def announce(self, first: int, count: int) -> None:
        """Nothing: where they stand is the library's affair."""

    def read(self, first: int, out: np.ndarray) -> None:
        out[:] = self._x[first : first + len(out)]

    def close(self) -> None:
        self._file.close()
