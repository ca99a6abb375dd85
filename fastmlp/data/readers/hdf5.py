"""HDF5 files: the course's MNIST files with `xdata` and `ydata`, and others with a pair of arrays."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.named_arrays import (
    dataset_of_arrays,
    find_inputs,
    find_pair,
    has_part,
    inputs_of_array,
)
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.errors import InputError, first_line

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SYNTHETIC = "synthetic"  # attribute of a file whose samples this library made


class HDF5Reader(Reader):
    """Inputs (N, D), or pictures (N, height, width), and labels (N,), or one-hot (N, C).

    Their names are those of `named_arrays.PAIRS`; an array of a group `train` or `test`, as USPS has them, is of that
    part. Floats become float32 block by block: float64 is never in memory as a whole.
    """

    name = "HDF5"
    endings = (".h5", ".hdf5", ".hdf")
    has_parts = True

    def recognises(self, head: bytes) -> bool:
        """Return True for the signature of HDF5, at the beginning or after a user block of 512, 1024, ... bytes."""
        places = [0, *(512 << k for k in range(len(head).bit_length()))]
        return any(head.startswith(SIGNATURE, place) for place in places)

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        with open_hdf5(path) as file:
            dataset = _part(path, file, part)
            if part != "train" or not has_part(array_names(file), "validation"):
                return dataset
            return replace(dataset, validation=_part(path, file, "validation"))

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file as `Reader.read_inputs` describes."""
        with open_hdf5(path) as file:
            name, notes = find_inputs(path, array_names(file))
            return inputs_of_array(path, name, find_array(path, file, name), notes)


def _part(path: Path, file: "h5py.File", part: str) -> Dataset:
    inputs, labels = find_pair(path, array_names(file), part)
    x, y = find_array(path, file, inputs), find_array(path, file, labels)
    return dataset_of_arrays(path, inputs, x, labels, y[()], bool(np.all(file.attrs.get(SYNTHETIC, False))))


@contextmanager
def open_hdf5(path: Path) -> "Iterator[h5py.File]":
    """Open a file for a `with` block, and turn what h5py raises about a file that it cannot read into an InputError.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    h5py.File
        The open file.

    Raises
    ------
    InputError
        If the file is damaged, or another program writes to it.
    """
    import h5py

    with reported_damage(path), h5py.File(path) as file:
        yield file


@contextmanager
def reported_damage(path: Path) -> Iterator[None]:
    """Turn what h5py raises in a `with` block about a file that it cannot read into an InputError.

    Parameters
    ----------
    path : Path
        The file's path, for the message.

    Raises
    ------
    InputError
        If h5py raised an error.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        text = first_line(error)
        if "unable to lock file" in text:
            raise InputError(
                f"{path} is open for writing in another program, or is on a disk without locks ({text}); close it "
                "there, or set HDF5_USE_FILE_LOCKING=FALSE if nobody writes to it"
            ) from error
        if "already open for write" in text:
            raise InputError(
                f"{path} is open for writing in another program, or one ended while it wrote ({text}); close it there, "
                "or write the file anew"
            ) from error
        raise InputError(
            f"{path} cannot be read as HDF5 ({text}); it is damaged or cut short: copy it anew, or write it with "
            "`fastmlp prepare`"
        ) from error


def array_names(file: "h5py.File") -> list[str]:
    """List the arrays of a file: those in a group of the file as "group/name", and whatever else it has.

    Parameters
    ----------
    file : h5py.File
        An open file.
    """
    import h5py

    names = []
    for key in file:
        names.append(key)
        with suppress(KeyError):  # a link to what is not there
            if isinstance(file[key], h5py.Group):
                names[-1:] = [f"{key}/{name}" for name in file[key]] or [key]
    return names


def find_arrays(path: Path, file: "h5py.File", part: str = "train") -> "tuple[h5py.Dataset, h5py.Dataset]":
    """Find the inputs and the labels of a part in a file.

    Parameters
    ----------
    path : Path
        The file's path, for messages.
    file : h5py.File
        The open file.
    part : {"train", "validation", "test"}, default="train"
        The part.

    Returns
    -------
    x : h5py.Dataset
        Inputs, a row per sample.
    y : h5py.Dataset
        Labels.

    Raises
    ------
    InputError
        If there are no such arrays, or one of them cannot be read; of type `NoTestPart` without a test part.
    """
    inputs, labels = find_pair(path, array_names(file), part)
    return find_array(path, file, inputs), find_array(path, file, labels)


def find_array(path: Path, file: "h5py.File", key: str) -> "h5py.Dataset":
    """Return an array of an open file.

    Parameters
    ----------
    path : Path
        The file's path, for messages.
    file : h5py.File
        The open file.
    key : str
        What the array is called.

    Raises
    ------
    InputError
        If it is none that can be read.
    """
    import h5py

    try:
        array = file[key]
    except KeyError:  # the link is there, its target is not
        raise InputError(
            f"{path}: {key} is a link to an array or a file that is not there; expected a row per sample: put it there"
        ) from None
    if not isinstance(array, h5py.Dataset):
        raise InputError(f"{path}: {key} is a group of arrays; expected one array, a row per sample: put it there")
    if array.shape is None:
        raise InputError(f"{path}: {key} is an array without a shape; expected a row per sample: fill it")
    _check_filters(path, key, array)
    return array


def _check_filters(path: Path, key: str, array: "h5py.Dataset") -> None:
    """Raise InputError if an array is compressed in a way that the HDF5 library here does not know."""
    import h5py

    layout = array.id.get_create_plist()
    filters = {number: name for number, _, _, name in (layout.get_filter(k) for k in range(layout.get_nfilters()))}
    if all(map(h5py.h5z.filter_avail, filters)):
        return
    with suppress(ImportError):
        import hdf5plugin  # noqa: F401  it makes the usual ones known
    for number, name in filters.items():
        if not h5py.h5z.filter_avail(number):
            text = re.sub(r"[^ -~]", "", name.decode("ascii", "replace"))
            raise InputError(
                f"{path}: {key} is compressed with the HDF5 filter {number} ({text or 'without a name'}), which is not "
                "installed; install hdf5plugin, which has the usual ones, or write the array without it"
            )
