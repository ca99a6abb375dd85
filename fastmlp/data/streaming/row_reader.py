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
    """An open array (N, D) of a file, which several threads may read at once.

    Attributes
    ----------
    chunk_rows : int
        Rows that are stored together: reading a part of them takes as long as reading all.
    readers : int
        Number of threads that read it fastest.
    """

    chunk_rows: int
    readers: int

    def read(self, first: int, out: np.ndarray) -> None:
        """Copy consecutive rows.

        Parameters
        ----------
        first : int
            Number of the first row.
        out : ndarray of shape (rows, D)
            Where to copy them, converted to its dtype.

        Raises
        ------
        InputError
            If the file ends before.
        """

    def close(self) -> None:
        """Close the file."""


def open_rows(path: Path, file: "h5py.File", x: "h5py.Dataset") -> Rows:
    """Open the rows of an array.

    Parameters
    ----------
    path : Path
        Path of the file.
    file : h5py.File
        The open file, which now belongs to the rows: it is closed if they do not need it.
    x : h5py.Dataset of shape (N, D)
        The array.

    Returns
    -------
    Rows
        `ContiguousRows` where possible.
    """
    import h5py

    # Undefined where the values are in chunks, in a file beside, or were never written. What is reached by a link to
    # another HDF5 file has a place in that one. And of floats that numpy lacks, such as bfloat16, h5py makes others.
    offset = x.id.get_offset()
    if offset is None or x.file != file or x.id.get_type() != h5py.h5t.py_create(x.dtype):
        return ChunkedRows(file, x)
    rows = ContiguousRows(path, offset, x.shape[1], x.dtype)
    file.close()
    return rows


class ContiguousRows(Rows):
    """Rows stored one after the other, read without the HDF5 library.

    The library would take a lock of the whole process for each block, and tens of microseconds more.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Where the first row begins, in bytes.
    columns : int
        Values in a row.
    dtype : dtype
        As stored.
    """

    chunk_rows = 1
    # A fast disk serves as many requests at once. And while rows are copied out of the system's cache, all cores copy:
    # one that copied alone would delay the threads that train, which wait for one another after every batch.
    readers = 16

    def __init__(self, path: Path, offset: int, columns: int, dtype: np.dtype):
        self._path, self._offset, self._dtype = path, offset, dtype
        self._row_bytes = columns * dtype.itemsize
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  closed by `close`
        self._lock = threading.Lock()
        if hasattr(os, "posix_fadvise"):
            # Without the system's own reading ahead, which follows each block with rows that nobody asked for.
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)

    def read(self, first: int, out: np.ndarray) -> None:
        """Copy consecutive rows, as `Rows.read` describes."""
        stored = out if out.dtype == self._dtype else np.empty(out.shape, self._dtype)
        place, room = self._offset + first * self._row_bytes, stored.reshape(-1).view(np.uint8).data
        while len(room):
            got = self._read_at(place, room)
            if not got:
                raise InputError(f"{self._path} ends within xdata; it was cut short since it was opened: copy it again")
            place, room = place + got, room[got:]
        if stored is not out:
            out[:] = stored

    def _read_at(self, place: int, room: memoryview) -> int:
        """Read into `room` from a place of the file on, and return the number of bytes; 0 at its end."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [room], place)
        with self._lock:  # on Windows the place in the file is one for all threads
            self._file.seek(place)
            return self._file.readinto(room) or 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ChunkedRows(Rows):
    """Rows that the HDF5 library has to assemble, such as compressed ones, for one thread at a time.

    Parameters
    ----------
    file : h5py.File
        The open file.
    x : h5py.Dataset of shape (N, D)
        The array.
    """

    readers = 1

    def __init__(self, file: "h5py.File", x: "h5py.Dataset"):
        self._file, self._x = file, x
        self.chunk_rows = x.chunks[0] if x.chunks else 1

    def read(self, first: int, out: np.ndarray) -> None:
        """Copy consecutive rows, as `Rows.read` describes."""
        out[:] = self._x[first : first + len(out)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
