"""The course's HDF5 files: `xdata` (N, 784) and `ydata` (N, 10)."""

from pathlib import Path

from fastmlp.errors import InputError

from .checks import picture_shape, read_inputs, read_labels
from .dataset import Dataset

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_hdf5(path: Path) -> Dataset:
    """`xdata` (N, D) numbers, floats in [0, 1] or uint8, and `ydata`, (N, C) one-hot or (N,) integers.

    Floats become float32 block by block: float64 never exists whole. Raises InputError.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            x, labels = _array(path, file, h5py.Dataset, "xdata"), _array(path, file, h5py.Dataset, "ydata")
            if len(x.shape) != 2:
                raise InputError(f"{path}: xdata has shape {x.shape}; expected (N, D), a row per sample: reshape it")
            X = read_inputs(f"{path}: xdata", x.shape, x.dtype, x.__getitem__, x.chunks[0] if x.chunks else 1)
            y, class_count = read_labels(f"{path}: ydata", labels[()], len(X))
            return Dataset(X, y, class_count, picture_shape(x.shape, X), path.name)
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read as HDF5 ({reason}); it is damaged or cut short: copy it anew, or write it "
            "with `fastmlp prepare`"
        ) from error


def _array(path, file, kind, key):
    if not isinstance(file.get(key), kind):
        found = ", ".join(file) or "none"
        raise InputError(f"{path} has no array `{key}`; its keys are {found}: rename them to `xdata` and `ydata`")
    return file[key]
