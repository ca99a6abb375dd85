"""Digests: what tells one set of numbers, one engine and one training from all others."""

import functools
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

import numpy as np

from . import __version__

# All that can change a bit of a result; not how it is shown.
_ENGINE = ("fastmlp", "fastmlp.kernels")


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
    return f"{__version__}+{_digest_of_sources(map(resources.files, _ENGINE))[:12]}"


def _digest_of_sources(packages):
    """SHA-256 of the Python files in folders; a checkout with the line ends of Windows has the same."""
    hasher = hashlib.sha256()
    for package in packages:
        for file in sorted(package.iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                hasher.update(file.name.encode() + file.read_bytes().replace(b"\r\n", b"\n"))
    return hasher.hexdigest()
