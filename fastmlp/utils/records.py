"""Typed records in JSON files, decoded strictly where they enter the program.

The records are msgspec Structs: one small, maintained package without dependencies checks types while it parses, and
the same classes are what type checkers see.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import Meta

from fastmlp.errors import InputError
from fastmlp.utils.atomic_files import write_text
from fastmlp.utils.free_memory import size_text

Count = Annotated[int, Meta(ge=0, le=2**53)]  # 2**53: beyond it not every whole number is a float
Position = Annotated[int, Meta(ge=1, le=2**53)]  # of an epoch, from 1
Finite = Annotated[float, Meta(ge=0, le=sys.float_info.max)]
Known = Annotated[float, Meta(ge=-sys.float_info.max)]  # inf, but no nan
Share = Annotated[float, Meta(ge=0, le=1)]
Score = Annotated[float, Meta(le=1)]  # an accuracy, or R²
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]  # SHA-256, in hexadecimal
Name = Annotated[str, Meta(min_length=1)]
Slug = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+][A-Za-z0-9.+-]{0,254}\Z")]  # the name of a folder on every system
Seconds = Annotated[float, Meta(ge=0)]
Time = Annotated[str, Meta(pattern=r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\Z")]  # ISO 8601, UTC

MOST_BYTES = 500_000_000  # of a file: the record of a run of 100,000 cells has 120 million
DEEPEST = 8  # levels of lists and dicts; settings = {"schedule": {"name": ..., "milestones": [...]}} has 3
_LONGEST = 200  # characters of a value that a message quotes
_WHERE = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<keys>.*)`", re.DOTALL)


class DamagedRecord(InputError):
    """A file, or a part of one, that does not hold the record that was expected."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base class of all records: immutable, with keyword arguments, without keys that are not declared.

    Attributes
    ----------
    FORMAT : int or None
        Version of the file format. Records that have one have a field `format` too; others than `FORMAT` are refused.
    """

    FORMAT: ClassVar[int | None] = None


R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=msgspec.Struct)


class _Header(msgspec.Struct):
    format: Any = None


def decode_record(data: bytes | str, kind: type[R], where: str | os.PathLike[str], fix: str) -> R:
    """Decode a record from JSON.

    Parameters
    ----------
    data : bytes or str
        JSON text.
    kind : type
        The class of the record.
    where : str or path-like
        Name of the source, for the message of an error.
    fix : str
        End of that message: what the user can do.

    Raises
    ------
    DamagedRecord
        If the text is no JSON, or a key or a value is not what `kind` declares. The message is one line with `where`
        and the path of the key, such as `cells[3].epochs`.
    InputError
        If the record has another format.
    """
    try:
        if kind.FORMAT is not None:
            version = msgspec.json.decode(data, type=_Header).format
            if type(version) is not int or version != kind.FORMAT:
                raise InputError(f"{where} has format {_quoted(version)}; expected {kind.FORMAT}: {fix}")
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"{where} cannot be read ({one_line(error)}); {fix}") from None


def convert_record(values: object, kind: type[R], where: str | os.PathLike[str], fix: str) -> R:
    """Return plain values as a record; unlike JSON they may have numbers that are not finite, where `kind` allows them.

    Parameters
    ----------
    values : object
        Dicts, lists, text, numbers, booleans and None.
    kind, where, fix
        As for `decode_record`.

    Raises
    ------
    DamagedRecord
        As `decode_record` does.
    """
    try:
        return converted(values, kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise DamagedRecord(f"{where} cannot be read ({one_line(error)}); {fix}") from None


def converted(values: object, kind: type[S]) -> S:
    """Return plain values as a Struct.

    Parameters
    ----------
    values : object
        Dicts, lists, text, numbers, booleans and None.
    kind : type
        The class of the Struct.

    Raises
    ------
    msgspec.ValidationError
        If a value is not what `kind` declares.
    """
    try:
        return msgspec.convert(values, kind)
    except SystemError:  # of msgspec before 0.22, where a whole number is beyond all floats
        raise msgspec.ValidationError("number out of range") from None


def encode_record(record: Record, indent: int | None = 2) -> str:
    """Return a record as JSON with a final line feed.

    Parameters
    ----------
    record : Record
        Its numbers must be finite: JSON has no others.
    indent : int or None
        Spaces for each level; None for a single line.
    """
    return json.dumps(to_plain(record), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def read_record(path: str | os.PathLike[str], kind: type[R], fix: str) -> R:
    """Read a record from a JSON file.

    Parameters
    ----------
    path : str or path-like
        The file.
    kind : type
        The class of the record.
    fix : str
        End of the message of an error: what the user can do.

    Raises
    ------
    DamagedRecord, InputError
        If the file cannot be read, or as `decode_record` does.
    """
    try:
        path = Path(path)
        if path.exists() and not path.is_file():  # a device may have no end, and a pipe would be waited for
            raise DamagedRecord(f"{path} is not a file; {fix}")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise DamagedRecord(f"{path} has {size_text(size)}; expected at most {size_text(MOST_BYTES)}: {fix}")
        data = path.read_bytes()
    except OSError as error:
        raise DamagedRecord(f"{path} cannot be read ({error.strerror}); {fix}") from None
    return decode_record(data, kind, path, fix)


def write_record(path: str | os.PathLike[str], record: Record) -> None:
    """Write a record to a JSON file, atomically.

    Parameters
    ----------
    path : str or path-like
        The file.
    record : Record
        Its numbers must be finite.
    """
    write_text(path, encode_record(record))


def to_record(values: Any, kind: type[R], where: str) -> R:
    """Return plain values as the record that writing them as JSON and reading them again gives.

    Parameters
    ----------
    values : object
        Dicts, lists, tuples, text, numbers, booleans, None and records.
    kind : type
        The class of the record.
    where : str
        Name of the values, for the message of an error.

    Raises
    ------
    DamagedRecord
        As `decode_record` does.
    """
    return decode_record(msgspec.json.encode(values, enc_hook=_plain), kind, where, "expected plain values")


def to_plain(record: Record) -> dict[str, Any]:
    """Return a record as dicts, lists, text, numbers, booleans and None.

    Parameters
    ----------
    record : Record
        Any record.
    """
    plain: dict[str, Any] = msgspec.to_builtins(record, enc_hook=_plain)
    return plain


def as_json(value: Any) -> Any:
    """Return a plain value as reading it from JSON gives it: tuples as lists, keys as text.

    Parameters
    ----------
    value : object
        Dicts, lists, tuples, text, numbers, booleans and None.
    """
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plain))


def check_nesting(value: object) -> None:
    """Raise ValueError for plain values of which lists and dicts are nested more than `DEEPEST` levels deep.

    Parameters
    ----------
    value : object
        A field that may hold any plain value.
    """
    level = [value]
    for _ in range(DEEPEST):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return
    raise ValueError(f"values are nested more than {DEEPEST} levels deep")


def one_line(error: BaseException, inside: str = "") -> str:
    """Return an error as one line that is not too long; of an error of msgspec the key path and the problem.

    Parameters
    ----------
    error : Exception
        Any error.
    inside : str
        Key path of the value that the error is about, such as "state.schedule".
    """
    text = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    if isinstance(error, RecursionError):
        text = "brackets are nested too deeply"
    text = " ".join(text.encode(errors="backslashreplace").decode().split())  # a lone surrogate cannot be printed
    if found := _WHERE.fullmatch(text):
        text, keys = found["problem"], found["keys"]
        text = f"{text[:1].lower()}{text[1:]}" if keys else text
        inside += f".{keys}" if inside and keys else keys
    text = f"{inside}: {text}" if inside else text
    return text if len(text) <= 2 * _LONGEST else f"{text[: 2 * _LONGEST]}..."


def _plain(value: object) -> object:
    """A value of a subclass of str, int or float as that."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"{value!r} is not a plain value")


def _items(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
