"""Files that are either whole or absent."""

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastmlp.errors import InputError
from fastmlp.utils.paths import kind_of_file

# Errors of Windows: "access is denied", and two for a file that another process has open, such as a virus scanner.
_IN_USE = (5, 32, 33)
_PAUSES = (0.01, 0.03, 0.1, 0.3, 0.6)  # seconds before a file in use is tried again

_TEMPORARY = re.compile(r"\..*\.\d+\.[0-9a-f]{8}(\.\w+)?")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file in a `with` block, and publish it when the block ends.

    The file is on the disk before it is renamed, and the new name before the block is left: after a crash or a power
    cut there is the old file or the new one, never a part.

    Parameters
    ----------
    path : str or path-like
        File to write; its folder is made.

    Yields
    ------
    Path
        Temporary path beside `path` to write to, renamed to `path` at the end, or deleted if the block fails.

    Raises
    ------
    InputError
        As for `check_replaceable`.
    OSError
        If it cannot be written; its `filename` is `path`.
    """
    path = Path(path)
    check_replaceable(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        _when_not_in_use(path, lambda: os.replace(temporary, path))
        _flush_folder(path.parent)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # none when a disk is full
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):  # where nothing can be deleted either, the first error is the one to report
            temporary.unlink(missing_ok=True)


def check_replaceable(path: Path) -> None:
    """Raise InputError if a path is not a file that may be replaced, such as /dev/null.

    Parameters
    ----------
    path : Path
        File to write.

    Raises
    ------
    InputError
        If it is, or leads to, a folder, a pipe, a socket or a device.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:  # nothing is there, or writing will tell why not
        return
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is a {kind_of_file(mode)}; expected the name of a file to write: choose another")


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write a file atomically.

    Libraries write to memory first, and their bytes to a disk are written here: an error of the disk is then an OSError
    that names `path`. HDF5, for one, ends the process when it cannot flush its buffers.

    Parameters
    ----------
    path : str or path-like
        File to write; its folder is made.
    data : bytes or memoryview
        Content.

    Raises
    ------
    OSError
        If it cannot be written; its `filename` is `path`.
    """
    with atomic_path(path) as temporary, open(temporary, "xb", buffering=0) as file:
        rest = memoryview(data)
        while rest:  # an unbuffered file may take a part, as before a disk is full
            rest = rest[os.write(file.fileno(), rest) :]


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file as UTF-8, atomically.

    Parameters
    ----------
    path : str or path-like
        File to write; its folder is made.
    text : str
        Content; line ends are written as they are.

    Raises
    ------
    OSError
        If it cannot be written; its `filename` is `path`.
    """
    write_bytes(path, text.encode("utf-8"))


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Delete the temporary files that a killed process left.

    Parameters
    ----------
    folder : str or path-like
        Folder to search, with those below it; no other process may be writing to it.
    """
    for path in Path(folder).rglob(".*"):
        if is_temporary(path):
            remove(path)


def remove(path: Path) -> None:
    """Delete a file, if it is there; on Windows, wait about a second for a process that has it open.

    Parameters
    ----------
    path : Path
        File to delete.

    Raises
    ------
    PermissionError
        If it stays open.
    """
    _when_not_in_use(path, lambda: path.unlink(missing_ok=True))


def _when_not_in_use(path: Path, change: Callable[[], None]) -> None:
    """Replace or delete `path`, which Windows refuses while a process has the file open; other systems never do.

    Raises PermissionError with a hint when the file stays open.
    """
    for pause in (*_PAUSES, None):
        try:
            return change()
        except OSError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            if pause is None:
                hint = "open in another program, or write-protected; close it and give the same command again"
                raise PermissionError(errno.EACCES, hint, str(path)) from None
        time.sleep(pause)


def is_temporary(path: Path) -> bool:
    """Return True for a temporary path of `atomic_path`.

    Parameters
    ----------
    path : Path
        Path of a file.
    """
    return _TEMPORARY.fullmatch(path.name) is not None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there, and flush their names to the disk.

    Parameters
    ----------
    folder : Path
        Folder to make.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can open folders (Windows cannot)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems have no such call
            error.filename = str(folder)
            raise
    finally:
        os.close(descriptor)
