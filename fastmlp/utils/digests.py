"""Digests that identify numbers, settings and the code that trains."""

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fastmlp._version import __version__

# What trains, within the package: all that can change a bit of a result, and nothing that only reports one.
_ENGINE = (
    "mlp.py", "config", "inputs", "training",
    "data/streaming", "utils/arrays.py", "utils/exact_math.py", "utils/labels.py", "utils/objects.py",
    "utils/options.py", "utils/random_stream.py", "utils/records.py", "utils/showing.py", "utils/validation.py",
    "kernels",
)  # fmt: skip


def digest_of_arrays(arrays: Iterable[np.ndarray], title: str = "") -> str:
    """Return the SHA-256 of arrays: of their dtypes, shapes and values, whatever their byte order.

    Parameters
    ----------
    arrays : iterable of ndarray
        Arrays, whose order counts.
    title : str, default=""
        Text that is part of it.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    hasher = hashlib.sha256(title.encode())
    for array in arrays:
        # Little-endian on every machine, so that the digest depends on the values alone.
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        hasher.update(f"{plain.dtype.str}{plain.shape}".encode())
        hasher.update(plain.data)
    return hasher.hexdigest()


def digest_of_values(values: object) -> str:
    """Return the SHA-256 of plain values, as 64 hexadecimal digits.

    Parameters
    ----------
    values : dict, list, str, number, bool or None
        Nested in any way; the order of a dict does not count.
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def engine_version() -> str:
    """Return the version of what trains, such as "0.1.0+0123456789ab": the package's, and a digest of the code.

    Every change of that code counts, although most changes leave all bits of a result as they were.
    """
    return f"{__version__}+{digest_of_sources(Path(__file__).parents[1])[:12]}"


def digest_of_sources(package: Path) -> str:
    """Return the SHA-256 of the Python files that train; the line ends of a checkout do not count.

    Parameters
    ----------
    package : Path
        Folder of the package.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    hasher = hashlib.sha256()
    for part in _ENGINE:
        path = package / part
        files = [path] if path.is_file() else sorted(path.rglob("*.py"), key=lambda file: file.relative_to(path).parts)
        for file in files:
            name = file.relative_to(package).as_posix()
            hasher.update(name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n"))
    return hasher.hexdigest()
