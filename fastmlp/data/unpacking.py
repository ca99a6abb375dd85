"""Open data files, of which text and IDX may be compressed: gzip, bz2, xz, or zip with a single file."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from fastmlp.data.checks import check_file
from fastmlp.errors import InputError, first_line
from fastmlp.utils.free_memory import check_memory

HEAD_BYTES = 1 << 16
# By the first bytes of a file.
SIGNATURES = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "xz", b"PK\x03\x04": "zip"}
OPENERS: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
_SUFFIXES = {".gz", ".bz2", ".xz", ".zip"}
# A few kilobytes may have gigabytes in them: so often it is asked for so many times as much memory.
_CHECKED_EACH, _TIMES_ITS_BYTES = 1 << 26, 4
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # as spreadsheets write "Unicode text"


def compression(head: bytes) -> str | None:
    """Return how a file that begins so is compressed: a value of `SIGNATURES`, or None.

    Parameters
    ----------
    head : bytes
        The first bytes.
    """
    return next((kind for signature, kind in SIGNATURES.items() if head.startswith(signature)), None)


def read_head(path: Path, unpack: bool = False) -> bytes:
    """Return the first bytes of a file, at most 64 KiB.

    Parameters
    ----------
    path : Path
        The file.
    unpack : bool, default=False
        Whether to return those of what is compressed in it.

    Raises
    ------
    InputError
        If it is no file, empty or cannot be read, or nothing can be unpacked.
    """
    check_file(path)
    with reported(path), open_unpacked(path) if unpack else open(path, "rb") as file:
        head = b""
        while len(head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(head))):
            head += more
    if not head:
        raise InputError(f"{path} is empty; expected a data file: copy it again")
    return head


def open_unpacked(path: Path) -> io.RawIOBase | IO[bytes]:
    """Open a file, or what is compressed in it, for reading; to be used within `reported`.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        For a zip archive with other than one file; and in reading, when memory runs out.
    """
    with open(path, "rb") as stored:
        kind = compression(stored.read(8))
    if kind is not None and kind in OPENERS:
        return _Unpacked(path, OPENERS[kind](path))
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:  # whose members keep the file open
            return _Unpacked(path, archive.open(_only_member(path, archive)))
    return open(path, "rb")


class _Unpacked(io.RawIOBase):
    """What is compressed in a file, read as long as there is memory for what is made of it."""

    def __init__(self, path: Path, file: IO[bytes]):
        self._path, self._file, self._left = path, cast(io.BufferedIOBase, file), 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        if self._left <= 0:
            check_memory(f"{self._path}, unpacked,", _TIMES_ITS_BYTES * _CHECKED_EACH)
            self._left = _CHECKED_EACH
        count = self._file.readinto(room)
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def open_text(path: Path, encoding: str = "utf-8", errors: str = "strict") -> io.TextIOWrapper:
    """Open text, compressed or not, with the ends of lines as they are; to be used within `reported`.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, default="utf-8"
        Of a file without a byte order mark, which counts for more.
    errors : str, default="strict"
        What happens to other bytes, as for `open`.
    """
    file = io.BufferedReader(cast(io.RawIOBase, open_unpacked(path)))  # which all have its methods
    head = file.peek(4)
    if head.startswith(_UTF_16):
        encoding = "utf-16"
    elif head.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    return io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def text_head(head: bytes) -> bytes:
    """Return the first bytes of text as UTF-8 without a byte order mark.

    Parameters
    ----------
    head : bytes
        The first bytes of a file.
    """
    if head.startswith(_UTF_16):
        return head.decode("utf-16", "ignore").encode("utf-8", "ignore")
    return head.removeprefix(codecs.BOM_UTF8)


def suffix(path: Path) -> str:
    """Return the ending of a file's name in lower case, without that of its compression.

    Parameters
    ----------
    path : Path
        The file.
    """
    ending = path.suffix.lower()
    return Path(path.stem).suffix.lower() if ending in _SUFFIXES else ending


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn what is raised in a `with` block about a file that cannot be read or unpacked into an InputError.

    Parameters
    ----------
    path : Path
        The file's path, for the message.

    Raises
    ------
    InputError
        If something was raised.
    """
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged or cut short ({first_line(error)}); copy it again") from error
    except NotImplementedError as error:  # of a zip archive that is compressed in another way
        raise InputError(f"{path} cannot be unpacked ({first_line(error)}); unpack it first") from error
    except OSError as error:
        if error.strerror is None:  # as of bz2
            raise InputError(f"{path} is damaged or cut short ({first_line(error)}); copy it again") from error
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a data file: check its rights") from error


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the file in an archive, apart from those that macOS adds."""
    files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if len(files) != 1:
        names = ", ".join(one.filename for one in files[:4]) + (", ..." if len(files) > 4 else "")
        raise InputError(
            f"{path} has {len(files)} files ({names or 'none'}); expected a zip archive of one file: unpack it and "
            "give one of them"
        )
    if files[0].flag_bits & 1:  # of encryption, see APPNOTE.TXT of PKWARE
        raise InputError(f"{path} is encrypted; expected a zip archive without a password: unpack it first")
    return files[0]
