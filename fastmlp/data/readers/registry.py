"""Find the reader of a file, by its first bytes and then by its name."""

from pathlib import Path

from fastmlp.data.checks import check_file, no_part
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.class_folders import ClassFoldersReader
from fastmlp.data.readers.csv import CSVReader
from fastmlp.data.readers.hdf5 import HDF5Reader
from fastmlp.data.readers.idx import IDXReader
from fastmlp.data.readers.matlab import MATLABReader
from fastmlp.data.readers.npy import NPYReader
from fastmlp.data.readers.npz import NPZReader
from fastmlp.data.readers.reader import Reader
from fastmlp.data.readers.svmlight import SvmlightReader
from fastmlp.errors import InputError

READERS: tuple[Reader, ...] = (
    MATLABReader(),
    HDF5Reader(),
    IDXReader(),
    NPZReader(),
    NPYReader(),
    ClassFoldersReader(),
    CSVReader(),
    SvmlightReader(),
)


def read(path: Path, part: str = "train", n_features: int | None = None) -> Dataset:
    """Read a file, or a folder, in the format that it has.

    Parameters
    ----------
    path : Path
        File or folder.
    part : {"train", "validation", "test"}, default="train"
        Which samples to read.
    n_features : int, optional
        Number of columns, for formats that may lack some.

    Returns
    -------
    Dataset
        Named after the file.

    Raises
    ------
    InputError, InputTypeError
        If it cannot be read; one line that names the file.
    """
    reader = find_reader(path)
    if n_features is not None and not reader.takes_n_features:
        takers = " and ".join(reader.name for reader in READERS if reader.takes_n_features)
        raise InputError(
            f"n_features is {n_features}, and {path} is {reader.name}: only {takers} text leaves it open; drop it"
        )
    if part != "train" and not reader.has_parts:
        raise no_part(
            part, f"{path} has no {part} part, being one {reader.name} file; give the path of the {part} file instead"
        )
    return reader.read(path, part=part, n_features=n_features)


def find_reader(path: Path) -> Reader:
    """Return the reader of a file or folder.

    Parameters
    ----------
    path : Path
        File or folder.

    Returns
    -------
    Reader
        One of `READERS`.

    Raises
    ------
    InputError
        If the file or folder is absent or in none of the formats.
    """
    if path.is_dir():
        for reader in READERS:
            if reader.recognises_folder(path):
                return reader
        raise InputError(
            f"{path} is a folder without data; expected IDX files such as train-images-idx3-ubyte.gz, or a folder of "
            "PNG or JPEG pictures for each class: give the path of a file, or another folder"
        )
    head = _head(path)
    for reader in READERS:
        if not reader.is_text and reader.recognises(head):
            return reader
    named = next((reader for reader in READERS if path.suffix.lower() in reader.endings), None)
    if b"\0" not in head:
        for reader in READERS if named is None else (named,):
            if reader.is_text and (reader is named or reader.recognises(head)):
                return reader
    *others, last = (reader.name for reader in READERS)
    expected = f"{named.name}, as it is named" if named else f"{', '.join(others)} or {last}"
    raise InputError(f"{path} begins with {head[:8]!r}; expected {expected}: it is damaged or something else")


def _head(path: Path) -> bytes:
    """Return the first bytes of a file. Raises InputError when there are none."""
    check_file(path)
    try:
        with open(path, "rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a data file: check its rights") from error
    if not head:
        raise InputError(f"{path} is empty; expected a data file: copy it anew")
    return head
