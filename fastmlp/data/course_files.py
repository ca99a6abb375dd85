"""Write the two HDF5 files of the course assignment from any collection that has a training and a test part."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from fastmlp.data.checks import MOST_CLASSES
from fastmlp.data.csr import CSR
from fastmlp.data.dataset import Dataset
from fastmlp.data.loading import load
from fastmlp.data.readers.hdf5 import SYNTHETIC
from fastmlp.errors import InputError
from fastmlp.inputs.encoder import InputEncoder
from fastmlp.inputs.scaling import WHITE
from fastmlp.inputs.table import Table
from fastmlp.utils.atomic_files import check_replaceable, make_folder, write_bytes
from fastmlp.utils.labels import class_numbers
from fastmlp.utils.options import nearest
from fastmlp.utils.paths import user_path
from fastmlp.utils.showing import shown

FILE_NAMES = {"train": "mnist_traindata.hdf5", "test": "mnist_testdata.hdf5"}
DTYPES = ("float32", "float64")
_ROWS = 1000  # per compressed chunk, 3 MB of float32


def prepare(data: str = "auto", out: str | Path = "data", dtype: str = "float32", force: bool = False) -> list[str]:
    """Write both files, each with `xdata` (N, D) and one-hot `ydata` (N, classes).

    Samples that the scaling "auto" takes for pixels are divided by 255, as the course has them; others are not.

    Parameters
    ----------
    data : str, default="auto"
        Name of a collection, or folder of IDX files, as for `load`.
    out : str or Path, default="data"
        Folder of the two files.
    dtype : {"float32", "float64"}, default="float32"
        Type of both arrays.
    force : bool, default=False
        Whether to replace files that are there already.

    Returns
    -------
    list of str
        One line per file: its shape, and where its samples come from.

    Raises
    ------
    InputError
        If a file is there and `force` is False, or the data cannot be loaded: nothing is written then. Or if a file
        cannot be written: new files are then deleted, so that neither is left without the other.
    """
    folder = user_path(out)
    paths = {part: folder / name for part, name in FILE_NAMES.items()}
    absent = [path for path in paths.values() if not path.exists()]
    for path in paths.values():
        check_replaceable(path)
        if path not in absent and not force:
            raise InputError(f"{path} is there already; pass --force to replace it, or choose another --out")
    train = load(data)
    parts = {"train": train, "test": replace(load(train.key, part="test"), classes=train.classes)}
    dense = isinstance(train.X, np.ndarray)  # what is not is refused before anything is written
    white = WHITE if dense and InputEncoder.fit(train.X).scaling.kind == "pixels" else 1
    try:
        make_folder(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}); choose another --out") from None
    try:
        for part, dataset in parts.items():
            write_course_file(paths[part], dataset, dtype, white)
    except OSError as error:
        for path in absent:
            path.unlink(missing_ok=True)
        raise InputError(
            f"{error.filename} cannot be written ({error.strerror}); make room, or choose another --out"
        ) from error
    lines = []
    for part, dataset in parts.items():
        rows, columns = dataset.X.shape
        kind = "SYNTHETIC, no real data; " if dataset.synthetic else ""
        lines.append(f"{paths[part]}: xdata ({rows}, {columns}) {dtype}, {kind}{train.source}")
    return lines


def write_course_file(path: str | Path, dataset: Dataset, dtype: str = "float32", white: int = WHITE) -> None:
    """Write `xdata` (N, D), bytes divided by `white`, and `ydata` (N, labels) one-hot to an HDF5 file, atomically.

    Parameters
    ----------
    path : str or Path
        File to write; compressed, and marked by an attribute, which `load` reads, if the samples are synthetic.
    dataset : Dataset
        Samples and labels.
    dtype : {"float32", "float64"}, default="float32"
        Type of both arrays.
    white : int, default=255
        What uint8 is divided by.

    Raises
    ------
    InputError
        If the samples are sparse or a table, have labels that are no columns of one-hot rows, or for another dtype.
    OSError
        If the file cannot be written; its `filename` is `path`.
    """
    import h5py

    if dtype not in DTYPES:
        raise InputError(f"dtype is {shown(dtype)}; {nearest(dtype, DTYPES)}")
    X = dataset.X
    if isinstance(X, CSR):
        raise InputError(f"{dataset.name} is sparse; expected samples with all their values: use its toarray()")
    if isinstance(X, Table):
        raise InputError(f"{dataset.name} is a table; expected images, which the two files are for")
    classes = dataset.classes
    if classes is None or classes.dtype != np.int64 or not 0 <= classes.min() <= classes.max() < MOST_CLASSES:
        raise InputError(
            f"{dataset.name} has labels other than small whole numbers; expected some from 0: renumber them"
        )
    class_numbers(dataset.y, classes, dataset.name)
    rows, columns = X.shape
    storage = {"compression": "gzip", "compression_opts": 1, "shuffle": True}  # a fifth of the size; level 4 gains 2%
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        x = file.create_dataset("xdata", X.shape, dtype, chunks=(min(_ROWS, rows), columns), **storage)
        for start in range(0, rows, _ROWS):
            block = X[start : start + _ROWS]
            x[start : start + _ROWS] = block / np.dtype(dtype).type(white) if X.dtype == np.uint8 else block
        file.create_dataset("ydata", data=np.eye(classes.max() + 1, dtype=dtype)[dataset.y], **storage)
        if dataset.synthetic:
            file.attrs[SYNTHETIC] = True
    write_bytes(user_path(path), image.getbuffer())
