"""Find the reader of a file, by its first bytes and then by its name."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastmlp.data.checks import no_part
from fastmlp.data.dataset import Dataset, Inputs
from fastmlp.data.readers.class_folders import ClassFoldersReader
from fastmlp.data.readers.csv import CSVReader
from fastmlp.data.readers.hdf5 import HDF5Reader
from fastmlp.data.readers.idx import IDXReader
from fastmlp.data.readers.matlab import MATLABReader
from fastmlp.data.readers.npy import NPYReader
from fastmlp.data.readers.npz import NPZReader
from fastmlp.data.readers.reader import Expected, Reader
from fastmlp.data.readers.svmlight import SvmlightReader
from fastmlp.data.unpacking import compression, read_head, suffix, text_head
from fastmlp.errors import FastmlpError, InputError, OutOfMemoryError, first_line
from fastmlp.utils.showing import shown

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


def read(
    path: Path,
    part: str = "train",
    n_features: int | None = None,
    label: str | int | None = None,
    columns: Sequence[str] | None = None,
) -> Dataset:
    """Read a file, or a folder, in the format that it has.

    Parameters
    ----------
    path : Path
        File or folder.
    part : {"train", "validation", "test"}, default="train"
        Which samples to read.
    n_features : int, optional
        Number of columns, for formats that may lack some.
    label : str or int, optional
        Column of the labels, for tables.
    columns : sequence of str, optional
        Columns of the inputs, for tables.

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
    of_table: dict[str, Any] = {
        key: value for key, value in {"label": label, "columns": columns}.items() if value is not None
    }
    for key, value in of_table.items():
        if not reader.takes_columns:
            raise InputError(
                f"{key} is {shown(value)}, and {path} is {reader.name}, which is not a table; leave it out"
            )
    if part != "train" and not reader.has_parts:
        raise no_part(
            part, f"{path} has no {part} part, being one {reader.name} file; give the path of the {part} file instead"
        )
    with _guarded(path, f" as {reader.name}"):
        return reader.read(path, part=part, n_features=n_features, **of_table)


def read_inputs(path: Path, expected: Expected) -> Inputs:
    """Read only the inputs of a file or folder, in whatever format it has.

    Parameters
    ----------
    path : Path
        File or folder.
    expected : Expected
        What is known of the network's inputs.

    Returns
    -------
    Inputs
        Named after the file.

    Raises
    ------
    InputError, InputTypeError
        If it cannot be read; one line that names the file.
    """
    reader = find_reader(path)
    with _guarded(path, f" as {reader.name}"):
        return reader.read_inputs(path, expected)


@contextmanager
def _guarded(path: Path, form: str = "") -> Iterator[None]:
    """Turn any other exception of a `with` block that reads a file into an InputError, with it as the cause.

    Parameters
    ----------
    path : Path
        The file's path, for the message.
    form : str, default=""
        Words on its format.

    Raises
    ------
    InputError
        In the place of any other exception.
    """
    try:
        yield
    except FastmlpError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError(
            f"{path} needs more memory than there is ({first_line(error)}); use fewer samples, or copy it again"
        ) from error
    except Exception as error:  # what libraries raise about damaged files is of any kind
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path} cannot be read ({error.strerror}); check its rights") from error
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise InputError(
            f"{path} cannot be read{form} ({reason}); it is damaged or cut short: copy it again"
        ) from error


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
    with _guarded(path):
        return _find_reader(path)


def _find_reader(path: Path) -> Reader:
    if path.is_dir():
        for reader in READERS:
            if reader.recognises_folder(path):
                return reader
        raise InputError(
            f"{path} is a folder without data; expected IDX files such as train-images-idx3-ubyte.gz, or a folder of "
            "PNG or JPEG images for each class: give the path of a file, or another folder"
        )
    head = read_head(path)
    for reader in READERS:
        if not reader.is_text and reader.recognises(head):
            return reader
    if kind := compression(head):
        head = read_head(path, unpack=True)
        for reader in READERS:
            if not reader.is_text and reader.recognises(head):
                if kind in reader.compressions:
                    return reader
                raise InputError(f"{path} is {reader.name}, compressed as {kind}; unpack it first")
    return _text_reader(path, text_head(head))


def _text_reader(path: Path, head: bytes) -> Reader:
    """Return the reader of text that begins with `head`: the one that its ending names, or that recognises it."""
    ending = suffix(path)
    named = next((reader for reader in READERS if ending in reader.endings), None)
    if b"\0" not in head:
        for reader in READERS if named is None else (named,):
            if reader.is_text and (reader is named or reader.recognises(head)):
                return reader
    *others, last = (reader.name for reader in READERS)
    expected = f"{named.name}, as it is named" if named else f"{', '.join(others)} or {last}"
    raise InputError(f"{path} begins with {head[:8]!r}; expected {expected}: it is damaged or something else")
