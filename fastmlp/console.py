"""What is printed to a console that does not know every character, such as a Windows one in code page 1252."""

import codecs
import sys

_SPELT = {"±": "+-", "→": "->", "…": "...", "²": "^2", "≤": "<=", "≥": ">="}


def spell_out() -> None:
    """From now on stdout and stderr spell out the characters that their encoding lacks, and never fail for one."""
    codecs.register_error("fastmlp-spelt", _spelt)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # what stands in for a stream may have none, or be None
        if reconfigure is not None:
            reconfigure(errors="fastmlp-spelt")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SPELT.get(each) or each.encode("ascii", "backslashreplace").decode() for each in missing), error.end
