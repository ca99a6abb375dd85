"""Errors of the caller. The command line prints these as one line; any other exception is a defect of the library."""


class FastmlpError(Exception):
    """Something the caller can fix: the message names the value, what was expected, and a hint."""


class InputError(FastmlpError, ValueError):
    """A setting, a file or an array with a value that cannot be used."""


class InputTypeError(FastmlpError, TypeError):
    """A setting or an array of a type that cannot be used."""


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message, or its name where there is none.

    Parameters
    ----------
    error : Exception
        Of any library.
    """
    return (str(error) or type(error).__name__).splitlines()[0]
