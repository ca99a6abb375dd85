"""HDF5 files: the course's MNIST files with `xdata` and `ydata`, and others with a pair of arrays."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.data.checks import check_file
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.named_arrays import (
    dataset_of_arrays,
    find_inputs,
    find_pair,
    has_part,
    inputs_of_array,
)
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.errors import FastmlpError, InputError, first_line
from fastmlp.utils.free_memory import check_memory

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MOST_LINKS = 1  # from a name to its array
SYNTHETIC = "synthetic"  # attribute of a file whose samples this library made


class HDF5Reader(Reader):
    """Inputs (N, D), or images (N, height, width), and labels (N,), or one-hot (N, C).

    Their names are those of `named_arrays.PAIRS`; an array of a group `train` or `test`, as USPS has them, is of that
    part. Floats become float32 block by block: float64 is never in memory as a whole. A file decides about no other
    one: of links to others only those to files in its own folder are followed.
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
    x = find_array(path, file, inputs)
    check_memory(f"{path}: {inputs}", x.size)  # or more, before the labels are read
    y = read_whole(path, file, labels)
    return dataset_of_arrays(path, inputs, x, labels, y, bool(np.all(file.attrs.get(SYNTHETIC, False))))


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
    except (FastmlpError, MemoryError):
        raise
    except Exception as error:  # h5py raises ValueError and TypeError as well about what a damaged file declares
        text = first_line(error)
        if "unable to lock file" in text:
            raise InputError(
                f"{path} is open for writing in another program, or is on a disk without locks ({text}); close it "
                "there, or set HDF5_USE_FILE_LOCKING=FALSE if nobody writes to it"
            ) from error
        if "already open for write" in text:
            raise InputError(
                f"{path} is open for writing in another program, or one ended while it wrote ({text}); close it there, "
                "or write the file again"
            ) from error
        raise InputError(
            f"{path} cannot be read as HDF5 ({text}); it is damaged or cut short: copy it again, or write it with "
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
    for key in map(_text, file):
        names.append(key)
        with suppress(KeyError, InputError):  # a link to what is not there, or must not be followed
            if isinstance(group := _opened(Path(file.filename), file, key), h5py.Group):
                names[-1:] = [f"{key}/{_text(name)}" for name in group] or [key]
    return names


def _text(name: str | bytes) -> str:
    """Return the name of an array, which h5py has in bytes if it is no UTF-8."""
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


def _opened(path: Path, file: "h5py.File", key: str) -> "h5py.HLObject":
    """Return what is in a file under a name.

    Raises KeyError if nothing is there, InputError for a link to a file that is not in the same folder.
    """
    import h5py

    for name in (key.partition("/")[0], key):
        link = file.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            _check_neighbour(path, key, link.filename)
        if not isinstance(link, h5py.HardLink):
            break
    # Not as file[key], which would go on along any links that a link leads to.
    access = h5py.h5p.create(h5py.h5p.LINK_ACCESS)
    access.set_nlinks(_MOST_LINKS)
    found = h5py.h5o.open(file.id, key.encode(), access)
    if isinstance(found, h5py.h5d.DatasetID):
        return h5py.Dataset(found)
    return h5py.Group(found) if isinstance(found, h5py.h5g.GroupID) else h5py.Datatype(found)


def _check_neighbour(path: Path, key: str, name: str) -> None:
    """Raise KeyError or InputError unless a linked file is a file in the folder of a file, or below."""
    folder = path.absolute().parent.resolve()
    target = (folder / name).resolve()
    if not target.is_relative_to(folder):
        raise InputError(f"{path}: {key} is a link to {name}; expected a file in the same folder: copy it there")
    if not target.exists():
        raise KeyError(key)
    check_file(target)


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
        If it cannot be read, or has its values in other files.
    """
    import h5py

    try:
        array = _opened(path, file, key)
    except KeyError:  # the link is there, its target is not
        raise InputError(
            f"{path}: {key} is a link to an array or a file that is not there; expected a row per sample: put it there"
        ) from None
    if not isinstance(array, h5py.Dataset):
        raise InputError(f"{path}: {key} is a group of arrays; expected one array, a row per sample: put it there")
    if array.shape is None:
        raise InputError(f"{path}: {key} is an array without a shape; expected a row per sample: fill it")
    if array.is_virtual or array.external:
        raise InputError(
            f"{path}: {key} has its values in other files, which are not read; expected an array with its own: copy it "
            "with h5py, as new[key] = old[key][:]"
        )
    if array.chunks:
        check_memory(f"{path}: a chunk of {key}", math.prod(array.chunks) * array.dtype.itemsize)
    _check_filters(path, key, array)
    return array


def read_whole(path: Path, file: "h5py.File", key: str) -> np.ndarray:
    """Return all values of an array of an open file.

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
        If it cannot be read, or needs more memory than is free.
    """
    array = find_array(path, file, key)
    check_memory(f"{path}: {key}", array.size * array.dtype.itemsize)
    values: np.ndarray = array[()]
    return values


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
