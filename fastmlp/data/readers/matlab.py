"""MATLAB files: those of version 7.3, which are HDF5, and older ones where scipy is installed."""

import math
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fastmlp.data.checks import check_finite, read_labels
from fastmlp.data.csr import CSR
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.hdf5 import array_names, open_hdf5, read_whole
from fastmlp.data.readers.named_arrays import (
    dataset_of_arrays,
    find_inputs,
    find_pair,
    has_part,
    inputs_of_array,
    labels_of,
)
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.errors import InputError
from fastmlp.utils.free_memory import check_memory, free_memory

HDF5_VERSION = b"MATLAB 7.3"
_COMPRESSED = 15  # kind of an element: a matrix, packed by zlib
_HEADER_BYTES, _BYTES_AT_A_TIME = 128, 1 << 20
_MOST_TIMES = 1032  # as many bytes zlib makes of one, https://zlib.net/zlib_tech.html
_BYTES_OF_A_ROW, _BYTES_OF_A_NUMBER = 16, 24  # of compressed rows, scipy's and ours: pointers; columns and values


class MATLABReader(Reader):
    """Inputs and labels as matrices, under names as in `named_arrays.PAIRS`, such as `X` and `y`, or `fea` and `gnd`.

    A sample is a row, or a column where there are as many columns as labels; images are (height, width, N).
    """

    name = "MATLAB"
    endings = (".mat",)
    has_parts = True

    def recognises(self, head: bytes) -> bool:
        """Return True for the text that begins a file of version 5 to 7.3."""
        return head.startswith(b"MATLAB ")

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        with matrices(path) as (names, get):
            dataset = _part(path, names, get, part)
            if part != "train" or not has_part(names, "validation"):
                return dataset
            return replace(dataset, validation=_part(path, names, get, "validation"))

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file as `Reader.read_inputs` describes; without labels samples are rows, unless columns fit better."""
        with matrices(path) as (names, get):
            name, notes = find_inputs(path, [name for name in names if not name.startswith("#")])
            labels = labels_of(names, name)
            x = get(name)
            if labels is not None:
                x = _alike(x, get(labels))[0]
            elif x.ndim > 2 or expected.n_features == x.shape[0] != x.shape[-1]:
                x = _rows_first(x, x.shape[-1])
            if hasattr(x, "tocsr"):
                return Inputs(_csr(f"{path}: {name}", x), None, None, path.name, notes)
            return inputs_of_array(path, name, x, notes)


def _part(path: Path, names: list[str], get: Callable[[str], Any], part: str) -> Dataset:
    inputs, labels = find_pair(path, names, part)
    x, y = get(inputs), get(labels)
    if hasattr(y, "toarray"):
        check_memory(f"{path}: {labels}", 8 * math.prod(y.shape))
        y = y.toarray()
    x, y = _alike(x, y)
    if not hasattr(x, "tocsr"):
        return dataset_of_arrays(path, inputs, x, labels, y)
    values, classes = read_labels(f"{path}: {labels}", y, x.shape[0])
    return Dataset(_csr(f"{path}: {inputs}", x), values, classes, None, path.name)


def _alike(x: Any, y: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return inputs and labels with samples along their first axes, found by the length that both share."""
    rows = next((count for count in (x.shape[0], x.shape[-1]) if count in y.shape), None)
    if rows is None:  # it is told where labels are counted
        return x, y
    return _rows_first(x, rows), _rows_first(y, rows)


def _rows_first(array: Any, rows: int) -> Any:
    """Return an array with its last axis in front if it is that which has `rows` entries."""
    if array.shape[0] == rows:
        return array
    return array.T if array.ndim == 2 else np.moveaxis(array, -1, 0)


def _csr(where: str, x: Any) -> CSR:
    """Return a sparse matrix of scipy as one of this library."""
    check_memory(where, _BYTES_OF_A_ROW * (x.shape[0] + 1) + _BYTES_OF_A_NUMBER * x.nnz)
    x = x.tocsr()
    x.sum_duplicates()  # which puts the columns in order
    with np.errstate(over="ignore"):  # what float32 cannot represent becomes infinity, which is reported
        data = x.data.astype(np.float32)
    check_finite(data[:, None], where)
    return CSR(x.indptr.astype(np.int64), x.indices.astype(np.int32), data, x.shape)


@contextmanager
def matrices(path: Path) -> Iterator[tuple[list[str], Callable[[str], Any]]]:
    """Open a file for a `with` block.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    names : list of str
        What its matrices are called.
    get : callable
        Returns one of them by its name, with its axes in MATLAB's order: an ndarray, or a sparse matrix of scipy.

    Raises
    ------
    InputError
        If the file is of a version before 7.3 and scipy is not installed, or needs more memory than is free.
    """
    with open(path, "rb") as stored:
        version = stored.read(len(HDF5_VERSION))
    if version == HDF5_VERSION:
        with open_hdf5(path) as file:
            yield array_names(file), lambda name: read_whole(path, file, name).T
        return
    try:
        from scipy.io import loadmat, whosmat
    except ImportError:
        raise InputError(
            f"{path} is a MATLAB file of a version before 7.3, which scipy reads; install scipy, or save it with -v7.3"
        ) from None
    _check_unpacked(path)
    # A byte for each number, or more; the numbers of sparse matrices are counted where they are converted.
    check_memory(str(path), sum(math.prod(shape) for _, shape, kind in whosmat(path) if kind != "sparse"))
    found = loadmat(path)
    for matrix in found.values():
        if hasattr(matrix, "check_format"):
            matrix.check_format()  # scipy would write where the rows of a damaged sparse matrix point
    yield [name for name in found if not name.startswith("__")], found.__getitem__


def _check_unpacked(path: Path) -> None:
    """Raise OutOfMemoryError if what is packed in a file of a version before 7.3 needs more memory than is free.

    A matrix may have more bytes than its shape tells. What cannot be unpacked is left for scipy to tell.
    """
    free, size = free_memory(), 0
    if path.stat().st_size * _MOST_TIMES < free:
        return
    with open(path, "rb") as file:
        file.seek(_HEADER_BYTES - 2)
        order: Literal["little", "big"] = "little" if file.read(2) == b"IM" else "big"
        while len(tag := file.read(8)) == 8 and size <= free:
            kind, left = (int.from_bytes(tag[place : place + 4], order) for place in (0, 4))
            end, unpacker = file.tell() + left, zlib.decompressobj()
            with suppress(zlib.error):
                while kind == _COMPRESSED and left > 0 and size <= free:
                    packed = file.read(min(left, _BYTES_AT_A_TIME // 16))
                    left -= len(packed) or left
                    while packed and size <= free:
                        size += len(unpacker.decompress(packed, _BYTES_AT_A_TIME))
                        packed = unpacker.unconsumed_tail
            file.seek(end)
    check_memory(f"{path}, unpacked,", size)
