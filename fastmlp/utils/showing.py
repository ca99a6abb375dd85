"""Values as messages show them."""

import sys

from fastmlp.errors import InputTypeError

_LONGEST = 500  # characters of a value


def shown(value: object) -> str:
    """Return a value as Python writes it: text in quotes; of one that is too long the beginning and its type.

    Parameters
    ----------
    value : object
        Of any class, also one whose `__repr__` fails: then its type is returned.
    """
    numpy = sys.modules.get("numpy")  # `fastmlp --help` does without it
    try:
        text = repr(value.item() if numpy and isinstance(value, numpy.generic) else value)
    except Exception:  # of a method of its class, or of a whole number with more digits than Python writes
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (type {type(value).__name__})"


def text_of(value: object, name: str) -> str:
    """Return what `str` makes of a value.

    Parameters
    ----------
    value : object
        Of any class.
    name : str
        What messages call it.

    Raises
    ------
    InputTypeError
        If its `__str__` fails.
    """
    try:
        return str(value)
    except Exception:  # as for `shown`
        raise InputTypeError(f"{name} is {shown(value)}, which fails to become text; expected text") from None
