"""How a field of `NetworkConfig` is declared: its default, check, section, label and help in one place."""

import math
from collections.abc import Callable, Iterable
from dataclasses import field, fields
from functools import partial
from typing import Any, NamedTuple

from fastmlp.utils import validation as check

NETWORK, TRAINING = "network", "training"


class FieldInfo(NamedTuple):
    """What is known of a setting.

    Attributes
    ----------
    default : object
        Plain value.
    section : str
        "network" or "training": where a recipe has it.
    label : str
        Name for a person.
    help : str
        One line.
    """

    default: Any
    section: str
    label: str
    help: str


def setting(
    default: object, section: str, checked_by: Callable[[str, Any], object], help: str, label: str | None = None
) -> Any:
    """Declare a setting.

    Parameters
    ----------
    default : object
        Plain value.
    section : str
        `NETWORK` or `TRAINING`.
    checked_by : callable
        Function of a name for messages and a value; returns the checked value or raises InputError.
    help : str
        One line.
    label : str, optional
        Name for a person; None for the setting's own with spaces.
    """
    return field(default=default, metadata={"check": checked_by, "section": section, "label": label, "help": help})


def choice(default: str, section: str, choices: Iterable[str], help: str) -> Any:
    """Declare a setting that is one of several texts.

    Parameters
    ----------
    default, section, help
        As for `setting`.
    choices : iterable of str
        All of them.
    """
    return setting(default, section, partial(check.one_of, choices=choices), help)


def number(
    default: float, hint: str, help: str, label: str | None = None, least: float = -math.inf, below: float = math.inf
) -> Any:
    """Declare a setting that is a number with least <= value < below.

    Parameters
    ----------
    default, help, label
        As for `setting`.
    hint, least, below
        As for `fastmlp.utils.validation.real`.
    """
    return setting(default, TRAINING, partial(check.real, hint=hint, least=least, below=below), help, label)


def positive(default: float | None, section: str, hint: str, help: str) -> Any:
    """Declare a setting that is a number above 0, or None where that is the default.

    Parameters
    ----------
    default, section, help
        As for `setting`.
    hint : str
        The end of messages: how to correct it.
    """
    above_zero = partial(check.positive, hint=hint)
    checked_by = partial(check.optional, checked_by=above_zero) if default is None else above_zero
    return setting(default, section, checked_by, help)


def whole(default: int, least: int, hint: str, help: str, most: int | None = None) -> Any:
    """Declare a setting that is a whole number.

    Parameters
    ----------
    default, help
        As for `setting`.
    least, hint, most
        As for `fastmlp.utils.validation.whole`.
    """
    return setting(default, TRAINING, partial(check.whole, least=least, hint=hint, most=most), help)


def described(kind: type) -> str:
    """Return the entries of a numpydoc section for the settings of a class.

    Parameters
    ----------
    kind : type
        Dataclass whose fields `setting` has declared.

    Returns
    -------
    str
        Lines, each but the first indented.
    """
    entries = []
    for info in fields(kind):
        what = info.type.__name__ if info.type in (bool, float, int, str) else str(info.type)
        what = what.replace("collections.abc.", "").replace("typing.", "")
        help = info.metadata["help"]
        entries.append(f"{info.name} : {what}, default {info.default!r}\n        {help[0].upper()}{help[1:]}.")
    return "\n    ".join(entries)
