"""Where stderr leads to, and lines that are no results."""

import os
import sys
import textwrap
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastmlp.errors import visible

if TYPE_CHECKING:
    from logging import Logger

_INFO = 20  # logging.INFO


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


def wrapped(text: str, stream: Any) -> str:
    """Return text with lines that are too long for a terminal broken between words; rows of tables stay whole.

    Parameters
    ----------
    text : str
        One line or several.
    stream : file object or None
        Where it is shown; text for anything but a terminal is returned unchanged.
    """
    try:
        width = os.get_terminal_size(stream.fileno()).columns if is_terminal(stream) else 0
    except (AttributeError, OSError, ValueError):  # it may stand in for a terminal, or be closed
        width = 0
    if not width:  # some terminals have no size
        return text
    return "\n".join(_broken(line, width) for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    if len(line) <= width or "  " in line:  # columns have two blanks between them
        return line
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)


class LastingStream:
    """A stream of text that discards what cannot be written: that is no reason to end a training.

    So it is when nobody reads it any more, its disk is full, its terminal was closed, or it was closed itself.

    Parameters
    ----------
    stream : file object
        What to write to, such as sys.stderr.
    """

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, if it can be written.

        Parameters
        ----------
        text : str
            The text.

        Returns
        -------
        int
            Its length.
        """
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is still in a buffer, if it can be written."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def write_line(line: str) -> None:
    """Write a line that was asked for to stderr, where somebody still reads it.

    Parameters
    ----------
    line : str
        The line.
    """
    if sys.stderr is not None:
        stream = LastingStream(sys.stderr)
        stream.write(f"{wrapped(visible(line), sys.stderr)}\n")  # in one piece, as other threads write lines too
        stream.flush()


def write_result(pieces: Iterable[str]) -> None:
    """Write text to stdout.

    Parameters
    ----------
    pieces : iterable of str
        The text, each piece of which is written at once; lines with their ends.

    Raises
    ------
    OSError
        If it cannot be written; its `filename` is "stdout". A BrokenPipeError if nobody reads it any more.
    """
    try:
        sys.stdout.writelines(pieces)
        sys.stdout.flush()
    except OSError as error:
        error.filename = error.filename or "stdout"
        raise


def show_result(text: str) -> None:
    """Write text for a person to stdout: without control codes, and on a terminal broken between words.

    Parameters
    ----------
    text : str
        One line or several, without the last line end.

    Raises
    ------
    OSError
        As `write_result` does.
    """
    write_result([wrapped(visible(text), sys.stdout), "\n"])


def log_line(line: str) -> None:
    """Log a line that is no result; where nobody has set up logging, write it to stderr.

    Parameters
    ----------
    line : str
        The line.
    """
    logger = _logger()
    if logger.isEnabledFor(_INFO):
        logger.info(line)
    elif not logger.level:
        write_line(line)


def debug_line(text: str) -> None:
    """Log text that only `--verbose` shows.

    Parameters
    ----------
    text : str
        One line or several.
    """
    _logger().debug(text)


def is_quiet() -> bool:
    """Return whether the logger `fastmlp` shows warnings and errors only."""
    return _logger().level > _INFO


def _logger() -> "Logger":
    from logging import getLogger  # `import fastmlp` would take longer

    return getLogger("fastmlp")
