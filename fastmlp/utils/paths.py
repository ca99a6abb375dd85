"""Paths as users write them."""

import os
import stat
import sys
from pathlib import Path

from fastmlp.errors import InputError, InputTypeError


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return a path as a user writes it, with ~ replaced by the home folder.

    As for a shell, a name that really begins with ~ is written ./~name. What is returned may be passed in again.

    Parameters
    ----------
    path : str or path-like
        Path as written.

    Returns
    -------
    Path
        The path without ~.

    Raises
    ------
    InputTypeError
        If it is something else, such as a number or bytes.
    InputError
        If the home folder is not known, or no system has such a path.
    """
    if not isinstance(text := os.fspath(path) if isinstance(path, os.PathLike) else path, str):
        raise InputTypeError(f"a path is of type {type(path).__name__}; expected text or a pathlib.Path")
    if "\0" in text or not _has_bytes(text):
        raise InputError(f"{text!r} has a null character or half of one; expected a path without it")
    expanded = Path(os.path.expanduser(text))
    if not str(expanded).startswith("~"):
        return expanded
    if text.startswith("~"):
        raise InputError(f"{text} is in a home folder that is not known; expected one that is: write it out")
    return expanded.absolute()  # pathlib takes the ./ away


def _has_bytes(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def written_path(path: str | os.PathLike[str]) -> Path:
    """Return the file that is written for a path as a user writes it: where a link leads, which itself stays.

    Parameters
    ----------
    path : str or path-like
        As for `user_path`.

    Returns
    -------
    Path
        The path, or that of the link's target.

    Raises
    ------
    InputError
        As for `user_path`; or if links lead to one another.
    """
    chosen = user_path(path)
    if not chosen.is_symlink():
        return chosen
    target = Path(os.path.realpath(chosen))
    if target.is_symlink():
        raise InputError(f"{chosen} is a link in a loop of links; expected the path of a file: choose another name")
    return target


def kind_of_file(mode: int) -> str:
    """Return what is there in place of a file, in a word.

    Parameters
    ----------
    mode : int
        Of `os.stat`.
    """
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")


def path_text(path: Path) -> str:
    """Return a path as text that can be written to a file.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InputError
        If it has bytes that are no text, such as those of Latin-1 where names are in UTF-8.
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{text!a} is not text in {sys.getfilesystemencoding()}; expected a name that is: rename it, or set "
            "PYTHONUTF8=1 if it is in UTF-8"
        ) from None
    return text
