"""Where stderr leads to, and lines that are no results."""

import os
import sys
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


def write_line(line: str) -> None:
    """Write a line that was asked for to stderr, where somebody still reads it.

    Parameters
    ----------
    line : str
        The line.
    """
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{visible(line)}\n")  # in one piece, as other threads write lines too
        sys.stderr.flush()
    except BrokenPipeError:  # no reason to end a training
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  never closed


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
    """Log what is shown to those alone who ask for more.

    Parameters
    ----------
    text : str
        One line or several.
    """
    _logger().debug(text)


def is_quiet() -> bool:
    """Return whether the logger `fastmlp` was told to leave out lines that are no warnings."""
    return _logger().level > _INFO


def _logger() -> "Logger":
    from logging import getLogger  # `import fastmlp` would take longer

    return getLogger("fastmlp")
