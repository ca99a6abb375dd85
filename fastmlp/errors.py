"""What a caller can get wrong. The command line prints these as one line; any other exception is a defect of ours."""


class FastmlpError(Exception):
    """Something the caller can mend: the message names the value, what was expected, and the mend."""


class InputError(FastmlpError, ValueError):
    """A setting, a file or an array with a value that cannot be used."""


class InputTypeError(FastmlpError, TypeError):
    """A setting or an array of a type that cannot be used."""


def first_line(error: Exception) -> str:
    """What an exception of another library says, in one line; its name where it says nothing."""
    return (str(error) or type(error).__name__).splitlines()[0]
