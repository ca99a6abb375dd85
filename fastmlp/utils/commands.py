"""Shell commands, quoted."""

import os
import shlex
import sys


def command_text(*words: str | os.PathLike[str]) -> str:
    """Return a command of fastmlp for a message, quoted for the shell.

    Parameters
    ----------
    *words : str or path-like
        The command and its arguments.

    Examples
    --------
    >>> command_text("retrain", "runs/first")
    'fastmlp retrain runs/first'
    """
    command = ["fastmlp", *(os.fspath(word) for word in words)]
    if sys.platform == "win32":
        from subprocess import list2cmdline

        return list2cmdline(command)
    return shlex.join(command)
