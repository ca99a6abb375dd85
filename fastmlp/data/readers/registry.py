"""Which reader a file needs: told by its first bytes, then by its name."""

from pathlib import Path

from fastmlp.data.checks import NoTestPart, check_file
from fastmlp.data.dataset import Dataset
from fastmlp.data.readers.csv import read_csv
from fastmlp.data.readers.hdf5 import SIGNATURE, read_hdf5
from fastmlp.data.readers.idx import GZIP, is_idx, read_idx_pair
from fastmlp.data.readers.npz import read_npz
from fastmlp.data.readers.svmlight import read_svmlight
from fastmlp.errors import InputError

SUFFIXES = {
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), "HDF5"),
    **dict.fromkeys((".gz", ".idx", ".idx3-ubyte"), "IDX"),
    ".npz": "npz",
    ".csv": "CSV",
    **dict.fromkeys((".svm", ".svmlight", ".libsvm"), "svmlight"),
}


def read(path: Path, part: str, n_features: int | None) -> Dataset:
    """Read a file, or a folder of IDX files. Raises InputError, InputTypeError: one line that names the file."""
    name = "IDX" if path.is_dir() else format_of(path)
    if n_features is not None and name != "svmlight":
        raise InputError(
            f"n_features is {n_features}, and {path} is {name}: only svmlight text leaves it open; drop it"
        )
    if part == "test" and name not in ("IDX", "npz"):
        raise NoTestPart(f"{path} has no test part, being one {name} file; give the path of the test file instead")
    match name:
        case "HDF5":
            return read_hdf5(path)
        case "IDX":
            return read_idx_pair(path, part)
        case "npz":
            return read_npz(path, part)
        case "CSV":
            return read_csv(path)
        case _:
            return read_svmlight(path, n_features)


def format_of(path: Path) -> str:
    """ "HDF5", "IDX", "npz", "CSV" or "svmlight". Raises InputError when a file is absent or none of these."""
    check_file(path)
    try:
        with open(path, "rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a data file: check its rights") from error
    if not head:
        raise InputError(f"{path} is empty; expected a data file: copy it anew")
    by_name = SUFFIXES.get(path.suffix.lower())
    found = _binary_format(head) or _text_format(head, by_name)
    if found is None:
        expected = f"{by_name}, as it is named" if by_name else "HDF5, IDX, npz, CSV or svmlight text"
        raise InputError(f"{path} begins with {head[:8]!r}; expected {expected}: it is damaged or something else")
    return found


def _binary_format(head):
    if head.startswith(SIGNATURE):
        return "HDF5"
    if head.startswith(GZIP) or is_idx(head):
        return "IDX"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "npz"
    return None


def _text_format(head, by_name):
    if b"\0" in head:
        return None
    if by_name:
        return by_name if by_name in ("CSV", "svmlight") else None
    first = next((line for line in head.splitlines() if line.partition(b"#")[0].strip()), b"")
    return "svmlight" if b":" in head and b"," not in first else "CSV"
