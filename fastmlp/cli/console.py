"""Printing to a console that lacks characters, such as a Windows one in code page 1252, or where there is none."""

import codecs
import os
import sys

_SPELT = {"±": "+-", "→": "->", "…": "...", "²": "^2", "≤": "<=", "≥": ">="}


def prepare_streams() -> None:
    """Have stdout and stderr spell out characters that they cannot encode, and discard output to a closed one."""
    codecs.register_error("fastmlp-spelt", _spelt)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by a shell's `>&-`; a program without a console, on Windows
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", newline=""))  # noqa: SIM115  never closed
        elif hasattr(stream, "reconfigure"):  # what stands in for a stream may have none
            stream.reconfigure(errors="fastmlp-spelt")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SPELT.get(each) or each.encode("ascii", "backslashreplace").decode() for each in missing), error.end
