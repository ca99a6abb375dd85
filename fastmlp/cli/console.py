"""What the streams of the command line show, also where characters are missing, or where there is no console."""

import codecs
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fastmlp.errors import printable
from fastmlp.training.screen import write_line

_SPELT = {"±": "+-", "→": "->", "…": "...", "²": "^2", "≤": "<=", "≥": ">="}
# An interruption is nobody's mistake, and is told however quiet the log is.
_PREFIXES = {
    logging.WARNING: "fastmlp: warning: ", logging.ERROR: "fastmlp: error: ", logging.CRITICAL: "fastmlp: "
}  # fmt: skip


def prepare_streams() -> None:
    """Have stdout and stderr spell out characters that they cannot encode, and discard output to a closed one."""
    codecs.register_error("fastmlp-spelt", _spelt)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by a shell's `>&-`; a program without a console, on Windows
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", newline=""))  # noqa: SIM115  never closed
        elif hasattr(stream, "reconfigure"):  # what stands in for a stream may have none
            stream.reconfigure(errors="fastmlp-spelt")


def show_warnings_in_one_line() -> None:
    """Have warnings shown as errors are, without the line of code that they come from."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        write_line(f"{_PREFIXES[logging.WARNING]}{' '.join(str(message).splitlines())}")

    warnings.showwarning = show


class _ScreenHandler(logging.Handler):
    """Writes the log to the current stderr: notes unchanged, warnings and errors as one line with a prefix."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            text = _PREFIXES[record.levelno] + printable(" ".join(text.splitlines()))
        write_line(text)


@contextmanager
def shown_log() -> Iterator[None]:
    """Show what is logged within the block on stderr; afterwards the logger `fastmlp` is as it was."""
    logger, handler = logging.getLogger("fastmlp"), _ScreenHandler()
    level = logger.level
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def log_level(verbose: bool, quiet: bool) -> int:
    """Return the least level of what is shown.

    Parameters
    ----------
    verbose, quiet : bool
        As on the command line; one of them at most.
    """
    return logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SPELT.get(each) or each.encode("ascii", "backslashreplace").decode() for each in missing), error.end
