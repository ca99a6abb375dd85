"""Digests: what tells one set of numbers, one engine and one training from all others."""

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._version import __version__

# What trains, within the package: all that can change a bit of a result, and nothing that only shows one.
_ENGINE = ("mlp.py", "config", "training", "data/streaming", "utils/arrays.py", "kernels")


def digest_of_arrays(arrays: Iterable[np.ndarray], title: str = "") -> str:
    """SHA-256, in hexadecimal, of arrays: their dtypes, shapes and values, in any byte order, and of a title."""
    hasher = hashlib.sha256(title.encode())
    for array in arrays:
        # Little-endian on every machine, so that the digest names the values.
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        hasher.update(f"{plain.dtype.str}{plain.shape}".encode())
        hasher.update(plain.data)
    return hasher.hexdigest()


def digest_of_values(values: Any) -> str:
    """SHA-256, in hexadecimal, of plain values: dicts, whose order does not count, lists, text and numbers."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def engine_version() -> str:
    """What trains: the version, and the first digits of a digest of the code.

    Two versions of the code are never taken for one, although most changes leave all bits as they were.
    """
    return f"{__version__}+{digest_of_sources(Path(__file__).parents[1])[:12]}"


def digest_of_sources(package: Path) -> str:
    """SHA-256 of the Python files of `package` that train; a checkout with the line ends of Windows has the same."""
    hasher = hashlib.sha256()
    for part in _ENGINE:
        path = package / part
        files = [path] if path.is_file() else sorted(path.rglob("*.py"), key=lambda file: file.relative_to(path).parts)
        for file in files:
            name = file.relative_to(package).as_posix()
            hasher.update(name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n"))
    return hasher.hexdigest()
