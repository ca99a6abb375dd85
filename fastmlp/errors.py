"""Errors of the caller. The command line prints these as one line; any other exception is a defect of the library."""

import re

# C0 and C1 codes but for tabs and line feeds, and those that change the direction of text.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONGEST = 1400  # characters of a line; of a longer one the beginning and the end are told


class FastmlpError(Exception):
    """Something the caller can fix: the message names the value, what was expected, and a hint.

    As text it is one line, whatever a name in a file consists of.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(FastmlpError, ValueError):
    """A setting, a file or an array with a value that cannot be used."""


class InputTypeError(FastmlpError, TypeError):
    """A setting or an array of a type that cannot be used."""


class OutOfMemoryError(InputError, MemoryError):
    """Something that needs more memory than is free. Of a sweep the cell fails, and the others go on."""


def printable(text: str) -> str:
    """Return text as one line, with line feeds, control codes and the like spelt as Python does, that is not too long.

    Parameters
    ----------
    text : str
        Any text.
    """
    if len(text) > 2 * _LONGEST:  # of which the middle would be spelt for nothing
        text = text[:_LONGEST] + text[-_LONGEST:]
    line = "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode() for each in text
    )
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]}...{line[-_LONGEST // 2 :]}"


def visible(text: str) -> str:
    """Return text of several lines with control codes spelt out, as JSON does, so that none of them steers a terminal.

    Parameters
    ----------
    text : str
        Any text, such as a title from a file of a stranger.
    """
    return _STEERING.sub(lambda code: f"\\u{ord(code[0]):04x}", text)


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message, or its name where there is none.

    Parameters
    ----------
    error : Exception
        Of any library.
    """
    try:
        text = str(error)
    except Exception:  # of a method of its class
        text = ""
    return (text or type(error).__name__).splitlines()[0]
