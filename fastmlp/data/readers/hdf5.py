"""HDF5 files with `xdata` (N, D) and `ydata` (N,) or (N, C), the format of the course's MNIST files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.data.checks import picture_shape, read_inputs, read_labels
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.reader import Reader
from fastmlp.errors import InputError, first_line

if TYPE_CHECKING:
    import h5py

SYNTHETIC = "synthetic"  # attribute of a file whose samples this library made


class HDF5Reader(Reader):
    """`xdata` (N, D) numbers, floats in [0, 1] or uint8, and `ydata`, (N, C) one-hot or (N,) integers.

    Floats become float32 block by block: float64 is never in memory as a whole.
    """

    name = "HDF5"
    endings = (".h5", ".hdf5", ".hdf")

    def recognises(self, head: bytes) -> bool:
        """Return True for the signature of HDF5."""
        return head.startswith(b"\x89HDF\r\n\x1a\n")

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        import h5py

        with reported_damage(path), h5py.File(path) as file:
            x, labels = find_arrays(path, file)
            X = read_inputs(f"{path}: xdata", x.shape, x.dtype, x.__getitem__, x.chunks[0] if x.chunks else 1)
            y, classes = read_labels(f"{path}: ydata", labels[()], len(X))
            synthetic = bool(np.all(file.attrs.get(SYNTHETIC, False)))
            return Dataset(X, y, classes, picture_shape(x.shape, X), path.name, synthetic)


def find_arrays(path: Path, file: "h5py.File") -> "tuple[h5py.Dataset, h5py.Dataset]":
    """Find the inputs and the labels in a file.

    Parameters
    ----------
    path : Path
        The file's path, for messages.
    file : h5py.File
        The open file.

    Returns
    -------
    x : h5py.Dataset of shape (N, D)
        The array `xdata`.
    y : h5py.Dataset
        The array `ydata`.

    Raises
    ------
    InputError
        If there are no such arrays.
    """
    x, labels = _array(path, file, "xdata"), _array(path, file, "ydata")
    if len(x.shape) != 2:
        raise InputError(f"{path}: xdata has shape {x.shape}; expected (N, D), a row per sample: reshape it")
    return x, labels


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
        raise InputError(
            f"{path} cannot be read as HDF5 ({first_line(error)}); it is damaged or cut short: copy it anew, or write "
            "it with `fastmlp prepare`"
        ) from error


def _array(path: Path, file: "h5py.File", key: str) -> "h5py.Dataset":
    """Return an array of an open file. Raises InputError when there is none."""
    import h5py

    if key not in file:
        found = ", ".join(file) or "none"
        raise InputError(f"{path} has no array `{key}`; its keys are {found}: rename them to `xdata` and `ydata`")
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
    return array
