"""Compiled kernels on disk, so that a later process starts at once.

Numba's own cache keys a function on its own file alone, and would keep running old machine code after an edit of a
helper in another. Here the key is everything that the code depends on: all sources of this package, the versions of
Python, numba and llvmlite, the options, the CPU. An entry is one file, complete and checked by its SHA-256 or not
there: it is published by a rename, so a killed process or two at once can do no harm. Whatever is wrong with an entry,
the kernel is compiled again; where nothing can be written, it is compiled in memory, with one warning per process.

An entry is unpickled, and what is in it runs: none is read or written where another user could have put it.
"""

import contextlib
import errno
import functools
import hashlib
import os
import pickle
import stat
import sys
import warnings
from pathlib import Path

import llvmlite
import numba
from numba.core import caching, compiler, serialize

from .cache_folder import cache_folder

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
MAGIC = b"fastmlp kernel 1\n"
_UNKEPT = (
    "compiled kernels cannot be kept{where} ({reason}); every process compiles them again: set FASTMLP_CACHE to a "
    "folder of your own that can be written"
)


# Of units, machine code that other machine code calls by a symbol: what brings it into this process, given the types of
# its arguments, by its name; its name and those types, by its symbol.
unit_makers, unit_symbols = {}, {}


def on_miss(name, path):
    """Called before a kernel is compiled, with where it will be kept; it may put it there. Others set it."""


class KernelCache(caching._Cache):
    """The cache of one dispatcher, in the form that Numba asks for."""

    def __init__(self, name, options):
        self._name = name
        self._options = options

    @property
    def cache_path(self):
        return str(directory())

    def load_overload(self, sig, target_context):
        """The compiled function for a signature, or None."""
        target_context.refresh()
        try:
            path = self._path(sig, target_context)
            if not path.exists():
                on_miss(self._name, path)
            _check_folders(path)
            with open(path, "rb") as file:
                _check_owner(path, os.fstat(file.fileno()))
                content = file.read()
            digest, payload = content[len(MAGIC) : len(MAGIC) + 32], content[len(MAGIC) + 32 :]
            if not content.startswith(MAGIC) or hashlib.sha256(payload).digest() != digest:
                return None
            # Of a file that this user, or the system's, alone can write.
            units, code = pickle.loads(payload)  # noqa: S301
            for name, types in units:
                unit_makers[name](types)
            return compiler.CompileResult._rebuild(target_context, *code)
        except Exception:  # a cache must never be the reason why something fails
            return None

    def save_overload(self, sig, data):
        """Publish a compiled function."""
        called = [each.name for each in data.library._final_module.functions if each.is_declaration]
        units = [unit_symbols[name] for name in called if name in unit_symbols]
        payload = serialize.dumps((units, data._reduce()))
        try:
            path = self._path(sig, data.target_context)
        except RuntimeError as error:  # of pathlib, where the user has no home
            _warn_once(_UNKEPT.format(where="", reason=error))
            return
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            _make_folders(path.parent)
            _check_folders(path)
            with open(temporary, "xb", opener=functools.partial(os.open, mode=0o644)) as file:
                file.write(MAGIC + hashlib.sha256(payload).digest() + payload)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if getattr(error, "winerror", None) and path.exists():
                return  # Windows replaces no file that another process is reading: it has published the same one
            _warn_once(_UNKEPT.format(where=f" in {path.parent}", reason=error.strerror))

    def _path(self, sig, target_context):
        return directory() / f"{self.key(sig, target_context)}.bin"

    def key(self, sig, target_context):
        """What names the machine code for a signature, on this CPU."""
        key = repr((sig, target_context.codegen().magic_tuple(), self._options, _numba_settings()))
        return f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"

    def enable(self):
        """Always enabled."""

    def disable(self):
        """Always enabled."""

    def flush(self):
        """Entries are never changed, so there is nothing to flush."""


def directory():
    """Where this version of the kernels keeps its code: under $FASTMLP_CACHE, or the user's cache folder.

    Raises RuntimeError where the user has no home folder, such as one known by a number alone.
    """
    return cache_folder() / "kernels" / SOURCES_DIGEST


def _make_folders(folder):
    """Make a folder and those above it, which others may read, as those of a machine's image, and not write to."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(0o755, exist_ok=True)


def _check_folders(path):
    """Raise PermissionError where another user could exchange an entry, or the folder that it is in."""
    for folder in path.parents[:2]:
        _check_owner(folder, os.stat(folder))


def _check_owner(path, status):
    """Raise PermissionError if another user than this or the system's owns a file or a folder, or may write to it."""
    if hasattr(os, "geteuid") and (status.st_uid not in (0, os.geteuid()) or status.st_mode & _OTHERS_WRITE):
        raise PermissionError(errno.EPERM, f"another user owns or may write to {path}")


def sources_digest(package):
    """Digest of every source file in a folder of kernels and of the versions that turn them into machine code."""
    digest = hashlib.sha256(repr((sys.version, numba.__version__, llvmlite.__version__)).encode())
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


# At import, so that sources that are edited later are not taken for those that run.
SOURCES_DIGEST = sources_digest(Path(__file__).parent)


def _numba_settings():
    """The environment's settings of Numba that change what it emits."""
    names = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
    return tuple(getattr(numba.config, name, None) for name in names)


@functools.cache
def _warn_once(message):
    warnings.warn(message, RuntimeWarning, stacklevel=2)
