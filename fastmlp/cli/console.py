"""What the streams of the command line show, also where characters are missing, or where there is no console."""

import codecs
import os
import sys
import warnings

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


def show_warnings_in_one_line() -> None:
    """Have warnings shown as errors are, without the line of code that they come from."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"fastmlp: warning: {' '.join(str(message).splitlines())}", file=sys.stderr)

    warnings.showwarning = show


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SPELT.get(each) or each.encode("ascii", "backslashreplace").decode() for each in missing), error.end
