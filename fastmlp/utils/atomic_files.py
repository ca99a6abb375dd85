"""Files that are either whole or absent."""

import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Windows: "access is denied", and two for a file that another process has open. Virus scanners open each new file.
_IN_USE = (5, 32, 33)
_PAUSES = (0.01, 0.03, 0.1, 0.3, 0.6)  # seconds before a file in use is tried again

_TEMPORARY = re.compile(r"\..*\.\d+\.[0-9a-f]{8}(\.\w+)?")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes that name when the block ends, and goes when the block fails.

    The file is on the disk before it is renamed, and the new name before the block is left: after a crash or a power
    cut there is the old file or the new one, never a part.
    """
    path = Path(path)
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
        with suppress(OSError):  # where nothing can be deleted either, the error to tell is the first one
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write `data` to `path`, atomically.

    A library that makes a file is given memory to write to, and what it made comes here: what goes wrong on a disk is
    then an OSError that names `path`. HDF5, for one, ends the process when it cannot write what it still holds.
    """
    with atomic_path(path) as temporary, open(temporary, "xb", buffering=0) as file:
        rest = memoryview(data)
        while rest:  # an unbuffered file may take a part, as before a disk is full
            rest = rest[os.write(file.fileno(), rest) :]


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Delete the temporary files in `folder` and below that a process left when it was killed.

    For a folder that no other process writes to.
    """
    for path in Path(folder).rglob(".*"):
        if is_temporary(path):
            remove(path)


def remove(path: Path) -> None:
    """Delete a file, if it is there; on Windows, wait about a second for whoever has it open."""
    _when_not_in_use(path, lambda: path.unlink(missing_ok=True))


def _when_not_in_use(path: Path, change: Callable[[], None]) -> None:
    """Replace or delete `path`, which Windows refuses while a process has the file open; other systems never do.

    Raises PermissionError, which says so in one line, when the file stays open.
    """
    for pause in (*_PAUSES, None):
        try:
            return change()
        except OSError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            if pause is None:
                mend = "open in another program, or write-protected; close it and give the same command again"
                raise PermissionError(errno.EACCES, mend, str(path)) from None
        time.sleep(pause)


def is_temporary(path: Path) -> bool:
    """Whether a path is one that `atomic_path` yields."""
    return _TEMPORARY.fullmatch(path.name) is not None


def make_folder(folder: Path) -> None:
    """Make a folder, if it is not there, and those above it; their names are then on the disk."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        _flush_folder(path.parent)


def _flush_folder(folder):
    """Put the names in a folder on the disk, where the system lets a folder be opened (Windows does not)."""
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
