"""Arrays and text as a safetensors file with a checksum, written and read without a library.

    8 bytes    length of the header, little-endian
    header     JSON: {"__metadata__": {name: text, ...}, name: {"dtype": ..., "shape": ..., "data_offsets": ...}, ...},
               with spaces behind it up to a multiple of 8 bytes
    arrays     one after the other, little-endian

Every reader of safetensors reads these files. This one reads no others: the metadata come first and begin with format,
format_version and sha256, the digest of all bytes but its own. It is compared before anything is parsed, so that a
damaged file never reaches a parser. Arrays are views of the file's bytes: nothing is allocated by what a header says.

References
----------
https://huggingface.co/docs/safetensors
"""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from fastmlp.errors import InputError
from fastmlp.utils.records import Count, Record, one_line

FORMAT, FORMAT_VERSION = "fastmlp-model", 5
HEAD = 256  # bytes, of which the seal is one part

_START = 8  # of the header, in bytes
_SEAL = re.compile(
    rb'\{"__metadata__":\{"format":"fastmlp-model","format_version":"(?P<version>\d{1,9})","sha256":"(?P<sha256>\w{64})"'
)
_DTYPES = {"F32": "<f4", "F64": "<f8"}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


class TensorEntry(Record, frozen=True, kw_only=True):
    """An array in the header.

    Attributes
    ----------
    dtype : str
        "F32" or "F64".
    shape : tuple of int
        Its shape.
    data_offsets : tuple of int
        Where it begins and ends, in bytes behind the header.
    """

    dtype: Literal["F32", "F64"]
    shape: Annotated[tuple[Count, ...], Meta(max_length=2)]
    data_offsets: tuple[Count, Count]


def pack(texts: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of a file.

    Parameters
    ----------
    texts : mapping
        Texts by their names.
    arrays : mapping
        Arrays of float32 or float64 by their names, with one or two axes.

    Raises
    ------
    InputError
        For text that is not Unicode.
    """
    for text in texts.values():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            wrong = text[error.start : error.end]
            raise InputError(f"a label or a name has {wrong!a}, which is not text; train with another one") from None
    parts = [np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for array in arrays.values()]
    offsets = itertools.pairwise(itertools.accumulate((part.nbytes for part in parts), initial=0))
    entries = {
        name: {"dtype": _NAMES[part.dtype.newbyteorder("<").str], "shape": part.shape, "data_offsets": offset}
        for name, part, offset in zip(arrays, parts, offsets, strict=True)
    }
    metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "sha256": "0" * 64, **texts}
    header = json.dumps({"__metadata__": metadata, **entries}, separators=(",", ":"))
    header += " " * (-len(header) % 8)
    head = bytearray(len(header).to_bytes(_START, "little") + header.encode("ascii"))
    place = slice(*_sealed(head).span("sha256"))
    hasher = hashlib.sha256(head[: place.start] + head[place.stop :])
    for part in parts:
        hasher.update(part.data)
    head[place] = hasher.hexdigest().encode()
    return b"".join([head, *(part.data for part in parts)])


def version_of(head: bytes) -> int | None:
    """Return the version of the format of a file; None for a file of another format.

    Parameters
    ----------
    head : bytes
        Its first `HEAD` bytes, or more.
    """
    seal = _SEAL.match(head, _START)
    return int(seal["version"]) if seal else None


def unpack(data: bytes) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Return the texts and the arrays of a file of this version; the arrays cannot be written to.

    Parameters
    ----------
    data : bytes
        What `pack` returned.

    Raises
    ------
    ValueError, RecursionError
        If anything is not as `pack` writes it; msgspec's errors are ValueErrors.
    """
    seal, view = _sealed(data), memoryview(data)
    start, stop = seal.span("sha256")
    hasher = hashlib.sha256(view[:start])
    hasher.update(view[stop:])
    if hasher.hexdigest().encode() != seal["sha256"]:
        raise ValueError("its SHA-256 is another: it was cut short, damaged or changed")
    length = int.from_bytes(data[:_START], "little")
    if length > len(data) - _START:
        raise ValueError(f"its header has {length} bytes, the file {len(data)}")
    header = msgspec.json.decode(view[_START : _START + length], type=dict[str, msgspec.Raw])
    texts = msgspec.json.decode(header.pop("__metadata__"), type=dict[str, str])
    arrays, place, rest = {}, 0, view[_START + length :]
    for name, raw in header.items():
        try:
            entry = msgspec.json.decode(raw, type=TensorEntry)
        except msgspec.ValidationError as error:
            raise ValueError(one_line(error, name)) from None
        dtype, (start, stop) = np.dtype(_DTYPES[entry.dtype]), entry.data_offsets
        if start != place or stop - start != math.prod(entry.shape) * dtype.itemsize or stop > len(rest):
            raise ValueError(
                f"{name} is at {list(entry.data_offsets)}; expected {place} and the size of {entry.dtype} "
                f"{list(entry.shape)} within {len(rest)} bytes"
            )
        arrays[name], place = np.frombuffer(rest[start:stop], dtype).reshape(entry.shape), stop
    if place != len(rest):
        raise ValueError(f"its arrays end after {place} of {len(rest)} bytes")
    return {name: text for name, text in texts.items() if name not in ("format", "format_version", "sha256")}, arrays


def _sealed(data: bytes | bytearray) -> re.Match[bytes]:
    seal = _SEAL.match(data, _START)
    if seal is None:
        raise ValueError("it does not begin as a model file does")
    return seal
