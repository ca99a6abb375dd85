"""Numpy's .npz archives, in which notMNIST, MNIST and MedMNIST are often published."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

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
from fastmlp.utils.free_memory import check_memory


class NPZReader(Reader):
    """Archives of inputs (N, D) or images (N, height, width) and labels, under names as in `named_arrays.PAIRS`.

    Keras' mnist.npz has `x_train`, `y_train`, `x_test` and `y_test`. MedMNIST has `train_images`, `val_images`,
    `test_images` and `train_labels` and so on, the labels of shape (N, 1)
    (https://github.com/MedMNIST/MedMNIST/blob/main/medmnist/dataset.py).
    """

    name = "npz"
    endings = (".npz",)
    has_parts = True

    def recognises(self, head: bytes) -> bool:
        """Return True for a zip archive that is empty, or whose first file is an array of numpy."""
        name_end = 30 + int.from_bytes(head[26:28], "little")  # of the first file's header, see APPNOTE.TXT of PKWARE
        is_array = len(head) < name_end or head[30:name_end].endswith(b".npy")
        return head.startswith(b"PK\x05\x06") or (head.startswith(b"PK\x03\x04") and is_array)

    def read(self, path: Path, *, part: str = "train", n_features: int | None = None) -> Dataset:
        """Read a file as `Reader.read` describes."""
        with open_archive(path) as archive:
            dataset = _part(path, archive, part)
            if part != "train" or not has_part(archive.files, "validation"):
                return dataset
            return replace(dataset, validation=_part(path, archive, "validation"))

    def read_inputs(self, path: Path, expected: Expected) -> Inputs:
        """Read a file as `Reader.read_inputs` describes."""
        with open_archive(path) as archive:
            name, notes = find_inputs(path, archive.files)
            return inputs_of_array(path, name, _array(path, archive, name), notes)


def _part(path: Path, archive: "np.lib.npyio.NpzFile", part: str) -> Dataset:
    inputs, labels = find_pair(path, archive.files, part)
    x, y = _array(path, archive, inputs), _array(path, archive, labels)
    return dataset_of_arrays(path, inputs, x, labels, y)


def _array(path: Path, archive: "np.lib.npyio.NpzFile", name: str) -> np.ndarray:
    """Return an array, if it fits into memory: of no member more is unpacked than the archive's directory says."""
    members = archive.zip.infolist() if archive.zip else []  # without it, it is closed
    sizes = {member.filename.removesuffix(".npy"): member.file_size for member in members}
    check_memory(f"{path}: {name}", sizes[name])
    return np.asarray(archive[name])


@contextmanager
def open_archive(path: Path) -> "Iterator[np.lib.npyio.NpzFile]":
    """Open an archive for a `with` block.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    NpzFile
        The archive.

    Raises
    ------
    InputError
        If an array that is read is damaged, or has objects.
    """
    try:
        # Opened here: numpy leaves a file that it opened itself open when it turns out to be no archive.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            yield archive
    except InputError:  # itself a ValueError
        raise
    except ValueError as error:
        raise InputError(
            f"{path} has something else than plain arrays ({first_line(error)}); expected numbers: write it with "
            "numpy.savez"
        ) from error
