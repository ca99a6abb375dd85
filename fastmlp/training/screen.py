"""Where stderr leads to, and lines on it."""

import os
import sys
from typing import Any


def is_terminal(stream: Any) -> bool:
    """Return whether what a stream shows can be drawn again.

    Parameters
    ----------
    stream : file object or None
        Such as sys.stderr; None where a program has no console.
    """
    # "dumb" is what Emacs and build servers call a terminal without a cursor.
    return stream is not None and stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def is_notebook(stream: Any) -> bool:
    """Return whether a stream leads into the output of a notebook's cell.

    Parameters
    ----------
    stream : file object or None
        As for `is_terminal`.
    """
    return type(stream).__module__.startswith("ipykernel.")


def write_line(line: str) -> None:
    """Write a line that is no result to stderr.

    Parameters
    ----------
    line : str
        The line.
    """
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")  # in one piece, as other threads write lines too
        sys.stderr.flush()
